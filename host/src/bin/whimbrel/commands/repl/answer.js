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

function shown(value) {
  if (value === undefined) return {};
  if (value instanceof Iterator) {
    if (typeof value.columns === "function") return table(value);
    value = [...value.take(MOST)];
  }
  if (typeof value === "function" || typeof value === "symbol" || value instanceof Error) return { value: String(value) };
  return { value: JSON.stringify(value, (_, inner) => plain(inner)) ?? String(value) };
}

export async function up(db, ctx) {
  let answer;
  try {
    if (REQUEST.sql !== undefined) {
      answer = shown(db.query(REQUEST.sql, [], { rows: "array" }));
    } else {
      const before = `${REQUEST.kept}\nundefined;\n`;
      // Braces are an object, where they can be one.
      let text = REQUEST.script;
      if (text.startsWith("{")) {
        try {
          new Function(`(${text}\n)`);
          text = `(${text}\n)`;
        } catch {}
      }
      answer = shown(await eval(before + text));
    }
  } catch (error) {
    answer = { error: REQUEST.sql === undefined || !(error instanceof SqlError) ? String(error) : error.message };
  }
  log(JSON.stringify(answer));
}
