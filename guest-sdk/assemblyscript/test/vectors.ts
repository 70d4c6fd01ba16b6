// What test/packed.test.js calls: one vector as text goes in, what the codec makes of it comes out.
import { Batch, BLOB, BOOLEAN, Builder, Column, INTEGER, REAL, TEXT } from "../assembly/packed";

function bytes(hex: string, column: Column, part: i32): void {
  const length = <u32>(hex.length / 2);
  const at = heap.alloc(length + 1);
  for (let index: u32 = 0; index < length; index++) store<u8>(at + index, <u8>parseInt(hex.substr(index * 2, 2), 16));
  if (part == 0) {
    column.tags = at;
    column.tagsLength = length;
  } else if (part == 1) {
    column.words = at;
    column.wordsLength = length;
  } else {
    column.heap = at;
    column.heapLength = length;
  }
}

function read(text: string): Batch {
  const parts = text.split("|");
  const columns: Column[] = [];
  for (let index = 1; index < parts.length; index++) {
    const four = parts[index].split(",");
    const column = new Column();
    column.kind = <u8>parseInt(four[0]);
    for (let part = 0; part < 3; part++) bytes(four[part + 1], column, part);
    columns.push(column);
  }
  return new Batch(<u32>parseInt(parts[0]), columns);
}

/** Returns what is wrong: reason, column, row. */
export function check(text: string): string {
  const malformed = read(text).check();
  return malformed === null ? "" : malformed.reason + " " + malformed.column.toString() + " " + malformed.row.toString();
}

/** Returns the cells, row by row. */
export function cells(text: string): string[] {
  const batch = read(text);
  const all: string[] = [];
  for (let row: u32 = 0; row < batch.rows; row++) {
    for (let at = 0; at < batch.columns.length; at++) {
      const cell = batch.columns[at].cell(row);
      if (cell.kind == INTEGER) all.push("integer:" + (<i64>cell.word).toString());
      else if (cell.kind == REAL) all.push("real:" + cell.word.toString(16).padStart(16, "0"));
      else if (cell.kind == BOOLEAN) all.push("boolean:" + (cell.word == 1).toString());
      else if (cell.kind == TEXT) all.push("text:" + cell.text!);
      else if (cell.kind == BLOB) all.push("blob:" + hex(cell.blob!.dataStart, cell.blob!.length));
      else all.push("null:true");
    }
  }
  return all;
}

function hex(at: usize, length: u32): string {
  let text = "";
  for (let index: u32 = 0; index < length; index++) text += (<i32>load<u8>(at + index)).toString(16).padStart(2, "0");
  return text;
}

/** Writes the cells again, and returns the batch as text. */
export function rewrite(text: string): string {
  const batch = read(text);
  const builder = new Builder(batch.columns.length);
  for (let row: u32 = 0; row < batch.rows; row++) {
    for (let at = 0; at < batch.columns.length; at++) builder.push(at, batch.columns[at].cell(row));
  }
  const written = builder.finish()!;
  let out = written.rows.toString();
  for (let at = 0; at < written.columns.length; at++) {
    const column = written.columns[at];
    out += "|" + column.kind.toString() + "," + hex(column.tags, column.tagsLength) + "," + hex(column.words, column.wordsLength) + "," + hex(column.heap, column.heapLength);
  }
  return out;
}
