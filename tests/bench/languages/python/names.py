from collections.abc import Callable

from whimbrel_guest import Context, Transaction, export

WRITE = "INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)"


def each(tx: Transaction, write: Callable[[str, str, str, int], object]) -> None:
    for row in tx.query("SELECT id, full_name FROM person ORDER BY id"):
        first, _, last = row.text("full_name").rpartition(" ")
        write(first, last, f"{last} {first}", row.integer("id"))


def up(tx: Transaction, ctx: Context) -> None:
    form = ctx.param("form")
    if form == "trivial":
        tx.execute("CREATE TABLE trivial (id INTEGER PRIMARY KEY)")
        return
    with tx.prepare(WRITE) as statement:
        if form == "packed":
            with statement.writer() as writer:
                each(tx, writer.row)
        elif form == "row-wise":
            each(tx, statement.execute)
        else:
            raise ValueError(f"unknown form {form}")


WitWorld = export(up)
