"""Rows, whose cells are read by the column's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .packed import BLOB, BOOLEAN, INTEGER, NULL, REAL, TEXT, Cell, CheckedBatch

_NAMES = ("NULL", "an integer", "a real number", "a text", "a blob", "a boolean")


class Columns:
    """The names of a batch's columns."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.index: dict[str, int] = {}
        for at, name in enumerate(self.names):
            self.index.setdefault(name, at)

    def find(self, name: str | int) -> int:
        """Return a column's number; SQL's names do not care about case."""
        if isinstance(name, int):
            if 0 <= name < len(self.names):
                return name
        else:
            at = self.index.get(name)
            if at is not None:
                return at
            for at, other in enumerate(self.names):
                if other.lower() == name.lower():
                    self.index[name] = at
                    return at
        raise KeyError(f"the query has no column {name}, only {', '.join(self.names)}")


class Row:
    """One row of a checked batch; `row["name"]` gives any cell, the getters say what they expect."""

    __slots__ = ("_batch", "_columns", "_index")

    def __init__(self, batch: CheckedBatch, columns: Columns, index: int) -> None:
        self._batch, self._columns, self._index = batch, columns, index

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._columns.names

    def __getitem__(self, name: str | int) -> Cell:
        return self._batch.cell(self._index, self._columns.find(name))

    def __iter__(self) -> Any:
        return (self._batch.cell(self._index, at) for at in range(len(self._columns.names)))

    def is_null(self, name: str) -> bool:
        """Tell whether a cell is NULL."""
        return self._batch.kind(self._index, self._columns.find(name)) == NULL

    def integer(self, name: str) -> int:
        """Read an integer."""
        value = self._typed(name, "an integer", INTEGER)
        assert isinstance(value, int)
        return value

    def integer_or_none(self, name: str) -> int | None:
        """Read an integer, or None."""
        return None if self.is_null(name) else self.integer(name)

    def real(self, name: str) -> float:
        """Read a number."""
        value = self._typed(name, "a number", REAL, INTEGER)
        assert isinstance(value, (int, float))
        return float(value)

    def boolean(self, name: str) -> bool:
        """Read a boolean, or an integer that is 0 or 1."""
        value = self._typed(name, "a boolean", BOOLEAN, INTEGER)
        if value not in (0, 1):
            raise ValueError(f"column {name}: expected a boolean, found the integer {value!r}")
        return bool(value)

    def text(self, name: str) -> str:
        """Read a text."""
        value = self._typed(name, "a text", TEXT)
        assert isinstance(value, str)
        return value

    def text_or_none(self, name: str) -> str | None:
        """Read a text, or None."""
        return None if self.is_null(name) else self.text(name)

    def blob(self, name: str) -> bytes:
        """Read a blob."""
        value = self._typed(name, "a blob", BLOB)
        assert isinstance(value, bytes)
        return value

    def _typed(self, name: str, expected: str, *kinds: int) -> Cell:
        at = self._columns.find(name)
        found = self._batch.kind(self._index, at)
        if found not in kinds:
            raise TypeError(f"column {name}: expected {expected}, found {_NAMES[found]}")
        return self._batch.cell(self._index, at)
