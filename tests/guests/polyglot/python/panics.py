from whimbrel_guest import Context, Transaction, export


def explode(numbers: list[int]) -> int:
    return numbers[7]


def up(tx: Transaction, ctx: Context) -> None:
    tx.execute("UPDATE person SET first_name = 'gone'")
    explode([])


WitWorld = export(up)
