def up(db):
    db.execute("UPDATE customer SET age = 1")
    rows = []

    class Nasty:
        def __eq__(self, other):
            rows.clear()
            return True

        def __lt__(self, other):
            rows.clear()
            return True

        def __hash__(self):
            rows.append(self)
            return 1

        def __repr__(self):
            rows.clear()
            return "x" * 10

        def __len__(self):
            return 10 ** 30

        def __bool__(self):
            raise ValueError("no")

        def __iter__(self):
            return self

        def __next__(self):
            rows.append(self)
            return self

        def __index__(self):
            rows.clear()
            return 10 ** 30

    rows.extend([Nasty() for _ in range(1000)])
    for attempt in [
        lambda: rows.sort(), lambda: sorted(rows, key=lambda row: rows.pop()), lambda: rows.index(Nasty()),
        lambda: rows == rows[:], lambda: repr(rows), lambda: {row: 1 for row in rows}, lambda: set(rows),
        lambda: len(Nasty()), lambda: [1][Nasty()], lambda: [0] * Nasty(), lambda: rows.remove(Nasty()),
        lambda: db.executemany("INSERT INTO audit (text) VALUES (?)", rows), lambda: db.execute("SELECT ?", [Nasty()]),
        lambda: [rows.clear() for row in rows], lambda: max(rows),
        lambda: print(Nasty()), lambda: list(map(lambda row: rows.clear(), rows)), lambda: range(Nasty()),
        lambda: rows.extend(rows), lambda: rows.insert(Nasty(), 1), lambda: "x" * Nasty(), lambda: rows[Nasty():],
    ]:
        if not rows:
            rows.extend([Nasty() for _ in range(1000)])
        try:
            attempt()
        except Exception:
            pass
        if len(rows) > 100000:
            rows.clear()
    raise ValueError("still here")
