"""Splits names as a script does it that is written to be fast: sqlite3 and executemany."""

import sqlite3
import sys

PARTICLES = {"van", "von", "der", "den", "de", "la", "di", "bin"}

WRITE = {
    "insert": "INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)",
    "update": "UPDATE person SET first_name = ?, last_name = ?, name_key = ? WHERE id = ?",
}


def split(full):
    full = full.strip()
    cut = full.rfind(" ") + 1
    while cut > 0:
        start = full.rfind(" ", 0, cut - 1) + 1
        if start == 0 or full[start : cut - 1] not in PARTICLES:
            break
        cut = start
    first, last = full[:cut].rstrip(), full[cut:]
    return first, last, f"{last.lower()} {first.lower()}"


def main(work, database):
    connection = sqlite3.connect(database)
    rows = connection.cursor().execute("SELECT id, full_name FROM person ORDER BY id")
    with connection:
        connection.executemany(WRITE[work], ((*split(name), key) for key, name in rows))
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
