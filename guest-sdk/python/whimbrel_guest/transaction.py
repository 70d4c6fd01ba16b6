"""The transaction, statements and savepoints. `raw` is the host's handle, or a test's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from . import _host
from ._errors import ask
from .packed import Batch, BatchBuilder, Cell, CheckedBatch
from .rows import Columns, Row

BATCH_ROWS = 1024
BATCH_BYTES = 1 << 20


def _values(params: tuple[Cell, ...]) -> Any:
    if _host.types is None:
        return list(params)
    types = _host.types
    values: list[Any] = []
    for value in params:
        if value is None:
            values.append(types.Value_Null())
        elif isinstance(value, bool):
            values.append(types.Value_Boolean(value))
        elif isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                raise OverflowError(f"{value} does not fit into 64 bits")
            values.append(types.Value_Integer(value))
        elif isinstance(value, float):
            values.append(types.Value_Real(value))
        elif isinstance(value, str):
            values.append(types.Value_Text(value))
        elif isinstance(value, bytes):
            values.append(types.Value_Blob(value))
        else:
            raise TypeError(f"a {type(value).__name__} cannot be stored")
    return values


def _raw(batch: Batch) -> Any:
    if _host.types is None:
        return batch
    types = _host.types
    columns = [types.Column(each.kind, each.tags, each.words, each.heap) for each in batch.columns]
    return types.Batch(batch.rows, columns)


class Transaction:
    """The step's open transaction: kept when the migration returns, undone when it raises."""

    def __init__(self, raw: Any) -> None:
        self._handle = raw

    def execute(self, sql: str, *params: Cell) -> int:
        """Run one statement and return the number of rows it changed."""
        values = _values(params)
        changed: int = ask(lambda: self._handle.execute(sql, values))
        return changed

    def query(self, sql: str, *params: Cell) -> Cursor:
        """Run one query; iterate over what it returns, or fetch from it."""
        values = _values(params)
        return Cursor(ask(lambda: self._handle.query(sql, values)))

    def query_row(self, sql: str, *params: Cell) -> Row | None:
        """Return the first row of a query, or None."""
        with self.query(sql, *params) as cursor:
            return cursor.fetchone()

    def prepare(self, sql: str) -> Statement:
        """Prepare one statement to be run many times."""
        return Statement(ask(lambda: self._handle.prepare(sql)))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Keep what happens in the block if it ends well, undo it if it raises."""
        with ask(self._handle.open_savepoint) as savepoint:
            try:
                yield
            except BaseException:
                ask(savepoint.rollback)
                raise
            ask(savepoint.release)

    @property
    def dialect(self) -> str:
        """The kind of database: sqlite, later others."""
        dialect: str = self._handle.dialect()
        return dialect


class Cursor:
    """The rows of a query, read forward."""

    def __init__(self, raw: Any) -> None:
        self._handle = raw
        self._columns = Columns(raw.columns())
        self._rows = self._walk()
        self._open = True

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._columns.names

    def batches(self) -> Iterator[CheckedBatch]:
        """Give checked batches of about a thousand rows: the fast way."""
        while self._open:
            batch = ask(lambda: self._handle.next_batch(BATCH_ROWS, BATCH_BYTES))
            if batch is None:
                self.close()
                return
            yield CheckedBatch(batch)

    def _walk(self) -> Iterator[Row]:
        for batch in self.batches():
            for index in range(batch.rows):
                yield Row(batch, self._columns, index)

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fetchone(self) -> Row | None:
        """Return the next row, or None at the end."""
        return next(self._rows, None)

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        return list(self._rows)

    def close(self) -> None:
        """Free the cursor; may be called twice."""
        if self._open:
            self._open = False
            self._handle.__exit__(None, None, None)

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Statement:
    """A prepared statement."""

    def __init__(self, raw: Any) -> None:
        self._handle = raw

    def execute(self, *params: Cell) -> int:
        """Run it once. For many rows, a writer is faster."""
        values = _values(params)
        changed: int = ask(lambda: self._handle.execute(values))
        return changed

    def execute_batch(self, batch: Batch, sent: int = 0) -> int:
        """Run it once for every row of a batch: for all, or for none, and then the error names the row."""
        raw = _raw(batch)
        changed: int = ask(lambda: self._handle.execute_batch(raw), sent)
        return changed

    def writer(self) -> Writer:
        """Collect rows of parameters and send them about a thousand at a time."""
        return Writer(self)

    def close(self) -> None:
        """Free the statement."""
        self._handle.__exit__(None, None, None)

    def __enter__(self) -> Statement:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Unsent:
    """Counts the rows that writers of a call have collected and not sent."""

    rows = 0


class Writer:
    """Collects rows for a statement; ended by `finish`, or by the end of a `with` block.

    Rows that were never sent make the migration fail, so that none is lost unseen.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._builder: BatchBuilder | None = None
        self._sent = 0
        self.changed = 0

    def row(self, *params: Cell) -> None:
        """Add the parameters of one run."""
        if not params:
            self.changed += self._statement.execute()
            return
        if self._builder is None:
            self._builder = BatchBuilder(len(params))
        builder = self._builder
        if builder.width != len(params):
            raise ValueError(f"the first row had {builder.width} parameters, this one has {len(params)}")
        for column, value in enumerate(params):
            builder.push(column, value)
        Unsent.rows += 1
        rows = builder.rows
        if rows >= BATCH_ROWS or rows * 8 * len(params) + builder.bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what was collected. The row in an error counts from the writer's first row."""
        if self._builder is None or self._builder.rows == 0:
            return
        batch = self._builder.finish()
        Unsent.rows -= batch.rows
        self.changed += self._statement.execute_batch(batch, self._sent)
        self._sent += batch.rows

    def finish(self) -> int:
        """Send the rest and return the number of rows changed in all."""
        self.flush()
        return self.changed

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.flush()
        elif self._builder is not None:
            # Whoever catches the error knows that the block did not end.
            Unsent.rows -= self._builder.rows
