// Answers one line of `whimbrel repl`: what is logged last is the answer, as JSON. `REQUEST` is what was typed.
const MOST = 100;

const hex = (bytes) => `x'${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}'`;

/** What JSON cannot hold, as a text. */
function plain(value) {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return hex(value);
  return value;
}

function table(cursor) {
  const columns = cursor.columns();
  const rows = [];
  for (const row of cursor) {
    if (rows.length === MOST) return { columns, rows, more: true };
    rows.push((Array.isArray(row) ? row : columns.map((name) => row[name])).map(plain));
  }
  return { columns, rows, more: false };
}

/** As JSON writes it, and what JSON cannot hold as JavaScript does: texts are told from numbers. */
function written(value, above = []) {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" || value === undefined || value === null) return String(value);
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value.toJSON === "function") return written(value.toJSON(""), above);
  if (typeof value === "function" || typeof value === "symbol" || value instanceof Error) return String(value);
  if (typeof value !== "object") return JSON.stringify(value);
  if (above.includes(value)) return "…";
  const inner = (one) => written(one, [...above, value]);
  if (Array.isArray(value)) return `[${Array.from(value, inner).join(",")}]`;
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name} ${inner([...value])}`;
  return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}:${inner(one)}`).join(",")}}`;
}

function shown(value) {
  if (value === undefined) return {};
  if (value instanceof Iterator) {
    if (typeof value.columns === "function") return table(value);
    value = [...value.take(MOST)];
  }
  return { value: written(value) };
}

function parses(text) {
  try {
    new Function(text);
    return true;
  } catch {
    return false;
  }
}

/** Runs what was typed after the lines that are kept, both with what `up` is given. */
function run(db, ctx, kept, text) {
  // Braces are an object, where they can be one.
  const script = text.startsWith("{") && parses(`(${text}\n)`) ? `(${text}\n)` : text;
  const awaits = (text) => /\bawait\b/.test(text);
  const last = `undefined;\n${script}`;
  if (!awaits(kept + script)) return eval(`${kept}\n${last}`);
  // A function may await, and answers with what it returns: an expression is returned.
  const inside = (text) => `(async () => {\n${kept}\n${text}\n})()`;
  if (!awaits(script)) return eval(inside(`return eval(${JSON.stringify(last)});`));
  const expression = inside(`return (${script.replace(/[\s;]+$/, "")}\n);`);
  return eval(parses(expression) ? expression : inside(script));
}

export async function up(db, ctx) {
  let answer;
  try {
    if (REQUEST.sql !== undefined) {
      answer = shown(db.query(REQUEST.sql, [], { rows: "array" }));
    } else {
      answer = shown(await run(db, ctx, REQUEST.kept, REQUEST.script));
    }
  } catch (error) {
    answer = { error: REQUEST.sql === undefined || !(error instanceof SqlError) ? String(error) : error.message };
  }
  log(JSON.stringify(answer));
}
