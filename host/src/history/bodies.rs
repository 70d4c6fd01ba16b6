//! What was run, kept in the database: the bytes of scripts, components and manifests by their SHA-256.

use whimbrel_packed::Cell;

use super::packing::{pack, unpack};
use super::{History, HistoryError};
use crate::db::{DbError, Session, Value, quote_identifier};
use crate::model::{Applied, Body, Checksum, KeptForm, Migration, Script};

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

    /// Tells whether anything is kept. Creates nothing.
    pub fn keeps_any(&self, session: &mut dyn Session) -> Result<bool, HistoryError> {
        let mut found = false;
        let mut run = || {
            if session.table_exists(&self.bodies_table())? {
                let sql = format!("SELECT 1 FROM {} LIMIT 1", quote_identifier(&self.bodies_table()));
                session.see_rows(&sql, &[], &mut |_| {
                    found = true;
                    Ok(())
                })?;
            }
            Ok(())
        };
        run().map(|()| found).map_err(|source| self.failed(source))
    }

    /// Keeps what a migration is made of, if that of its chain is to be kept; inside the transaction that writes its row.
    pub(super) fn keep(
        &self,
        session: &mut dyn Session,
        chain: &str,
        migration: &Migration,
    ) -> Result<(), HistoryError> {
        if !self.keeps(chain) {
            return Ok(());
        }
        let manifest =
            migration.manifest.as_ref().map(|manifest| (manifest.checksum, manifest.text.as_bytes().to_vec()));
        let (body, down) = match &migration.body {
            Body::Sql { up, down } => {
                let bytes = |script: &Script| (script.checksum(), script.text.as_bytes().to_vec());
                (Some(bytes(up)), down.as_deref().map(bytes))
            }
            Body::Component { bytes } | Body::Transform { bytes, .. } => {
                (Some((bytes.checksum(), bytes.to_vec())), None)
            }
            Body::Script { files, .. } => (Some((files.checksum(), files.joined())), None),
            Body::Rust(_) => (None, None),
        };
        for (digest, bytes) in [body, down, manifest].into_iter().flatten() {
            if self.body(session, digest)?.is_none() {
                self.keep_body(session, digest, &pack(bytes))?;
            }
        }
        let form = KeptForm::of(migration);
        if form == KeptForm::default() {
            return Ok(());
        }
        let flag = |flag: bool| Value::Integer(i64::from(flag));
        let statement = "UPDATE {} SET details = json_set(CASE WHEN json_valid(details) THEN details ELSE json_object() END, \
                         '$.kept', json_object('outside', ?, 'rebuild', ?, 'values', ?, 'environment', ?, 'path', ?, 'keys_off', ?))";
        let params = vec![
            flag(form.outside),
            flag(form.rebuild),
            form.values.map_or(Value::Null, flag),
            flag(form.environment),
            form.path.map_or(Value::Null, Value::Text),
            flag(form.keys_off),
        ];
        self.change(session, statement, params, chain, &migration.key())
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
            session.see_rows(&sql, &[Value::from(digest.to_string())], &mut |row| {
                if let (Cell::Text(encoding), Cell::Blob(bytes)) = (row.cell(0)?, row.cell(1)?) {
                    found = Some(KeptBody { encoding: encoding.to_owned(), bytes: bytes.to_owned() });
                }
                Ok(())
            })
        };
        run().map_err(|source| self.failed(source))?;
        Ok(found)
    }

    /// Returns what is kept under a SHA-256, unpacked. What has another SHA-256 now is refused. Creates nothing.
    pub fn unpacked(&self, session: &mut dyn Session, digest: Checksum) -> Result<Option<Vec<u8>>, HistoryError> {
        let Some(body) = self.body(session, digest)? else { return Ok(None) };
        let refuse =
            |reason: String| HistoryError::Body { table: self.bodies_table(), digest: Box::new(digest), reason };
        let bytes = unpack(&body).map_err(refuse)?;
        match Checksum::of(&bytes) == digest {
            true => Ok(Some(bytes)),
            false => Err(refuse("its bytes have another SHA-256".to_owned())),
        }
    }

    /// Returns what is to be known beside the bytes to run what is kept of a migration.
    pub fn kept_form(&self, session: &mut dyn Session, row: &Applied) -> Result<KeptForm, HistoryError> {
        let keys = ["outside", "rebuild", "values", "environment", "path", "keys_off"];
        let columns = keys.map(|key| format!("json_extract(details, '$.kept.{key}')")).join(", ");
        let sql = format!("SELECT {columns} FROM {} WHERE id = ? AND json_valid(details)", self.quoted());
        let mut form = KeptForm::default();
        let seen = session.see_rows(&sql, &[Value::Integer(row.id)], &mut |row| {
            let flag = |column| match row.cell(column)? {
                Cell::Integer(flag) => Ok::<_, DbError>(Some(flag != 0)),
                _ => Ok(None),
            };
            form = KeptForm {
                outside: flag(0)? == Some(true),
                rebuild: flag(1)? == Some(true),
                values: flag(2)?,
                environment: flag(3)? == Some(true),
                path: match row.cell(4)? {
                    Cell::Text(path) => Some(path.to_owned()),
                    _ => None,
                },
                keys_off: flag(5)? == Some(true),
            };
            Ok(())
        });
        seen.map_err(|source| self.failed(source))?;
        Ok(form)
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
    fn keeps_bytes_once_and_refuses_others_in_their_place() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        with_connection(&mut connection, &options, |mut session| {
            let session = session.as_mut();
            let history = History::new("h").unwrap();
            let digest = Checksum::of(b"SELECT 1;");
            assert_eq!(history.body(session, digest).unwrap(), None);
            assert!(!history.keeps_any(session).unwrap());
            history.ensure(session).unwrap();
            assert_eq!(history.body(session, digest).unwrap(), None);
            assert!(!history.keeps_any(session).unwrap());
            let body = KeptBody { encoding: "plain".into(), bytes: b"SELECT 1;".to_vec() };
            history.keep_body(session, digest, &body).unwrap();
            history.keep_body(session, digest, &KeptBody { encoding: "x".into(), ..body.clone() }).unwrap();
            assert_eq!(history.body(session, digest).unwrap(), Some(body));
            assert_eq!(history.unpacked(session, digest).unwrap().unwrap(), b"SELECT 1;");
            for change in ["bytes = x'00'", "encoding = 'x'", "encoding = 'zstd'"] {
                session.execute(&format!("UPDATE h_bodies SET {change}"), &[]).unwrap();
                let error = history.unpacked(session, digest).unwrap_err();
                assert!(matches!(error, HistoryError::Body { .. }), "{change}: {error}");
            }
        })
        .unwrap();
    }
}
