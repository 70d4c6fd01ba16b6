# The part of a script's interface that is Python itself. Called once, with the functions of the host and the context.
def _whimbrel_interface(native, context):
    class Savepoint:
        def __init__(self):
            # One that is entered again inside itself has several.
            self._numbers = []

        def __enter__(self):
            self._numbers.append(native["open_savepoint"]())
            return self

        def __exit__(self, kind, error, traceback):
            native["end_savepoint"](self._numbers.pop(), kind is None)
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


# Rounds floats as CPython does: to the decimal number that is nearest to the exact value, and to the even one of two as near.
# https://docs.python.org/3/library/functions.html#round
def _whimbrel_rounding(round, isinstance, type, float, int, abs, divmod):
    def beyond_point(number, scale):
        whole = int(abs(number))
        tens, rest = divmod(whole, scale)
        up = 2 * rest > scale or (2 * rest == scale and (whole != abs(number) or tens % 2 == 1))
        rounded = float((tens + up) * scale)
        return -rounded if number < 0 else rounded

    def rounding(number, ndigits=None):
        if not isinstance(number, float) or type(ndigits) is not int or number - number != 0:
            return round(number, ndigits)
        # A float has no digit beyond these.
        if ndigits > 323:
            return number
        if ndigits < -308:
            return 0.0 * number
        return float(f"{number:.{ndigits}f}") if ndigits >= 0 else beyond_point(number, 10**-ndigits)

    return rounding


_whimbrel = _whimbrel_interface(_whimbrel_native, _whimbrel_context)
_whimbrel_keep = _whimbrel_copier(isinstance, dict, list)
_whimbrel_judge = _whimbrel_judging(repr)
round = _whimbrel_rounding(round, isinstance, type, float, int, abs, divmod)
log = _whimbrel_native["log"]
