// The part of a script's interface that is JavaScript itself. Called once, with the native functions and the context.
(function (native, ctx) {
  const { Error, TypeError, RangeError, SyntaxError } = globalThis;

  class SqlError extends Error {}
  Object.defineProperty(SqlError.prototype, "name", { value: "SqlError", configurable: true, writable: true });

  // Cursors are iterators, so that `map`, `filter`, `take` and the like are there too.
  Object.setPrototypeOf(native.cursor, Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));

  // Their other attributes stay.
  Object.defineProperty(RegExp.prototype, Symbol.split, { value: native.split });
  Object.defineProperty(String.prototype, "split", { value: native.splitText });

  function isThenable(value) {
    return value !== null && typeof value === "object" && typeof value.then === "function";
  }

  // Throws an error once what it has left behind is undone. Where that cannot be, another says so, and knows its cause.
  function undone(undo, error) {
    try {
      undo();
    } catch (refused) {
      refused.cause = error;
      throw refused;
    }
    throw error;
  }

  function executeMany(statement, rows) {
    const waiting = native.collect(statement, rows);
    try {
      for (const row of rows) native.push(waiting, row);
      return native.finish(waiting);
    } catch (error) {
      undone(() => native.undo(waiting), error);
    }
  }

  async function settled(result, keep, undo) {
    let value;
    try {
      value = await result;
    } catch (error) {
      undone(undo, error);
    }
    keep();
    return value;
  }
  native.statement.executeMany = function (rows) { return executeMany(this, rows); };
  native.statement.all = function (params, options) { return this.query(params, options).all(); };
  native.statement.first = function (params, options) { return this.query(params, options).first(); };

  const db = {
    execute: native.execute,
    query: native.query,
    prepare: native.prepare,
    real: native.real,
    executeMany(sql, rows) { return executeMany(native.prepare(sql), rows); },
    savepoint(work) {
      if (typeof work !== "function") throw new TypeError("db.savepoint takes a function: db.savepoint(() => { … })");
      const savepoint = native.openSavepoint();
      const keep = () => native.endSavepoint(savepoint, true);
      const undo = () => native.endSavepoint(savepoint, false);
      let result, later;
      try {
        result = work(db);
        later = isThenable(result);
      } catch (error) {
        undone(undo, error);
      }
      if (later) return settled(result, keep, undo);
      keep();
      return result;
    },
    get dialect() { return native.dialect(); },
  };

  const shown = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return String(value);
    try {
      const json = JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner));
      return json === undefined ? String(value) : json;
    } catch {
      return String(value);
    }
  };
  const logger = (level) => (...values) => native.log(level, values.map(shown).join(" "));
  const [trace, debug, info, warn, error] = [0, 1, 2, 3, 4].map(logger);
  const log = Object.assign((...values) => info(...values), {
    trace, debug, info, warn, error, progress: native.progress,
  });

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(text = "") { return native.encode(String(text)); }
  }
  class TextDecoder {
    #fatal;
    constructor(encoding = "utf-8", { fatal = false } = {}) {
      if (!/^utf-?8$/i.test(encoding)) throw new RangeError(`TextDecoder knows utf-8 only, and not ${encoding}`);
      this.#fatal = fatal;
    }
    get encoding() { return "utf-8"; }
    decode(bytes = new Uint8Array()) { return native.decode(bytes, this.#fatal); }
  }

  const globals = {
    log, real: native.real, SqlError, TextEncoder, TextDecoder,
    console: { log, trace, debug, info, warn, error },
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  // QuickJS keeps how objects are made up only as long as there are such objects, and iterators are mostly alone.
  const alive = [[].values(), ""[Symbol.iterator](), new Map().entries(), new Set().values(), [].values().map(String)];
  return {
    alive,
    db: Object.freeze(db), ctx: Object.freeze(ctx), Error, TypeError, RangeError, SyntaxError, SqlError,
  };
})
