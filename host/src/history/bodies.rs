//! What was run, kept in the database: the bytes of scripts, components and manifests by their SHA-256.

use whimbrel_packed::Cell;

use super::{History, HistoryError};
use crate::db::{Session, Value, for_each_batch, quote_identifier};
use crate::model::Checksum;

/// Bytes as they are kept. A row of the history finds them by its `checksum`, `down_checksum` and `manifest_checksum`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptBody {
    /// How they are packed; `plain` is not at all.
    pub encoding: String,
    /// The packed bytes.
    pub bytes: Vec<u8>,
}

impl History {
    /// Returns the name of the table of kept bodies. Version 2 of the schema has it.
    pub(super) fn bodies_table(&self) -> String {
        format!("{}_bodies", self.table)
    }

    /// Keeps bytes under the SHA-256 of what they are when unpacked; those that are kept already stay as they are.
    pub fn keep_body(&self, session: &mut dyn Session, digest: Checksum, body: &KeptBody) -> Result<(), HistoryError> {
        let table = quote_identifier(&self.bodies_table());
        let sql = format!("INSERT INTO {table} (digest, encoding, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
        let params =
            [Value::from(digest.to_string()), Value::from(body.encoding.as_str()), Value::Blob(body.bytes.clone())];
        session.execute(&sql, &params).map(drop).map_err(|source| self.failed(source))
    }

    /// Returns the bytes that are kept under a SHA-256. Creates nothing.
    pub fn body(&self, session: &mut dyn Session, digest: Checksum) -> Result<Option<KeptBody>, HistoryError> {
        let mut found = None;
        let mut run = || {
            if !session.table_exists(&self.bodies_table())? {
                return Ok(());
            }
            let table = quote_identifier(&self.bodies_table());
            let sql = format!("SELECT encoding, bytes FROM {table} WHERE digest = ?");
            for_each_batch(session, &sql, &[Value::from(digest.to_string())], &mut |batch| {
                if batch.rows() > 0
                    && let (Cell::Text(encoding), Cell::Blob(bytes)) = (batch.cell(0, 0), batch.cell(0, 1))
                {
                    found = Some(KeptBody { encoding: encoding.to_owned(), bytes: bytes.to_owned() });
                }
                Ok(())
            })
        };
        run().map_err(|source| self.failed(source))?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::OpenOptions;
    use crate::db::sqlite::with_connection;
    use crate::interrupt::Interrupt;

    #[test]
    fn keeps_bytes_once() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        with_connection(&mut connection, &options, |mut session| {
            let session = session.as_mut();
            let history = History::new("h").unwrap();
            let digest = Checksum::of(b"SELECT 1;");
            assert_eq!(history.body(session, digest).unwrap(), None);
            history.ensure(session).unwrap();
            assert_eq!(history.body(session, digest).unwrap(), None);
            let body = KeptBody { encoding: "plain".into(), bytes: b"SELECT 1;".to_vec() };
            history.keep_body(session, digest, &body).unwrap();
            history.keep_body(session, digest, &KeptBody { encoding: "x".into(), ..body.clone() }).unwrap();
            assert_eq!(history.body(session, digest).unwrap(), Some(body));
        })
        .unwrap();
    }
}
