"""Errors of the database, by what kind of failure they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class SqlError(Exception):
    """Why a statement failed; `code` is one of an open set: denied, limit, constraint-unique, busy, …"""

    def __init__(self, raw: Any, sent: int = 0) -> None:
        self.code: str = raw.code
        self.native: str = raw.native
        self.row: int | None = None if raw.row is None else raw.row + sent
        self.offset: int | None = raw.offset
        self.details: dict[str, str] = dict(raw.details)
        text = raw.message + (f" ({raw.native})" if raw.native else "")
        super().__init__(text + ("" if self.row is None else f", row {self.row} of the batch"))

    @property
    def is_denied(self) -> bool:
        """Something was asked for that was not granted."""
        return self.code == "denied"

    @property
    def is_limit(self) -> bool:
        """A limit of the host was reached."""
        return self.code == "limit"

    @property
    def is_constraint(self) -> bool:
        """A constraint of the database failed."""
        return self.code.startswith("constraint")

    @property
    def is_database(self) -> bool:
        """The database failed in another way."""
        return not (self.is_denied or self.is_limit or self.is_constraint)


def ask(action: Callable[[], T], sent: int = 0) -> T:
    """Call the host; what it raises becomes a SqlError."""
    try:
        return action()
    except Exception as error:
        raw = getattr(error, "value", None)
        if hasattr(raw, "code"):
            raise SqlError(raw, sent) from None
        raise
