# What a migration script finds, for editors. Written by `whimbrel new`; the program does not read it.
from collections.abc import Sequence
from typing import Any, Literal, overload

# What a column holds: NULL is None, a blob is bytes, a boolean is stored as 0 or 1.
type Value = None | bool | int | float | str | bytes
type Row = dict[str, Any]
type Parameters = list[Any] | tuple[Any, ...]

class Savepoint:
    """What is done in it is undone when the block raises: `with db.savepoint(): …`"""

    def __enter__(self) -> Savepoint: ...
    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool: ...

class Cursor:
    """The rows of a query, some at a time: `while rows := cursor.fetch(1000): …`"""

    columns: list[str]
    def fetch(self, count: int = 1000) -> list[Any]: ...
    def close(self) -> None: ...

class SqlError(dict[str, Any]):
    """What db.error() returns: code (such as "constraint-unique"), native, message, row."""

class Database:
    """The step's open transaction. In `verify(db, ctx)`, which returns something true or raises, it only reads."""

    dialect: str
    def execute(self, sql: str, params: Parameters = ()) -> int:
        """Runs one statement; returns how many rows it changed."""

    def executemany(self, sql: str, rows: Sequence[Parameters]) -> int:
        """Runs one statement once for every row of parameters, or for none when it raises: many rows cross at once."""

    @overload
    def query(self, sql: str, params: Parameters = (), rows: Literal["dict"] = "dict") -> list[Row]:
        """Returns all rows."""

    @overload
    def query(self, sql: str, params: Parameters = (), *, rows: Literal["tuple"]) -> list[tuple[Any, ...]]: ...
    def first(self, sql: str, params: Parameters = (), rows: Literal["dict", "tuple"] = "dict") -> Any:
        """Returns the first row, or None."""

    def cursor(self, sql: str, params: Parameters = (), rows: Literal["dict", "tuple"] = "dict") -> Cursor: ...
    def savepoint(self) -> Savepoint: ...
    def error(self) -> SqlError | None:
        """Tells more of the statement that failed last: it raised ValueError for a constraint, PermissionError for what
        is not granted, RuntimeError for everything else."""

class Context:
    chain: str
    version: str
    name: str
    tenant: str | None
    dry_run: bool
    started_at: int
    """Recorded start of the run, in milliseconds since 1970: what datetime.now() says too."""
    seed: int
    params: dict[str, str]
    """What `[params]` of the manifest gives."""

class Log:
    def debug(self, *values: Any) -> None: ...
    def info(self, *values: Any) -> None: ...
    def warn(self, *values: Any) -> None: ...
    def error(self, *values: Any) -> None: ...
    def progress(self, done: int, total: int | None = None) -> None: ...

log: Log
