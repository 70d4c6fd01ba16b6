// The part of a script's interface that is JavaScript itself. Called once, with the native functions and the context.
(function (native, ctx) {
  const { Error, TypeError, RangeError, SyntaxError } = globalThis;

  class SqlError extends Error {}
  Object.defineProperty(SqlError.prototype, "name", { value: "SqlError", configurable: true, writable: true });

  // Cursors are iterators, so that `map`, `filter`, `take` and the like are there too.
  Object.setPrototypeOf(native.cursor, Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));

  // What is called for every row is called once the rows are read, by whoever reads what these return.
  for (const name of ["map", "filter", "flatMap"]) {
    const lazy = native.cursor[name];
    Object.defineProperty(native.cursor, name, {
      value: { [name](work) { const rows = lazy.call(this, work); native.give(this, name); return rows; } }[name],
      configurable: true, writable: true,
    });
  }
  // What arrays have, and cursors would be without, with no word.
  for (const name of ["length", "0", "toJSON"]) {
    Object.defineProperty(native.cursor, name, {
      get() { throw new TypeError(`the rows of a query are no array: db.query(…).all() makes one (${name})`); },
      configurable: true,
    });
  }

  // Their other attributes stay.
  Object.defineProperty(RegExp.prototype, Symbol.split, { value: native.split });
  Object.defineProperty(String.prototype, "split", { value: native.splitText });

  function isThenable(value) {
    return (typeof value === "object" || typeof value === "function") && typeof value?.then === "function";
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
    executeMany(sql, rows, ...more) {
      if (more.some((argument) => argument !== undefined)) {
        throw new TypeError("too much is given: db.executeMany(sql, [[a, b], [c, d]])");
      }
      return executeMany(native.prepare(sql), rows);
    },
    savepoint(work) {
      if (typeof work !== "function") throw new TypeError("db.savepoint takes a function: db.savepoint(() => { … })");
      const savepoint = native.openSavepoint();
      const keep = () => native.endSavepoint(savepoint, true);
      const undo = () => native.endSavepoint(savepoint, false);
      let result, later;
      try {
        result = work(db);
        if (/^\[object (Async)?Generator\]$/.test(Object.prototype.toString.call(result))) {
          throw new TypeError("db.savepoint calls a function, and a call runs nothing of a generator: leave the star out");
        }
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
      const json = JSON.stringify(value, (_, inner) => {
        if (typeof inner === "bigint") return String(inner);
        return inner instanceof Map || inner instanceof Set ? [...inner] : inner;
      });
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
    #ignoreBOM;
    #left = null;
    constructor(encoding = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      if (!/^\s*(unicode-1-1-)?utf-?8\s*$/i.test(encoding)) throw new RangeError(`TextDecoder knows utf-8 only, and not ${encoding}`);
      this.#fatal = Boolean(fatal);
      this.#ignoreBOM = Boolean(ignoreBOM);
    }
    get encoding() { return "utf-8"; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }
    decode(bytes = new Uint8Array(), { stream = false } = {}) {
      const left = this.#left;
      this.#left = null;
      // A mark is one at the very beginning alone.
      const atStart = left === null || left.atStart;
      const [text, rest] = native.decode(left?.bytes, bytes, this.#fatal, atStart && !this.#ignoreBOM, stream);
      if (stream) this.#left = { bytes: rest, atStart: atStart && text === "" && (rest.length > 0 || bytes.byteLength === 0) };
      return text;
    }
  }

  // There are no languages here: what depends on one would be something else than elsewhere, without a word.
  const compare = "write a < b ? -1 : a > b ? 1 : 0 for the order of the characters' numbers";
  const format = "write the format out";
  const refuse = (prototype, name, advice, without) => Object.defineProperty(prototype, name, {
    value: {
      [name](...given) {
        if (without && given.every((argument) => argument === undefined)) return without.call(this);
        throw new TypeError(`${name}${without ? " of a language" : ""}: the engine knows no languages; ${advice}`);
      },
    }[name],
  });
  refuse(String.prototype, "localeCompare", compare);
  refuse(String.prototype, "toLocaleLowerCase", "write toLowerCase()", String.prototype.toLowerCase);
  refuse(String.prototype, "toLocaleUpperCase", "write toUpperCase()", String.prototype.toUpperCase);
  for (const { prototype } of [Number, BigInt, Date]) refuse(prototype, "toLocaleString", format);
  for (const name of ["toLocaleDateString", "toLocaleTimeString"]) refuse(Date.prototype, name, format);

  const globals = {
    log, real: native.real, SqlError, TextEncoder, TextDecoder,
    console: { log, trace, debug, info, warn, error },
    // The time stands still at the start of the run.
    performance: Object.freeze({ timeOrigin: ctx.startedAt, now: () => 0 }),
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
