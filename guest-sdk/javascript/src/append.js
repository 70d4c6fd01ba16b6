// The code that appends a row. Going through the values in a loop takes an interpreter longer than what it does with each,
// so there is code without one, made for the kinds of the columns.
import { INTEGER, TEXT } from "./kinds.js";

/** What makes such code, by the kinds of the columns. */
const makers = new Map();

/** Returns what does as `builder.settle`: a value of its column's kind is put where it belongs, any other goes through `set`. */
export function appender(builder) {
  const kinds = builder.columns.map(({ kind }) => kind);
  const key = String(kinds);
  if (!makers.has(key)) makers.set(key, maker(kinds));
  return makers.get(key)(builder, ...builder.columns.map(({ kind, cells, halves }) => (kind === TEXT ? cells : halves)));
}

function maker(kinds) {
  const places = kinds.map((_, index) => `place${index}`);
  const body = `
    const { most } = builder, last = builder.room - 1;
    let bytes = builder.bytes;
    return (values) => {
      const row = builder.rows;
      let value;
      ${kinds.map(statement).join("\n")}
      builder.rows = row + 1;
      return row === last || bytes >= most;
    };`;
  return new Function("builder", ...places, body);
}

function statement(kind, index) {
  const otherwise = `bytes = builder.set(${index}, value, bytes);`;
  const read = `value = values[${index}];`;
  switch (kind) {
    case TEXT:
      return `${read} if (typeof value === "string") { place${index}[row] = value; bytes += value.length; } else ${otherwise}`;
    case INTEGER:
      return `${read} if (typeof value === "number" && value === (value | 0)) {
        place${index}[row * 2] = value; if (value < 0) place${index}[row * 2 + 1] = -1; } else ${otherwise}`;
    default:
      return read + otherwise;
  }
}
