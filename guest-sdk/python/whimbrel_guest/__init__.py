"""Database migrations in Python that run as sandboxed WebAssembly components in whimbrel.

    from whimbrel_guest import Context, Transaction, export

    def up(tx: Transaction, ctx: Context) -> None:
        with tx.prepare("UPDATE note SET text = ? WHERE id = ?") as update, update.writer() as writer:
            for row in tx.query("SELECT id, text FROM note ORDER BY id"):
                writer.row(row.text("text").strip(), row.integer("id"))

    WitWorld = export(up)
"""

from ._errors import SqlError
from ._export import export, export_transform
from ._log import log, progress
from .packed import BatchBuilder, Cell, CheckedBatch, MalformedBatch
from .rows import Row
from .transaction import Cursor, Statement, Transaction, Writer
from .transform import Context, RowOut, transform_rows

__all__ = [
    "BatchBuilder",
    "Cell",
    "CheckedBatch",
    "Context",
    "Cursor",
    "MalformedBatch",
    "Row",
    "RowOut",
    "SqlError",
    "Statement",
    "Transaction",
    "Writer",
    "export",
    "export_transform",
    "log",
    "progress",
    "transform_rows",
]
