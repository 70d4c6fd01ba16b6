"""Row by row: reads all customers, writes what the rules make of them."""

from rules import cents, email, name, phone
from verify import verify
from whimbrel_guest import Context, Transaction, export, log

UPDATE = "UPDATE customer SET first_name = ?, last_name = ?, email_key = ?, phone_key = ?, cents = ? WHERE id = ?"


def up(tx: Transaction, ctx: Context) -> None:
    """Mend all customers."""
    strict = ctx.param("strict") == "yes"
    with tx.prepare(UPDATE) as update, update.writer() as writer:
        for row in tx.query("SELECT id, full_name, email, phone, balance FROM customer ORDER BY id"):
            typed = row.text_or_none("email")
            key = email(typed)
            if strict and typed is not None and key is None:
                raise ValueError(f"customer {row.integer('id')}: not an e-mail address: {typed}")
            first, last = name(row.text_or_none("full_name"))
            balance = cents(row.text_or_none("balance"))
            writer.row(first, last, key, phone(row.text_or_none("phone")), balance, row.integer("id"))
        changed = writer.finish()
    log.info(f"mended {changed} customers")


def down(tx: Transaction, ctx: Context) -> None:
    """Forget what was made of them."""
    tx.execute(
        "UPDATE customer SET first_name = NULL, last_name = NULL, email_key = NULL, phone_key = NULL, cents = NULL"
    )


WitWorld = export(up, down, verify=verify)
