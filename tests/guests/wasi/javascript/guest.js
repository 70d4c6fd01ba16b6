// Asks everything the world could tell, and writes down the answers.

const text = (value) => ({ tag: "text", val: String(value) });

/** The name of the error, or what was not refused. */
function failure(action) {
    try {
        return `allowed: ${action()}`;
    } catch (error) {
        return error.name;
    }
}

/** How often a loop that waits for the clock goes round. */
function loops(milliseconds) {
    if (globalThis.performance === undefined) return "no clock";
    const end = performance.now() + milliseconds;
    let rounds = 0;
    while (performance.now() < end) rounds += 1;
    return rounds;
}

export function up(db, ctx) {
    const params = new Map(ctx.params);
    db.execute("CREATE TABLE told (what TEXT PRIMARY KEY, answer TEXT)", []);
    using insert = db.prepare("INSERT INTO told VALUES (?, ?)");
    const answers = {
        time: () => Date.now(),
        today: () => new Date().toISOString(),
        zone: () => new Date().getTimezoneOffset(),
        loops: () => loops(1000),
        random: () => Math.random(),
        keys: () => Object.keys({ b: 1, a: 2, 1: 3 }).join(),
        process: () => failure(() => process.env.HOME),
        fetch: () => failure(() => fetch("http://example.org")),
        nan: () => new DataView(Float64Array.of(Infinity - Infinity).buffer).getBigUint64(0).toString(16),
    };
    for (const [what, answer] of Object.entries(answers)) insert.execute([text(what), text(answer())]);
    if (params.has("fail")) throw { unexpected: true };
}
