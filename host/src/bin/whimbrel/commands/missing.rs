//! Says so where there is no database, so that nothing is taken for what it tells: the path may be a wrong one.

use crate::escape;
use crate::settings::Settings;
use crate::ui::Ui;

/// Says on stderr that the database is not there, if it is not.
pub(super) fn mention(settings: &Settings, ui: &Ui) -> anyhow::Result<()> {
    let database = settings.database()?;
    if !database.exists() {
        ui.talk(&format!("note: there is no database {}", escape::line(&database.display().to_string())));
    }
    Ok(())
}
