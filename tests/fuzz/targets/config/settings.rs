//! What the program reads its settings with, which is no part of the library.

#[path = "../../../../host/src/bin/whimbrel/settings/chain_name.rs"]
mod chain_name;
#[path = "../../../../host/src/bin/whimbrel/settings/config.rs"]
mod config;
#[path = "../../../../host/src/bin/whimbrel/settings/database.rs"]
mod database;
#[path = "../../../../host/src/bin/whimbrel/settings/dotenv.rs"]
mod dotenv;
#[path = "../../../../host/src/bin/whimbrel/settings/duration.rs"]
mod duration;
#[path = "../../../../host/src/bin/whimbrel/settings/engines.rs"]
mod engines;
#[path = "../../../../host/src/bin/whimbrel/settings/environment.rs"]
mod environment;
#[path = "../../../../host/src/bin/whimbrel/settings/error.rs"]
mod error;
#[path = "../../../../host/src/bin/whimbrel/settings/hooks.rs"]
mod hooks;
#[path = "../../../../host/src/bin/whimbrel/settings/locations.rs"]
mod locations;
#[path = "../../../../host/src/bin/whimbrel/settings/placeholders.rs"]
mod placeholders;
#[path = "../../../../host/src/bin/whimbrel/settings/policy.rs"]
mod policy;

use std::path::Path;

use config::Config;
pub(crate) use error::{Place, SettingsError};

pub(crate) const CONFIG_FILE: &str = "whimbrel.toml";

/// Reads a file; tells what is wrong with it.
pub(crate) fn read(file: &Path) -> Result<(), SettingsError> {
    Config::read(Some(file)).map(drop)
}
