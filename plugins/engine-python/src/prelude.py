# The part of a script's interface that is Python itself. Called once, with the functions of the host and the context.
def _whimbrel_interface(native, context):
    class Savepoint:
        def __enter__(self):
            self._number = native["open_savepoint"]()
            return self

        def __exit__(self, kind, error, traceback):
            native["end_savepoint"](self._number, kind is None)
            return False

    class Cursor:
        def __init__(self, number, columns):
            self._number = number
            self.columns = columns

        def fetch(self, count=1000):
            return native["fetch"](self._number, count)

        def close(self):
            native["close"](self._number)

        def __iter__(self):
            raise TypeError("a cursor cannot be iterated: while rows := cursor.fetch(1000): for row in rows: …")

    class Database:
        def savepoint(self):
            return Savepoint()

        def cursor(self, sql, params=(), rows="dict"):
            number, columns = native["cursor"](sql, params, rows)
            return Cursor(number, columns)

    class Context:
        pass

    # These are the host's functions themselves, so that an error in them is at the script's own line.
    db = Database()
    for name in ("execute", "executemany", "query", "first", "error"):
        setattr(db, name, native[name])
    db.dialect = context["dialect"]
    ctx = Context()
    for name in ("chain", "version", "name", "tenant", "dry_run", "started_at", "seed", "params"):
        setattr(ctx, name, context[name])
    return db, ctx


# Copies what a transform returned: its cells are read after the last row, and the script may fill the same dict again.
# The names are parameters, since a script may have others of the same name.
def _whimbrel_copier(isinstance, dict, list):
    def copy(row):
        if isinstance(row, dict):
            return dict(row)
        return list(row) if isinstance(row, list) else row

    def keep(result):
        if isinstance(result, list):
            return [copy(row) for row in result]
        return copy(result)

    return keep


# Says what an answer is that counts as false; nothing for one that is true.
def _whimbrel_judging(repr):
    def judge(answer):
        return None if answer else repr(answer)

    return judge


_whimbrel = _whimbrel_interface(_whimbrel_native, _whimbrel_context)
_whimbrel_keep = _whimbrel_copier(isinstance, dict, list)
_whimbrel_judge = _whimbrel_judging(repr)
log = _whimbrel_native["log"]
