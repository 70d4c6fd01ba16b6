from collections.abc import Iterator
from contextlib import contextmanager

from whimbrel_guest import Context, SqlError, Transaction, export, log, progress


@contextmanager
def fails() -> Iterator[None]:
    try:
        yield
    except SqlError as error:
        kinds = {
            "denied": error.is_denied,
            "limit": error.is_limit,
            "constraint": error.is_constraint,
            "database": error.is_database,
        }
        kind = " ".join(name for name, found in kinds.items() if found)
        log.info(f"{kind} {error.code}" + ("" if error.row is None else f" in row {error.row}"))
    else:
        raise AssertionError("nothing failed")


class Undo(Exception):
    pass


def savepoints(tx: Transaction) -> None:
    change = "UPDATE person SET last_name = ?"
    with tx.savepoint():
        tx.execute(change, "outer")
        try:
            with tx.savepoint():
                tx.execute(change, "inner")
                raise Undo
        except Undo:
            pass
    tx.execute("UPDATE person SET first_name = last_name")


def up(tx: Transaction, ctx: Context) -> None:
    if ctx.param("do") == "limit":
        with fails():
            tx.execute("SELECT ?, ?, ?", 1, 2, 3)
        return
    if ctx.param("do") == "leave":
        writer = tx.prepare("UPDATE person SET code = ? WHERE id = ?").writer()
        for number in range(3):
            writer.row("left", number + 1)
        return
    progress(1, 2)
    savepoints(tx)
    with fails():
        tx.execute("COMMIT")
    with fails():
        tx.execute("INSERT INTO person (full_name) VALUES (NULL)")
    with fails():
        tx.execute("SELEKT 1")
    with fails(), tx.prepare("UPDATE person SET code = ? WHERE id = ?") as update, update.writer() as writer:
        writer.row("a", 1)
        writer.row("b", 2)
        writer.row("a", 3)
    progress(2)


WitWorld = export(up)
