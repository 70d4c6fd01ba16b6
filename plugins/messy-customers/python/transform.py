"""The same as a transform: the host reads and writes."""

from rules import cents, email, name, phone
from verify import verify
from whimbrel_guest import Context, Row, RowOut, export_transform


def mend(row: Row, out: RowOut, ctx: Context) -> None:
    """Make the columns that the manifest writes of one customer."""
    typed = row.text_or_none("email")
    key = email(typed)
    if ctx.param("strict") == "yes" and typed is not None and key is None:
        raise ValueError(f"customer {row.integer('id')}: not an e-mail address: {typed}")
    first, last = name(row.text_or_none("full_name"))
    out.row(first, last, key, phone(row.text_or_none("phone")), cents(row.text_or_none("balance")))


WitWorld = export_transform(mend, verify=verify)
