"""Trims the notes. build.sh makes a component of this, `whimbrel up` runs it."""

from trim import trim
from whimbrel_guest import Context, Transaction, export


def up(tx: Transaction, ctx: Context) -> None:
    with tx.prepare("UPDATE note SET text = ? WHERE id = ?") as update, update.writer() as writer:
        for row in tx.query("SELECT id, text FROM note WHERE text IS NOT NULL ORDER BY id"):
            writer.row(trim(row.text("text")), row.integer("id"))


def down(tx: Transaction, ctx: Context) -> None:
    """Undo here what `up` did; spaces that are gone stay gone."""


WitWorld = export(up, down)
