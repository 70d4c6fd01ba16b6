"""The Python fixture of the contract tests.

README.md beside this file says what it does and in which order; the JavaScript fixture does the same, call for call.
"""

import struct
from functools import wraps

import wit_world
from componentize_py_types import Err
from wit_world.imports import log
from wit_world.imports.types import (
    Batch,
    Column,
    SqlError,
    Value_Integer,
    Value_Null,
    Value_Text,
)

EXACT = 9007199254740993  # 2**53 + 1
MARK = b"packed"


def text(value):
    return Value_Null() if value is None else Value_Text(value)


def step(body):
    """Run `body`; give it the text of a database error it did not handle, which would otherwise be a bare trap."""

    @wraps(body)
    def call(self, db, ctx):
        try:
            body(db, dict(ctx.params))
        except Err as error:
            if isinstance(error.value, SqlError):
                raise Err(f"{error.value.code}: {error.value.message}")
            raise

    return call


def read_people(db):
    """Typed rows, two at a time."""
    with db.query("SELECT id, full_name FROM person ORDER BY id", []) as cursor:
        columns = ",".join(cursor.columns())
        if columns != "id,full_name":
            raise Err(f"unexpected columns {columns}")
        people = []
        while rows := cursor.next(2):
            people += [(id.value, full_name.value) for id, full_name in rows]
        return people


def write_names(db, people):
    """One prepared statement, once a row."""
    with db.prepare("UPDATE person SET first_name = ?, last_name = ? WHERE id = ?") as update:
        for index, (id, full_name) in enumerate(people):
            words = [word for word in full_name.split(" ") if word]
            first = words[0] if words else None
            last = " ".join(words[1:]) or None
            changed = update.execute([text(first), text(last), Value_Integer(id)])
            if changed != 1:
                raise Err(f"person {id}: {changed} rows changed")
            log.progress(index + 1, len(people))


def check_savepoints(db, people):
    """A savepoint that is kept, and inside it one that is rolled back after a packed write was read back exactly."""
    with db.open_savepoint() as outer:
        with db.open_savepoint() as inner:
            check_packed(db, people)
            inner.rollback()
        outer.release()
    with db.query("SELECT count(*) FROM person WHERE full_name = ?", [text("packed")]) as cursor:
        [[left]] = cursor.next(1)
    if left.value != 0:
        raise Err(f"the rolled back savepoint left {left.value} rows")


def check_packed(db, people):
    """Integers and texts in packed form, both ways."""
    rows = len(people)
    if rows == 0:
        return

    def integers(values):
        return Column(kind=1, tags=b"", words=struct.pack(f"<{rows}q", *values), heap=b"")

    spans = (number for row in range(rows) for number in (len(MARK) * row, len(MARK)))
    marks = Column(kind=3, tags=b"", words=struct.pack(f"<{2 * rows}I", *spans), heap=MARK * rows)
    with db.prepare("UPDATE person SET big = ?, full_name = ? WHERE id = ?") as update:
        columns = [integers([EXACT] * rows), marks, integers(id for id, _ in people)]
        changed = update.execute_batch(Batch(rows, columns))
    if changed != rows:
        raise Err(f"a batch of {rows} rows changed {changed}")

    with db.query("SELECT id, big, full_name FROM person ORDER BY id", []) as cursor:
        done = 0
        while batch := cursor.next_batch(0, 0):
            check_batch(batch, people[done : done + batch.rows])
            done += batch.rows
    if done != rows:
        raise Err(f"the batches hold {done} rows of {rows}")


def check_batch(batch, people):
    shape = ",".join(f"{column.kind}:{len(column.tags)}" for column in batch.columns)
    if shape != "1:0,1:0,3:0":
        raise Err(f"the batch has the columns {shape}")
    ids, bigs, names = (column.words for column in batch.columns)
    heap = batch.columns[2].heap
    cells = zip(struct.iter_unpack("<q", ids), struct.iter_unpack("<q", bigs), struct.iter_unpack("<II", names))
    for ((id,), (big,), (start, length)), (expected, _) in zip(cells, people, strict=True):
        if id != expected:
            raise Err(f"{id} is not {expected}")
        if big != EXACT:
            raise Err(f"{big} is not {EXACT}")
        if (name := heap[start : start + length]) != MARK:
            raise Err(f"{name} is not {MARK}")


def check_constraint(db):
    """A typed error to branch on."""
    with db.open_savepoint() as savepoint:
        with db.prepare("INSERT INTO person (full_name, code) VALUES ('twin', 'twin of python')") as insert:
            insert.execute([])
            expect_code("constraint-unique", lambda: insert.execute([]))
        savepoint.rollback()


def check_commit(db):
    """The transaction is the host's."""
    expect_code("denied", lambda: db.execute("COMMIT", []))


def expect_code(expected, action):
    try:
        action()
    except Err as error:
        if error.value.code != expected:
            raise
        return
    raise Err(f"{expected} was expected, and nothing happened")


def fail(db, how, rows):
    match how:
        case "yes":
            raise Err(f"the guest says no: asked to, after {rows} rows")
        case "sql":
            db.execute("UPDATE no_such_table SET a = 1", [])
        case "exception" | "trap":
            raise RuntimeError("unexpected")  # Every exception but Err traps.


class WitWorld(wit_world.WitWorld):
    @step
    def up(db, params):
        people = read_people(db)
        write_names(db, people)
        check_savepoints(db, people)
        check_constraint(db)
        check_commit(db)
        log.write(log.Level.INFO, f"python split {len(people)} names")
        fail(db, params.get("fail"), len(people))

    @step
    def down(db, params):
        changed = db.execute("UPDATE person SET first_name = NULL, last_name = NULL", [])
        log.write(log.Level.INFO, f"python cleared {changed} names")
