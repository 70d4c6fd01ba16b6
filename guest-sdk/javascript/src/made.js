// Code that is made for the columns of a batch. Going through the columns in a loop takes an interpreter longer than what it
// does with each, so there is code without one.
import { INTEGER, TEXT } from "./kinds.js";

/** What makes the code that appends a row, by the kinds of the columns. */
const makers = new Map();
/** What places texts, by the number of columns. */
const placers = new Map();

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

/** Writes the places of texts that lie one after the other, column by column, into the words of the columns. */
export function place(texts, words, rows) {
  const count = texts.length;
  if (!placers.has(count)) placers.set(count, placer(texts.map((_, index) => index)));
  placers.get(count)(rows, ...texts, ...words);
}

function placer(columns) {
  const all = (code) => columns.map(code).join("\n");
  const names = (name) => columns.map((column) => name + column);
  return new Function("rows", ...names("texts"), ...names("words"), `
    ${all((column) => `let start${column} = 0;`)}
    for (let row = 0, at = 0; row < rows; row++) {
      ${all((column) => `words${column}[at] = start${column};`)}
      at++;
      ${all((column) => `start${column} += words${column}[at] = texts${column}[row].length;`)}
      at++;
    }`);
}
