"""The packed form of rows; packed.md beside the contract is its specification. Needs no host."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Protocol, Union

NULL, INTEGER, REAL, TEXT, BLOB, BOOLEAN, MIXED = 0, 1, 2, 3, 4, 5, 255

MAX_ROWS = 1 << 20
MAX_COLUMNS = 32767

Cell = Union[None, bool, int, float, str, bytes]

_WORD = struct.Struct("<Q")
_INTEGER = struct.Struct("<q")
_REAL = struct.Struct("<d")
_RANGE = struct.Struct("<II")


class RawColumn(Protocol):
    """One column as the contract has it."""

    kind: int
    tags: bytes
    words: bytes
    heap: bytes


class RawBatch(Protocol):
    """Rows as the contract has them."""

    rows: int

    @property
    def columns(self) -> Sequence[RawColumn]: ...


class Column:
    """One column in packed form."""

    __slots__ = ("kind", "tags", "words", "heap")

    def __init__(self, kind: int, tags: bytes, words: bytes, heap: bytes) -> None:
        self.kind, self.tags, self.words, self.heap = kind, tags, words, heap


class Batch:
    """Rows in packed form."""

    __slots__ = ("rows", "columns")

    def __init__(self, rows: int, columns: list[Column]) -> None:
        self.rows, self.columns = rows, columns


class MalformedBatch(Exception):
    """What is wrong with a batch, and where; None where it concerns no single column or row."""

    def __init__(self, reason: str, column: int | None = None, row: int | None = None) -> None:
        where = "" if column is None else f", column {column}"
        where += "" if row is None else f", row {row}"
        super().__init__(f"malformed batch{where}: {reason}")
        self.reason, self.column, self.row = reason, column, row


class CheckedBatch:
    """A batch whose columns were all checked."""

    __slots__ = ("rows", "columns")

    def __init__(self, batch: RawBatch) -> None:
        if batch.rows > MAX_ROWS:
            raise MalformedBatch("too-many-rows")
        if len(batch.columns) > MAX_COLUMNS:
            raise MalformedBatch("too-many-columns")
        for index, column in enumerate(batch.columns):
            fault = _check(column, batch.rows)
            if fault is not None:
                raise MalformedBatch(fault[0], index, fault[1])
        self.rows = batch.rows
        self.columns = batch.columns

    def kind(self, row: int, column: int) -> int:
        """Return the code of a cell's kind."""
        raw = self.columns[column]
        return raw.tags[row] if raw.tags else raw.kind

    def cell(self, row: int, column: int) -> Cell:
        """Return a cell."""
        return _cell(self.columns[column], row)

    def cells(self, column: int) -> list[Cell]:
        """Return all cells of a column at once: faster than one by one."""
        raw = self.columns[column]
        if not raw.tags and raw.kind == INTEGER:
            return list(struct.unpack(f"<{self.rows}q", raw.words))
        if not raw.tags and raw.kind == TEXT:
            heap = raw.heap
            return [str(heap[start : start + length], "utf-8") for start, length in _RANGE.iter_unpack(raw.words)]
        return [_cell(raw, row) for row in range(self.rows)]


def _cell(raw: RawColumn, row: int) -> Cell:
    kind = raw.tags[row] if raw.tags else raw.kind
    at = row * 8
    if kind == NULL:
        return None
    if kind == INTEGER:
        integer: int = _INTEGER.unpack_from(raw.words, at)[0]
        return integer
    if kind == REAL:
        real: float = _REAL.unpack_from(raw.words, at)[0]
        return real
    if kind == BOOLEAN:
        return raw.words[at] == 1
    start, length = _RANGE.unpack_from(raw.words, at)
    heap = raw.heap[start : start + length]
    return str(heap, "utf-8") if kind == TEXT else bytes(heap)


def _valid_up_to(text: bytes) -> int:
    try:
        str(text, "utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return len(text)


def _check(column: RawColumn, rows: int) -> tuple[str, int | None] | None:
    """Return what is wrong with a column and in which row, or nothing."""
    kind, tags, words, heap = column.kind, column.tags, column.words, column.heap
    mixed = kind == MIXED
    if kind > BOOLEAN and not mixed:
        return "unknown-kind", None
    if len(words) != rows * 8:
        return "words-length", None
    if tags and len(tags) != rows:
        return "tags-length", None
    if mixed and not tags and rows:
        return "tags-missing", None
    for row, tag in enumerate(tags):
        if tag > BOOLEAN:
            return "unknown-tag", row
        if not mixed and tag not in (NULL, kind):
            return "tag-mismatch", row
    if not mixed and kind not in (TEXT, BLOB) and heap:
        return "heap-unused", None
    if not tags and kind in (INTEGER, REAL):
        return None
    valid = _valid_up_to(heap) if kind == TEXT else len(heap)
    whole = valid == len(heap)
    total = 0
    for row, (start, length) in enumerate(_RANGE.iter_unpack(words)):
        code = tags[row] if tags else kind
        if code == NULL and (start or length):
            return "null-word", row
        if code == BOOLEAN and (start > 1 or length):
            return "boolean-word", row
        if code not in (TEXT, BLOB):
            continue
        end = start + length
        if end > len(heap):
            return "heap-range", row
        if kind == TEXT and whole and (_cuts(heap, start) or _cuts(heap, end)):
            return "utf8", row
        total += length
        if total > len(heap):
            return "heap-shared", row
        if mixed and code == TEXT and _valid_up_to(bytes(heap[start:end])) != length:
            return "utf8", row
    if whole:
        return None
    for row, (start, length) in enumerate(_RANGE.iter_unpack(words)):
        if start <= valid < start + length:
            return "utf8", row
    return "utf8", None


def _cuts(heap: bytes, at: int) -> bool:
    return at < len(heap) and heap[at] & 0xC0 == 0x80


class _Building:
    __slots__ = ("kind", "rows", "tags", "words", "heap")

    def __init__(self) -> None:
        self.kind, self.rows = NULL, 0
        self.tags, self.words, self.heap = bytearray(), bytearray(), bytearray()

    def push(self, kind: int, word: bytes) -> None:
        self.words += word
        if kind != self.kind or self.tags:
            if not self.tags:
                self.tags += bytes([self.kind]) * self.rows
            if kind not in (NULL, self.kind):
                self.kind = kind if self.kind == NULL else MIXED
            if self.rows:
                self.tags.append(kind)
        self.rows += 1


class BatchBuilder:
    """Builds batches cell by cell."""

    def __init__(self, columns: int) -> None:
        self._columns = [_Building() for _ in range(columns)]
        self.bytes = 0

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self._columns)

    @property
    def rows(self) -> int:
        """The number of cells of the last column."""
        return self._columns[-1].rows if self._columns else 0

    def push(self, column: int, value: Cell) -> None:
        """Append a cell."""
        building = self._columns[column]
        if isinstance(value, str):
            self._push_bytes(building, TEXT, value.encode("utf-8"))
        elif value is None:
            building.push(NULL, bytes(8))
        elif isinstance(value, bool):
            building.push(BOOLEAN, _INTEGER.pack(value))
        elif isinstance(value, int):
            try:
                building.push(INTEGER, _INTEGER.pack(value))
            except struct.error:
                raise OverflowError(f"{value} does not fit into 64 bits") from None
        elif isinstance(value, float):
            building.push(REAL, _REAL.pack(value))
        elif isinstance(value, (bytes, bytearray, memoryview)):
            self._push_bytes(building, BLOB, bytes(value))
        else:
            raise TypeError(f"a {type(value).__name__} cannot be stored")

    def _push_bytes(self, building: _Building, kind: int, value: bytes) -> None:
        start = len(building.heap)
        building.heap += value
        self.bytes += len(value)
        building.push(kind, _RANGE.pack(start, len(value)))

    def copy(self, column: int, batch: CheckedBatch, row: int, source: int) -> None:
        """Append a cell of a checked batch as it is, bit for bit."""
        if batch.kind(row, source) == REAL:
            self._columns[column].push(REAL, bytes(batch.columns[source].words[row * 8 : row * 8 + 8]))
        else:
            self.push(column, batch.cell(row, source))

    def finish(self) -> Batch:
        """Return the batch; the builder starts anew."""
        rows = self.rows
        if any(building.rows != rows for building in self._columns):
            raise ValueError("the columns of the batch have different numbers of cells")
        columns = [Column(each.kind, bytes(each.tags), bytes(each.words), bytes(each.heap)) for each in self._columns]
        self._columns = [_Building() for _ in columns]
        self.bytes = 0
        return Batch(rows, columns)
