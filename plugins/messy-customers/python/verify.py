"""Whether every name that somebody typed was split; asked after the work, and by `whimbrel verify --deep`."""

from whimbrel_guest import Context, Transaction

UNNAMED = """
    SELECT count(*) AS unnamed FROM customer WHERE first_name IS NULL AND last_name IS NULL
    AND trim(full_name, ' ,' || char(9, 10, 13, 160)) <> ''
"""


def verify(tx: Transaction, ctx: Context) -> bool:
    """Look for customers whose name was lost."""
    for row in tx.query(UNNAMED):
        unnamed = row.integer("unnamed")
        if unnamed:
            raise ValueError(f"{unnamed} customers lost their name")
    return True
