//! The list: every threat, the guest that tries it, what it is given, and how it must end.

use super::made;

/// What tries it.
#[derive(Clone, Copy)]
pub(super) enum Guest {
    /// A file of `wat/`.
    Text(&'static str),
    /// A file of `sql/`, tried through a component and as a script, each line as a statement of its own. A line that
    /// begins with `+` is to be done; every other is to be refused.
    Statements(&'static str),
    /// The same, through a component only.
    Calls(&'static str),
    /// A file of `scripts/`.
    Script(&'static str),
    /// A file of `scripts/`: each line an expression that is not to come to its end.
    Attempts(&'static str),
    /// A script in Python that this program writes.
    Written(&'static str, fn() -> String),
    /// Bytes that this program makes.
    Made(&'static str, fn() -> Vec<u8>),
    /// What `tests/guests/rust` does when it is told so.
    Behaves(&'static str),
}

/// How it must end.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// Refused for want of a grant, or because no grant allows it.
    Denied,
    /// The database does not do it; the words begin so.
    Fails(&'static str),
    /// This limit was met.
    Limit(&'static str),
    /// A trap whose reason has these words.
    Traps(&'static str),
    /// The guest returns an error that begins so.
    Says(&'static str),
    /// The script ends with an error of this kind, in the engine's words and then in those of the language.
    Raises(&'static str, &'static str),
    /// The script meets a limit, or ends with an error.
    Stops,
    /// It ends or leaves something that it must not.
    Savepoint,
    /// It ended the transaction.
    Ended,
    /// It is not even begun; the reason has these words.
    Refused(&'static str),
}

/// A threat.
pub(super) struct Case {
    pub(super) threat: &'static str,
    pub(super) guest: Guest,
    pub(super) grants: &'static str,
    pub(super) limits: &'static str,
    pub(super) end: End,
}

impl Case {
    pub(super) fn name(&self) -> &'static str {
        match self.guest {
            Guest::Text(name)
            | Guest::Statements(name)
            | Guest::Calls(name)
            | Guest::Script(name)
            | Guest::Attempts(name)
            | Guest::Written(name, _)
            | Guest::Made(name, _)
            | Guest::Behaves(name) => name,
        }
    }
}

/// All that there is to be granted.
pub(super) const ALL: &str = "read = ['*']\ninsert = ['*']\nupdate = ['*']\ndelete = ['*']\ncreate = ['*']\n\
     alter = ['*']\ndrop = ['*']\ntrigger = ['*']\nview = ['*']\nfunctions = ['random', 'now', 'localtime']";
/// The same without time and chance.
const NO_FUNCTIONS: &str = "read = ['*']\ninsert = ['*']\nupdate = ['*']\ndelete = ['*']\ncreate = ['*']\n\
     alter = ['*']\ndrop = ['*']\ntrigger = ['*']\nview = ['*']";
/// The stranger's own tables, and two columns of somebody else's.
const OWN: &str = "read = ['acme_*', 'customer(id, name)', 'names']\ninsert = ['acme_*']\nupdate = ['acme_*']\n\
     delete = ['acme_*']\ncreate = ['acme_*']\nalter = ['acme_*']\ndrop = ['acme_*']";
const FUEL: &str = "fuel = 20_000_000";
/// An interpreter takes a tenth of it to begin.
const SCRIPT_FUEL: &str = "fuel = 500_000_000";
const SCRIPT_MEMORY: &str = "memory = '64MiB'";
const OPERATIONS: &str = "sql_operations = 2_000_000";

const fn case(threat: &'static str, guest: Guest, grants: &'static str, limits: &'static str, end: End) -> Case {
    Case { threat, guest, grants, limits, end }
}

const fn script(threat: &'static str, file: &'static str, limits: &'static str, end: End) -> Case {
    case(threat, Guest::Script(file), ALL, limits, end)
}

const fn written(threat: &'static str, name: &'static str, text: fn() -> String, end: End) -> Case {
    case(threat, Guest::Written(name, text), ALL, "", end)
}

/// A module that needs nothing granted but the change it makes first.
const fn wat(threat: &'static str, file: &'static str, limits: &'static str, end: End) -> Case {
    case(threat, Guest::Text(file), ALL, limits, end)
}

const fn sql(threat: &'static str, file: &'static str, grants: &'static str, end: End) -> Case {
    case(threat, Guest::Statements(file), grants, OPERATIONS, end)
}

const fn made(threat: &'static str, name: &'static str, bytes: fn() -> Vec<u8>, end: End) -> Case {
    case(threat, Guest::Made(name, bytes), ALL, "", end)
}

const fn rust(threat: &'static str, does: &'static str, limits: &'static str, end: End) -> Case {
    case(threat, Guest::Behaves(does), ALL, limits, end)
}

const UNREACHABLE: End = End::Traps("unreachable");
const NO_HANDLE: End = End::Traps("handle");

/// Every one of them.
pub(super) const CASES: &[Case] = &[
    // Code that does not end, or takes too much.
    wat("loops", "endless-loop.wat", FUEL, End::Limit("fuel")),
    wat("calls itself instead of looping", "endless-tail-call.wat", FUEL, End::Limit("fuel")),
    wat("loops before it is called", "endless-start.wat", FUEL, End::Limit("fuel")),
    wat("loops when it is asked for memory", "endless-realloc.wat", FUEL, End::Limit("fuel")),
    wat("recurses", "endless-recursion.wat", "", End::Traps("call stack exhausted")),
    wat("recurses through a table", "endless-recursion-indirect.wat", "", End::Traps("call stack exhausted")),
    rust("loops until its time is over", "loop", "time = '300ms'", End::Limit("time")),
    rust("panics", "panic", "", End::Traps("index out of bounds")),
    wat("takes page after page", "memory-grows.wat", "memory = '64MiB'", End::Limit("memory")),
    wat("takes all memory at once", "memory-at-once.wat", "", End::Limit("memory")),
    wat("is born with all memory", "memory-from-the-start.wat", "", End::Limit("memory")),
    wat("has many memories", "memories.wat", "memories = 8", End::Limit("memories")),
    wat("has a table that grows", "table-grows.wat", "", End::Limit("table_elements")),
    wat("is born with a wide table", "table-from-the-start.wat", "", End::Limit("table_elements")),
    wat("has many tables", "tables.wat", "tables = 4", End::Limit("tables")),
    case(
        "has many instances",
        Guest::Made("many instances", made::instances),
        ALL,
        "instances = 100",
        End::Limit("instances"),
    ),
    wat("gives up", "trap-unreachable.wat", "", UNREACHABLE),
    wat("overflows", "trap-division.wat", "", End::Traps("integer overflow")),
    wat("writes beyond its memory", "trap-beyond-memory.wat", "", End::Traps("out of bounds memory access")),
    wat("calls beyond its table", "trap-beyond-table.wat", "", End::Traps("undefined element")),
    wat("fails before it is called", "trap-while-starting.wat", "", UNREACHABLE),
    wat("has data beyond its memory", "data-beyond-memory.wat", "", End::Traps("out of bounds memory access")),
    // What it hands to the host.
    wat("hands over a text beyond its memory", "string-beyond-memory.wat", "", End::Traps("out of bounds")),
    wat("hands over a text around the end", "string-around-the-end.wat", "", End::Traps("out of bounds")),
    wat("hands over a giant text", "string-giant.wat", "", End::Limit("bytes_per_call")),
    wat("hands over a text that is none", "string-not-utf8.wat", "", End::Traps("utf-8")),
    wat("hides a statement behind a NUL", "string-with-nul.wat", "", UNREACHABLE),
    wat("hands over a list beyond its memory", "list-beyond-memory.wat", "", End::Traps("out of bounds")),
    wat("hands over a giant list", "list-giant.wat", "", End::Limit("bytes_per_call")),
    wat("hands over a list at an odd address", "list-unaligned.wat", "", End::Traps("aligned")),
    wat("hands over a value of no kind", "value-unknown.wat", "", End::Traps("discriminant")),
    wat("hands over forged rows", "batch-forged.wat", "", UNREACHABLE),
    wat("wants the answer beyond its memory", "answer-beyond-memory.wat", "", End::Traps("out of bounds")),
    wat("wants a giant answer", "answer-giant.wat", "", End::Limit("bytes_per_call")),
    wat("gives memory that it does not have", "realloc-beyond-memory.wat", "", End::Traps("realloc return")),
    wat("gives memory at an odd address", "realloc-unaligned.wat", "", End::Traps("aligned")),
    wat("calls back when asked for memory", "realloc-calls-back.wat", "", End::Traps("cannot leave")),
    wat("calls back when the call is over", "post-return-calls-back.wat", "", End::Traps("cannot leave")),
    wat("returns neither ok nor an error", "result-unknown.wat", "", End::Traps("discriminant")),
    wat("returns what is beyond its memory", "result-beyond-memory.wat", "", End::Traps("")),
    wat("returns an error beyond its memory", "error-beyond-memory.wat", "", End::Traps("out of bounds")),
    wat("returns a giant error", "error-giant.wat", "", End::Limit("bytes_per_call")),
    wat("returns a long error", "error-long.wat", "", End::Says("\0\0\0")),
    wat("returns an error that a terminal obeys", "error-with-escapes.wat", "", End::Says("\u{1b}[2J")),
    // Handles.
    wat("forges a handle", "handle-forged.wat", "", NO_HANDLE),
    wat("uses handle 0", "handle-zero.wat", "", NO_HANDLE),
    wat("uses a handle as another", "handle-of-another-kind.wat", "", NO_HANDLE),
    wat("uses a handle after its end", "handle-after-drop.wat", "", NO_HANDLE),
    wat("ends a handle twice", "handle-dropped-twice.wat", "", NO_HANDLE),
    wat("uses the transaction after its end", "transaction-after-drop.wat", "", NO_HANDLE),
    wat("leaks queries", "cursors-leaked.wat", "open_cursors = 100", End::Limit("open_cursors")),
    wat("leaks statements", "statements-leaked.wat", "", End::Limit("open_statements")),
    wat("leaks savepoints", "savepoints-leaked.wat", "", End::Limit("open_savepoints")),
    wat("leaves a savepoint open", "savepoint-left-open.wat", "", End::Savepoint),
    wat("drops a savepoint", "savepoint-dropped.wat", "", End::Savepoint),
    wat("ends savepoints twice", "savepoint-ended-twice.wat", "", UNREACHABLE),
    wat("reads on behind a savepoint", "cursor-outlives-savepoint.wat", "", UNREACHABLE),
    // The log.
    wat("writes a giant line", "log-giant.wat", "", End::Limit("bytes_per_call")),
    wat("floods the log", "log-flood.wat", "", UNREACHABLE),
    wat("logs on when its time is over", "log-endless.wat", "time = '1s'", End::Limit("time")),
    wat("writes at no level", "log-level-unknown.wat", "", End::Traps("discriminant")),
    wat("tells its progress for ever", "progress-flood.wat", FUEL, End::Limit("fuel")),
    // Bytes that are no component for this host.
    made("is empty", "empty", made::empty, End::Refused("is empty")),
    made("is a program", "no wasm", made::no_wasm, End::Refused("not WebAssembly")),
    made("is a core module", "core module", made::core_module, End::Refused("core WebAssembly module")),
    made("is cut off", "cut off", made::cut_off, End::Refused("")),
    made("is damaged", "damaged", made::damaged, End::Refused("")),
    made("has a section longer than itself", "long section", made::long_section, End::Refused("damaged or cut off")),
    made("is nested", "nested", made::nested, End::Refused("")),
    made("has a million types", "types", made::types, End::Refused("")),
    made("has a type that doubles", "type bomb", made::type_bomb, End::Refused("type")),
    made("takes a long type", "long type", made::long_type, End::Refused("other types than the contract")),
    made("has wide functions", "wide", made::wide, UNREACHABLE),
    case(
        "takes minutes to compile",
        Guest::Made("slow", made::slow),
        ALL,
        "compile_time = '1s'",
        End::Refused("compile_time"),
    ),
    case("is large", Guest::Made("large", made::large), ALL, "component_size = '1MiB'", End::Refused("component_size")),
    wat("exports nothing", "exports-nothing.wat", "", End::Refused("not a migration")),
    wat("has another up", "up-of-another-type.wat", "", End::Refused("other types than the contract")),
    wat("has an up that is no function", "up-is-no-function.wat", "", End::Refused("up")),
    wat("wants the network", "imports-network.wat", "", End::Refused("wasi:http/outgoing-handler")),
    wat("wants something unheard of", "imports-unknown.wat", "", End::Refused("host:system/exec")),
    wat("wants another contract", "imports-later-contract.wat", "", End::Refused("0.2.0")),
    wat("wants more of the contract", "imports-more-than-there-is.wat", "", End::Refused("delete-all-logs")),
    wat("takes the contract for another", "imports-of-another-type.wat", "", End::Refused("write")),
    wat("has 64-bit memory", "feature-memory64.wat", "", End::Refused("memory64")),
    wat("has threads", "feature-threads.wat", "", End::Refused("threads")),
    wat("has relaxed SIMD", "feature-relaxed-simd.wat", "", End::Refused("relaxed")),
    wat("has garbage collection", "feature-gc.wat", "", End::Refused("gc")),
    wat("has exceptions", "feature-exceptions.wat", "", End::Refused("exceptions")),
    // Statements that nobody may run.
    sql("begins or ends the transaction", "transaction-words.sql", ALL, End::Denied),
    sql("makes savepoints by hand", "savepoint-words.sql", ALL, End::Denied),
    sql("attaches databases", "attach.sql", ALL, End::Denied),
    sql("copies the database away", "vacuum.sql", ALL, End::Denied),
    sql("sets pragmas", "pragma.sql", ALL, End::Denied),
    sql("loads extensions", "extension.sql", ALL, End::Denied),
    sql("reads and writes files", "files.sql", ALL, End::Fails("no such")),
    sql("writes the schema", "schema-writes.sql", ALL, End::Fails("")),
    sql("touches the host's tables", "host-tables.sql", ALL, End::Denied),
    sql("makes something temporary", "temporary.sql", ALL, End::Denied),
    case("hides a second statement", Guest::Calls("more-than-one.sql"), ALL, "", End::Fails("more than one statement")),
    sql("ends the transaction by a conflict", "or-rollback.sql", ALL, End::Fails("UNIQUE constraint")),
    sql("ends the transaction by a trigger", "raise-rollback.sql", ALL, End::Fails("out")),
    rust("ends the transaction and goes on", "end-transaction", "", End::Ended),
    // Statements that it was not given.
    sql("reads a column in every way", "hidden-column.sql", OWN, End::Denied),
    sql("writes and changes what is not its own", "no-write.sql", OWN, End::Denied),
    sql("leaves triggers and views behind", "left-behind.sql", OWN, End::Denied),
    sql("touches tables of the search", "shadow-tables.sql", ALL, End::Fails("")),
    sql("reads through the search", "search-content.sql", OWN, End::Denied),
    sql("rebuilds and counts", "indexes.sql", OWN, End::Denied),
    sql("reads the schema", "schema-reads.sql", "read = ['acme_*']", End::Denied),
    sql("reads through a view", "by-view.sql", "read = ['secrets']", End::Denied),
    sql(
        "writes through a trigger",
        "by-trigger.sql",
        "update = ['customer(name)']\nread = ['customer', 'names']\ninsert = ['names']",
        End::Denied,
    ),
    sql(
        "writes through foreign keys",
        "by-cascade.sql",
        "delete = ['customer']\nupdate = ['customer(id)']\nread = ['customer', 'orders']",
        End::Denied,
    ),
    sql(
        "learns through a check",
        "by-check.sql",
        "update = ['customer(age)']\nread = ['customer(id, age)']",
        End::Denied,
    ),
    sql("asks for the time", "clock.sql", NO_FUNCTIONS, End::Denied),
    sql("asks for chance", "chance.sql", NO_FUNCTIONS, End::Denied),
    // Statements that do not end, or make too much.
    sql("counts for ever", "endless-query.sql", ALL, End::Limit("sql_operations")),
    sql("inserts for ever", "endless-insert.sql", ALL, End::Limit("sql_operations")),
    sql("joins for ever", "endless-join.sql", ALL, End::Limit("sql_operations")),
    sql("sets off triggers for ever", "endless-trigger.sql", ALL, End::Limit("sql_operations")),
    sql("makes a giant value", "huge-value.sql", ALL, End::Limit("value_length")),
    sql("makes a giant value of chance", "huge-random.sql", ALL, End::Limit("value_length")),
    sql("makes a wide number", "huge-width.sql", ALL, End::Limit("value_length")),
    sql("replaces short by long", "huge-replace.sql", ALL, End::Limit("value_length")),
    sql("doubles a text", "huge-doubling.sql", ALL, End::Limit("value_length")),
    sql("collects a giant text", "huge-group.sql", ALL, End::Limit("value_length")),
    sql("writes a giant row", "huge-row.sql", ALL, End::Limit("value_length")),
    sql("matches a giant pattern", "huge-pattern.sql", ALL, End::Limit("like_pattern")),
    sql("nests JSON", "deep-json.sql", ALL, End::Fails("")),
    sql("nests a search", "deep-search.sql", ALL, End::Fails("")),
    case(
        "takes memory in one statement",
        Guest::Statements("huge-memory.sql"),
        ALL,
        "sql_memory = '64MiB'",
        End::Limit("sql_memory"),
    ),
    case(
        "fills the disk",
        Guest::Statements("huge-growth.sql"),
        ALL,
        "database_growth = '20MiB'",
        End::Limit("database_growth"),
    ),
    // Scripts that do not end, or take too much.
    script("loops", "endless-loop.py", SCRIPT_FUEL, End::Limit("fuel")),
    script("loops before it is called", "endless-top.py", SCRIPT_FUEL, End::Limit("fuel")),
    script("recurses again and again", "endless-catching.py", SCRIPT_FUEL, End::Limit("fuel")),
    script("is hungry again and again", "endless-hunger.py", SCRIPT_MEMORY, End::Raises("memory", "MemoryError")),
    script("takes items without end", "endless-iterators.py", SCRIPT_FUEL, End::Limit("fuel")),
    script("matches without end", "endless-regex.py", SCRIPT_FUEL, End::Limit("fuel")),
    script("recurses", "endless-recursion.py", "", End::Raises("stack", "RecursionError")),
    script("loops until its time is over", "time.py", "time = '3s'", End::Limit("time")),
    script("takes text after text", "memory-grows.py", SCRIPT_MEMORY, End::Raises("memory", "MemoryError")),
    case(
        "makes a giant at once",
        Guest::Attempts("giants.py"),
        ALL,
        "fuel = 500_000_000\nmemory = '64MiB'",
        End::Stops,
    ),
    script("squares a number again and again", "memory-in-steps.py", SCRIPT_FUEL, End::Limit("fuel")),
    script("reads rows without end", "memory-of-rows.py", SCRIPT_MEMORY, End::Raises("memory", "MemoryError")),
    script("nests values", "deep.py", "", End::Raises("thrown", "ValueError: still here")),
    script("raises errors from errors", "raises-for-ever.py", SCRIPT_MEMORY, End::Raises("thrown", "ValueError: x")),
    script(
        "changes what is being used",
        "mutates-while-used.py",
        SCRIPT_MEMORY,
        End::Raises("thrown", "ValueError: still here"),
    ),
    // Scripts that reach for what they were not given.
    script("looks behind its objects", "hidden-attributes.py", "", End::Raises("thrown", "ValueError: done: []")),
    script("imports what it likes", "imports.py", "", End::Raises("thrown", "ValueError: done: []")),
    script("imports the system", "import-os.py", "", End::Refused("No module named 'os'")),
    script("ends the program", "exits.py", "", End::Raises("thrown", "SystemExit: 0")),
    script("forges handles", "handles-forged.py", "", End::Raises("thrown", "ValueError: still here")),
    case("writes what is not its own", Guest::Script("write-outside.py"), OWN, "", End::Denied),
    case("reads what is not its own", Guest::Script("read-outside.py"), OWN, "", End::Denied),
    case("goes on after each refusal", Guest::Script("swallows-refusals.py"), OWN, "", End::Denied),
    script("goes on after a limit", "swallows-limits.py", "statements = 100", End::Limit("statements")),
    script("leaks queries", "cursors-leaked.py", "open_cursors = 100", End::Limit("open_cursors")),
    script("leaves a savepoint open", "savepoint-left-open.py", "", End::Savepoint),
    script("leaks savepoints", "savepoints-leaked.py", "", End::Limit("open_savepoints")),
    // What a script hands over.
    script("floods the log", "log-flood.py", "", End::Raises("thrown", "ValueError: said it all")),
    script("writes a giant line", "log-giant.py", "", End::Limit("bytes_per_call")),
    script("raises a giant error", "error-giant.py", "", End::Raises("thrown", "ValueError: giant")),
    script("hands over a giant statement", "statement-giant.py", "", End::Limit("statement_length")),
    script("hands over a giant row", "rows-giant.py", "", End::Limit("bytes_per_call")),
    // The same in JavaScript, as far as its engine does it another way.
    script("queues jobs without end", "endless-jobs.js", SCRIPT_FUEL, End::Limit("fuel")),
    script("matches without end, in JavaScript", "endless-regex.js", SCRIPT_FUEL, End::Limit("fuel")),
    script(
        "is hungry again and again, in JavaScript",
        "endless-catching.js",
        "fuel = 500_000_000\nmemory = '64MiB'",
        End::Limit("fuel"),
    ),
    case(
        "makes a giant at once, in JavaScript",
        Guest::Attempts("giants.js"),
        ALL,
        "fuel = 500_000_000\nmemory = '64MiB'",
        End::Stops,
    ),
    script("looks for what other engines have", "hidden-globals.js", "", End::Raises("rejected", "Error: done: []")),
    script(
        "hands over values that change",
        "nasty-values.js",
        SCRIPT_MEMORY,
        End::Raises("thrown", "Error: still here"),
    ),
    case("changes what all objects have", Guest::Script("poisons-prototypes.js"), OWN, "", End::Denied),
    case("goes on after each refusal, in JavaScript", Guest::Script("swallows-refusals.js"), OWN, "", End::Denied),
    script("leaks queries, in JavaScript", "leaves-generators.js", "open_cursors = 100", End::Limit("open_cursors")),
    // Scripts that are hard to read.
    written("adds without end", "a long sum", made::long_sum, End::Refused("")),
    written("denies without end", "a long denial", made::long_denial, End::Refused("")),
    written("calls without end", "a long chain", made::long_chain, End::Refused("")),
    written("decides without end", "many branches", made::many_branches, End::Refused("")),
    written("nests blocks", "nested blocks", made::nested_blocks, End::Refused("")),
    written("nests brackets", "nested brackets", made::nested_brackets, End::Refused("nested")),
    written("nests texts", "nested texts", made::nested_texts, End::Refused("")),
    written("nests lambdas", "nested lambdas", made::nested_lambdas, End::Refused("")),
    written("is one giant literal", "a giant literal", made::giant_literal, End::Refused("")),
];
