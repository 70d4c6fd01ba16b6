"""Pure functions from rows to rows. Needs no host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .packed import Batch, BatchBuilder, Cell, CheckedBatch, RawBatch
from .rows import Columns, Row


@dataclass
class Context:
    """What a migration may know about the run. There is no other clock and no randomness."""

    chain: str = ""
    version: str = ""
    name: str = ""
    tenant: str | None = None
    dry_run: bool = False
    started_at: int = 0
    seed: int = 0
    params: Sequence[tuple[str, str]] = field(default_factory=list)

    def param(self, name: str) -> str | None:
        """Return what the manifest's [params] gives for a name."""
        return next((value for key, value in self.params if key == name), None)

    def all(self, name: str) -> list[str]:
        """Return every value of a name."""
        return [value for key, value in self.params if key == name]


class Failure(Exception):
    """Why a batch was not transformed."""

    def __init__(self, row: int, cause: Exception) -> None:
        super().__init__(message(cause))
        self.row, self.cause = row, cause


def message(error: BaseException) -> str:
    """Say what an exception says; a mistake in the program also says what it is."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if type(error) in (Exception, RuntimeError, ValueError) and text:
        return text
    name = type(error).__name__
    return text if name == "SqlError" else f"{name}: {text}" if text else name


class RowOut:
    """What becomes of a row: the columns that the manifest writes."""

    def __init__(self, read: Columns, write: Columns, into: bool) -> None:
        self._read, self._write, self._shift = read, write, 1 if into else 0
        self.builder = BatchBuilder(len(write.names) + self._shift)
        self._set = [False] * len(write.names)
        self._any = False
        self._rows = 0
        self._index = 0

    def set(self, name: str, value: Cell) -> None:
        """Set one column. What is not set keeps its value if it is also read; in another table it is NULL."""
        at = self._write.find(name)
        if self._set[at] or self._rows:
            raise ValueError(f"the transform set {name} twice")
        self._set[at] = self._any = True
        self.builder.push(at + self._shift, value)

    def row(self, *values: Cell) -> None:
        """Give a whole row: in place exactly one, into another table as many as there are."""
        width = len(self._write.names)
        if len(values) != width:
            raise ValueError(f"the transform gave a row of {len(values)} cells, and {width} are written")
        if self._any or (self._rows and not self._shift):
            raise ValueError("the transform gave more than one row for a row that is updated in place")
        if self._shift:
            self.builder.push(0, self._index)
        for at, value in enumerate(values):
            self.builder.push(at + self._shift, value)
        self._rows += 1

    def end(self, row: Row, batch: CheckedBatch, index: int) -> None:
        """Fill in what was not set, and begin the next row."""
        if self._any or (not self._rows and not self._shift):
            if self._shift:
                self.builder.push(0, self._index)
            for at, name in enumerate(self._write.names):
                if self._set[at]:
                    self._set[at] = False
                elif self._shift:
                    self.builder.push(at + 1, None)
                elif name in self._read.index:
                    self.builder.copy(at, batch, index, self._read.index[name])
                else:
                    raise ValueError(f"the transform did not set {name}; to keep its value, it has to be read too")
        self._any = False
        self._rows = 0
        self._index = index + 1


Transform = Callable[[Row, RowOut, Context], None]


def apply(transform: Transform, raw: RawBatch, ctx: Context) -> Batch:
    """Run a transform over a batch, as the host does."""
    read = Columns(ctx.all("whimbrel.read"))
    out = RowOut(read, Columns(ctx.all("whimbrel.write")), bool(ctx.all("whimbrel.into")))
    batch = CheckedBatch(raw)
    if len(batch.columns) != len(read.names):
        raise ValueError("the batch has other columns than the manifest reads")
    for index in range(batch.rows):
        row = Row(batch, read, index)
        try:
            transform(row, out, ctx)
            out.end(row, batch, index)
        except Exception as error:
            raise Failure(index, error) from error
    return out.builder.finish()


def transform_rows(
    transform: Transform,
    rows: Sequence[Sequence[Cell]],
    *,
    read: Sequence[str],
    write: Sequence[str],
    into: str | None = None,
    params: dict[str, str] | None = None,
) -> list[list[Cell]]:
    """Run a transform over rows of cells, for tests."""
    pairs = [*(params or {}).items(), *(("whimbrel.read", name) for name in read)]
    pairs += [("whimbrel.write", name) for name in write]
    if into is not None:
        pairs.append(("whimbrel.into", into))
    builder = BatchBuilder(len(read))
    for row in rows:
        for column, value in enumerate(row):
            builder.push(column, value)
    batch = CheckedBatch(apply(transform, builder.finish(), Context(params=pairs)))
    return [[batch.cell(row, column) for column in range(len(batch.columns))] for row in range(batch.rows)]
