// Code that is made, for the columns of a batch or for some rows. Going through them in a loop takes an interpreter longer
// than what it does with each, so there is code without one.
import { INTEGER, TEXT } from "./kinds.js";

/** What makes the code that appends a row, by the kinds of the columns. */
const makers = new Map();
/** Rows that are placed at once, with two words each: a longer array is not made in one go. */
const AT_ONCE = 16;

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
    var most = builder.most, last = builder.room - 1, bytes = builder.bytes;
    return (values) => {
      var row = builder.rows, value;
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

/** Writes the places of texts that lie one after the other into the words of their column. */
export function place(texts, words, rows) {
  var start = 0, row = 0;
  for (; row + AT_ONCE <= rows; row += AT_ONCE) start = placeSome(texts, words, row, start);
  for (; row < rows; row++) {
    words[row * 2] = start;
    start += words[row * 2 + 1] = texts[row].length;
  }
}

/** Does so for the next rows, and returns where the text after them begins. An element takes half as long to set in an array. */
const placeSome = new Function("texts", "words", "row", "start", `
  var length = 0;
  words.set([${Array.from({ length: AT_ONCE }, (_, index) => `start += length, length = texts[row + ${index}].length`)}], row * 2);
  return start + length;`);
