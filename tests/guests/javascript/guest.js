// The JavaScript fixture of the contract tests. README.md beside this file says what it does and in which order;
// the Python fixture does the same, call for call.
import { progress, write } from "whimbrel:migration/log";

const EXACT = 9007199254740993n; // 2^53 + 1: no JavaScript number holds it.
const MARK = Uint8Array.from("packed", (letter) => letter.charCodeAt(0)); // There is no TextEncoder here.

const integer = (val) => ({ tag: "integer", val });
const text = (val) => (val === null ? { tag: "null" } : { tag: "text", val });

/** Runs `body`; gives it the text of a database error it did not handle, which would otherwise be a bare trap. */
function step(body) {
    return (db, ctx) => {
        try {
            body(db, new Map(ctx.params));
        } catch (error) {
            const cause = error instanceof Error ? error.payload : undefined;
            throw cause?.code ? new Error(`${cause.code}: ${cause.message}`) : error;
        }
    };
}

export const up = step((db, params) => {
    const people = readPeople(db);
    writeNames(db, people);
    checkSavepoints(db, people);
    checkConstraint(db);
    checkCommit(db);
    write("info", `javascript split ${people.length} names`);
    fail(db, params.get("fail"), people.length);
});

export const down = step((db) => {
    const changed = db.execute("UPDATE person SET first_name = NULL, last_name = NULL", []);
    write("info", `javascript cleared ${changed} names`);
});

/** Typed rows, two at a time. */
function readPeople(db) {
    using cursor = db.query("SELECT id, full_name FROM person ORDER BY id", []);
    const columns = cursor.columns().join();
    if (columns !== "id,full_name") throw new Error(`unexpected columns ${columns}`);
    const people = [];
    for (;;) {
        const rows = cursor.next(2);
        if (rows.length === 0) return people;
        for (const [id, fullName] of rows) people.push({ id: id.val, fullName: fullName.val });
    }
}

/** One prepared statement, once a row. */
function writeNames(db, people) {
    using update = db.prepare("UPDATE person SET first_name = ?, last_name = ? WHERE id = ?");
    people.forEach(({ id, fullName }, index) => {
        const [first = null, ...rest] = fullName.split(" ").filter((word) => word !== "");
        const last = rest.length === 0 ? null : rest.join(" ");
        const changed = update.execute([text(first), text(last), integer(id)]);
        if (changed !== 1) throw new Error(`person ${id}: ${changed} rows changed`);
        progress(index + 1, people.length);
    });
}

/** A savepoint that is kept, and inside it one that is rolled back after a packed write was read back exactly. */
function checkSavepoints(db, people) {
    using outer = db.openSavepoint();
    {
        using inner = db.openSavepoint();
        checkPacked(db, people);
        inner.rollback();
    }
    outer.release();
    using cursor = db.query("SELECT count(*) FROM person WHERE full_name = ?", [text("packed")]);
    const [[left]] = cursor.next(1);
    if (left.val !== 0) throw new Error(`the rolled back savepoint left ${left.val} rows`);
}

/** Integers and texts in packed form, both ways. It is the only form in which integers beyond 2^53 are exact here. */
function checkPacked(db, people) {
    const rows = people.length;
    if (rows === 0) return;
    const nothing = new Uint8Array(0);
    const integers = (value) => {
        const view = new DataView(new ArrayBuffer(8 * rows));
        people.forEach((person, row) => view.setBigInt64(8 * row, value(person), true));
        return { kind: 1, tags: nothing, words: new Uint8Array(view.buffer), heap: nothing };
    };
    const marks = { kind: 3, tags: nothing, words: new Uint8Array(8 * rows), heap: new Uint8Array(MARK.length * rows) };
    const view = new DataView(marks.words.buffer);
    for (let row = 0; row < rows; row += 1) {
        view.setUint32(8 * row, MARK.length * row, true);
        view.setUint32(8 * row + 4, MARK.length, true);
        marks.heap.set(MARK, MARK.length * row);
    }
    using update = db.prepare("UPDATE person SET big = ?, full_name = ? WHERE id = ?");
    const columns = [integers(() => EXACT), marks, integers(({ id }) => BigInt(id))];
    const changed = update.executeBatch({ rows, columns });
    if (changed !== rows) throw new Error(`a batch of ${rows} rows changed ${changed}`);

    using cursor = db.query("SELECT id, big, full_name FROM person ORDER BY id", []);
    let done = 0;
    for (let batch; (batch = cursor.nextBatch(0, 0)) !== null; done += batch.rows) {
        checkBatch(batch, people.slice(done, done + batch.rows));
    }
    if (done !== rows) throw new Error(`the batches hold ${done} rows of ${rows}`);
}

function checkBatch(batch, people) {
    const shape = batch.columns.map(({ kind, tags }) => `${kind}:${tags.length}`).join();
    if (shape !== "1:0,1:0,3:0") throw new Error(`the batch has the columns ${shape}`);
    const view = ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength);
    const [ids, bigs, names] = batch.columns.map(({ words }) => view(words));
    const { heap } = batch.columns[2];
    for (let row = 0; row < batch.rows; row += 1) {
        const id = ids.getBigInt64(8 * row, true);
        const big = bigs.getBigInt64(8 * row, true);
        const start = names.getUint32(8 * row, true);
        const name = heap.subarray(start, start + names.getUint32(8 * row + 4, true));
        if (id !== BigInt(people[row].id)) throw new Error(`${id} is not ${people[row].id}`);
        if (big !== EXACT) throw new Error(`${big} is not ${EXACT}`);
        if (name.join() !== MARK.join()) throw new Error(`${name} is not ${MARK}`);
    }
}

/** A typed error to branch on. */
function checkConstraint(db) {
    using savepoint = db.openSavepoint();
    using insert = db.prepare("INSERT INTO person (full_name, code) VALUES ('twin', 'twin of javascript')");
    insert.execute([]);
    expectCode("constraint-unique", () => insert.execute([]));
    savepoint.rollback();
}

/** The transaction is the host's. */
function checkCommit(db) {
    expectCode("denied", () => db.execute("COMMIT", []));
}

function expectCode(expected, action) {
    try {
        action();
    } catch (error) {
        const code = error.payload?.code;
        if (code !== expected) throw error;
        return;
    }
    throw new Error(`${expected} was expected, and nothing happened`);
}

function fail(db, how, rows) {
    switch (how) {
        case "yes":
            throw new Error(`the guest says no: asked to, after ${rows} rows`);
        case "sql":
            db.execute("UPDATE no_such_table SET a = 1", []);
            break;
        case "exception":
            null.nothing(); // An Error of any class is an error of the step, with its message.
            break;
        case "trap":
            throw { unexpected: true }; // What is no Error and no string traps.
    }
}
