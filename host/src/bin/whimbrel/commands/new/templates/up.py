# What it may do. Without these lines it may do whatever this chain is given.
# whimbrel: description = "{description}"
# whimbrel: grants = { read = ["sqlite_schema"] }
from whimbrel import Context, Database, log


def up(db: Database, ctx: Context):
    # Replace this by your own, such as:
    #   for row in db.query("SELECT id, full_name FROM customer WHERE first_name IS NULL"):
    #       first, *rest = row["full_name"].split()
    #       db.execute("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", [first, " ".join(rest), row["id"]])
    tables = db.first("SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table'")["tables"]
    log.info(f"{ctx.name}: {tables} tables")
