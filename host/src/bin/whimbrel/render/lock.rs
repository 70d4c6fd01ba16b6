//! Who is at work on the database, for people and as JSON.

use serde::Serialize;
use whimbrel::lock::{Held, Holder, Holding, LockStatus};

use super::json::schema;
use super::status::moment;
use crate::escape;

/// Writes a line for each who is at work, or was when it was killed.
pub(crate) fn text(status: &LockStatus) -> String {
    let mut text: String = status.holdings.iter().map(|holding| format!("{}\n", line(holding))).collect();
    if status.other_writer {
        text.push_str("Another program is writing to the database: it has a transaction open.\n");
    }
    if !status.is_held() {
        text.push_str(&format!("Nobody is at work on {}.\n", escape::line(&status.database)));
    }
    text
}

/// Says in a sentence who holds what.
pub(super) fn line(holding: &Holding) -> String {
    let who = match &holding.holder {
        Some(Holder { process, host, user, .. }) => {
            let user = user.map(|user| format!(" (user {user})")).unwrap_or_default();
            format!("Process {process} on {}{user}", escape::line(host))
        }
        None => "A process that has not said which".to_owned(),
    };
    let what = holding.holder.as_ref().map(|holder| {
        let Holder { doing, migration, since, .. } = holder;
        format!("{} {} since {} UTC", escape::line(doing), escape::line(migration), escape::line(&moment(since)))
    });
    let heartbeat = |heartbeat: &str| escape::line(&moment(heartbeat)).into_owned();
    match (&holding.held, what.unwrap_or_else(|| "migrates".to_owned()), holding.alive) {
        (Held::Lock, what, true) => format!("{who} {what}, and holds the lock."),
        (Held::Lock, _, false) => format!("{who} is gone. What it left of the lock blocks nobody."),
        (Held::Chunks { heartbeat: at, .. }, what, true) => {
            format!("{who} {what}, chunk by chunk; its last one ended {} UTC.", heartbeat(at))
        }
        (Held::Chunks { heartbeat: at, .. }, _, false) => {
            let migration = holding.holder.as_ref().map_or_else(String::new, |holder| holder.migration.clone());
            let migration = escape::line(&migration);
            format!(
                "{who} is gone. It was at work on the chunks of {migration} until {} UTC, and blocks nobody: `whimbrel \
                 up` goes on.",
                heartbeat(at)
            )
        }
    }
}

/// What `lock status` prints.
#[derive(Serialize)]
pub(crate) struct LockStatusJson {
    schema: String,
    database: String,
    held: bool,
    other_writer: bool,
    holders: Vec<HolderJson>,
}

/// Who holds what.
#[derive(Serialize)]
pub(crate) struct HolderJson {
    holds: &'static str,
    alive: bool,
    process: Option<u32>,
    host: Option<String>,
    user: Option<u32>,
    run_id: Option<String>,
    chain: Option<String>,
    migration: Option<String>,
    doing: Option<String>,
    since: Option<String>,
    heartbeat: Option<String>,
    until: Option<String>,
}

/// Writes the same as JSON.
pub(crate) fn json(status: &LockStatus) -> LockStatusJson {
    LockStatusJson {
        schema: schema("lock-status"),
        database: status.database.clone(),
        held: status.is_held(),
        other_writer: status.other_writer,
        holders: status.holdings.iter().map(holder).collect(),
    }
}

/// Writes who holds what as JSON.
pub(super) fn holder(holding: &Holding) -> HolderJson {
    let holder = holding.holder.as_ref();
    let (holds, heartbeat, until) = match &holding.held {
        Held::Lock => ("lock", None, None),
        Held::Chunks { heartbeat, until } => ("chunks", Some(heartbeat.clone()), Some(until.clone())),
    };
    HolderJson {
        holds,
        alive: holding.alive,
        process: holder.map(|holder| holder.process),
        host: holder.map(|holder| holder.host.clone()),
        user: holder.and_then(|holder| holder.user),
        run_id: holder.map(|holder| holder.run_id.clone()),
        chain: holder.map(|holder| holder.chain.clone()),
        migration: holder.map(|holder| holder.migration.clone()),
        doing: holder.map(|holder| holder.doing.clone()),
        since: holder.map(|holder| holder.since.clone()),
        heartbeat,
        until,
    }
}
