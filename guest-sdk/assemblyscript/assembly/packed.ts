// The packed form of rows; packed.md beside the contract is its specification. Needs no host.

export const NULL: u8 = 0;
export const INTEGER: u8 = 1;
export const REAL: u8 = 2;
export const TEXT: u8 = 3;
export const BLOB: u8 = 4;
export const BOOLEAN: u8 = 5;
export const MIXED: u8 = 255;

const MAX_ROWS: u32 = 1 << 20;
const MAX_COLUMNS: i32 = 32767;

/** One cell. */
export class Cell {
  constructor(public kind: u8, public word: u64, public text: string | null = null, public blob: Uint8Array | null = null) {}

  static none(): Cell {
    return new Cell(NULL, 0);
  }
  static integer(value: i64): Cell {
    return new Cell(INTEGER, <u64>value);
  }
  static real(value: f64): Cell {
    return new Cell(REAL, reinterpret<u64>(value));
  }
  static boolean(value: bool): Cell {
    return new Cell(BOOLEAN, value ? 1 : 0);
  }
  /** A text, or NULL. */
  static text(value: string | null): Cell {
    return value === null ? new Cell(NULL, 0) : new Cell(TEXT, 0, value);
  }
  static blob(value: Uint8Array): Cell {
    return new Cell(BLOB, 0, null, value);
  }
}

/** One column in packed form, as places and lengths in memory. */
export class Column {
  kind: u8 = 0;
  tags: usize = 0;
  tagsLength: u32 = 0;
  words: usize = 0;
  wordsLength: u32 = 0;
  heap: usize = 0;
  heapLength: u32 = 0;

  @inline word(row: u32): u64 {
    return load<u64>(this.words + (<usize>row << 3));
  }
  @inline kindAt(row: u32): u8 {
    return this.tagsLength != 0 ? load<u8>(this.tags + row) : this.kind;
  }
  /** Reads a text; the cell is one. */
  text(row: u32): string {
    const word = this.word(row);
    return String.UTF8.decodeUnsafe(this.heap + <usize>(<u32>word), <usize>(word >> 32));
  }
  /** Reads a blob; the cell is one. */
  bytes(row: u32): Uint8Array {
    const word = this.word(row);
    const length = <i32>(word >> 32);
    const bytes = new Uint8Array(length);
    memory.copy(bytes.dataStart, this.heap + <usize>(<u32>word), length);
    return bytes;
  }
  /** Reads any cell. */
  cell(row: u32): Cell {
    const kind = this.kindAt(row);
    if (kind == TEXT) return Cell.text(this.text(row));
    if (kind == BLOB) return Cell.blob(this.bytes(row));
    return new Cell(kind, this.word(row));
  }
}

/** What is wrong with a batch, and where; -1 where it concerns no single column or row. */
export class Malformed {
  constructor(public reason: string, public column: i32, public row: i32) {}
}

/** Rows in packed form. Check it before its cells are read. */
export class Batch {
  constructor(public rows: u32, public columns: Column[]) {}

  /** Looks at everything the packed form demands; returns what is wrong, or null. */
  check(): Malformed | null {
    if (this.rows > MAX_ROWS) return new Malformed("too-many-rows", -1, -1);
    if (this.columns.length > MAX_COLUMNS) return new Malformed("too-many-columns", -1, -1);
    for (let index = 0; index < this.columns.length; index++) {
      const wrong = checkColumn(this.columns[index], this.rows, index);
      if (wrong !== null) return wrong;
    }
    return null;
  }
}

function checkColumn(column: Column, rows: u32, index: i32): Malformed | null {
  const mixed = column.kind == MIXED;
  if (column.kind > BOOLEAN && !mixed) return new Malformed("unknown-kind", index, -1);
  if (column.wordsLength != rows * 8) return new Malformed("words-length", index, -1);
  if (column.tagsLength != 0 && column.tagsLength != rows) return new Malformed("tags-length", index, -1);
  if (mixed && column.tagsLength == 0 && rows > 0) return new Malformed("tags-missing", index, -1);
  for (let row: u32 = 0; row < column.tagsLength; row++) {
    const tag = load<u8>(column.tags + row);
    if (tag > BOOLEAN) return new Malformed("unknown-tag", index, row);
    if (!mixed && tag != NULL && tag != column.kind) return new Malformed("tag-mismatch", index, row);
  }
  if (!mixed && column.kind != TEXT && column.kind != BLOB && column.heapLength != 0) return new Malformed("heap-unused", index, -1);
  const valid = column.kind == TEXT ? validUpTo(column.heap, column.heapLength) : column.heapLength;
  const whole = valid == column.heapLength;
  let total: u64 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const word = column.word(row);
    const kind = column.kindAt(row);
    if (kind == NULL && word != 0) return new Malformed("null-word", index, row);
    if (kind == BOOLEAN && word > 1) return new Malformed("boolean-word", index, row);
    if (kind != TEXT && kind != BLOB) continue;
    const start = word & 0xffffffff;
    const end = start + (word >> 32);
    if (end > column.heapLength) return new Malformed("heap-range", index, row);
    if (column.kind == TEXT && whole && (cuts(column, start) || cuts(column, end))) return new Malformed("utf8", index, row);
    total += end - start;
    if (total > column.heapLength) return new Malformed("heap-shared", index, row);
    const length = <u32>(end - start);
    if (mixed && kind == TEXT && validUpTo(column.heap + <usize>start, length) != length) return new Malformed("utf8", index, row);
  }
  if (whole) return null;
  for (let row: u32 = 0; row < rows; row++) {
    const word = column.word(row);
    const start = word & 0xffffffff;
    if (start <= valid && valid < start + (word >> 32)) return new Malformed("utf8", index, row);
  }
  return new Malformed("utf8", index, -1);
}

function cuts(column: Column, at: u64): bool {
  return at < column.heapLength && (load<u8>(column.heap + <usize>at) & 0xc0) == 0x80;
}

/** Returns where bytes stop being UTF-8, or their number. */
export function validUpTo(text: usize, length: u32): u32 {
  let at: u32 = 0;
  while (at < length) {
    const first = load<u8>(text + at);
    if (first < 0x80) {
      at++;
      continue;
    }
    const more: u32 = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
    if (more == 0 || length - at <= more) return at;
    const second = load<u8>(text + at + 1);
    const low: u8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const high: u8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return at;
    for (let next: u32 = 2; next <= more; next++) if ((load<u8>(text + at + next) & 0xc0) != 0x80) return at;
    at += more + 1;
  }
  return length;
}

/** Bytes that grow, outside the collector's memory. */
class Bytes {
  at: usize = 0;
  length: u32 = 0;
  room: u32 = 0;

  reserve(more: u32): void {
    if (this.length + more <= this.room) return;
    this.room = (this.length + more) * 2 + 64;
    this.at = this.at == 0 ? heap.alloc(this.room) : heap.realloc(this.at, this.room);
  }
  push(byte: u8): void {
    this.reserve(1);
    store<u8>(this.at + this.length, byte);
    this.length++;
  }
  free(): void {
    if (this.at != 0) heap.free(this.at);
    this.at = 0;
    this.length = 0;
    this.room = 0;
  }
}

class Building {
  kind: u8 = NULL;
  tags: Bytes = new Bytes();
  words: Bytes = new Bytes();
  heap: Bytes = new Bytes();

  push(kind: u8, word: u64): void {
    const before = this.words.length / 8;
    this.words.reserve(8);
    store<u64>(this.words.at + this.words.length, word);
    this.words.length += 8;
    if (kind == this.kind && this.tags.length == 0) return;
    if (this.tags.length == 0) for (let row: u32 = 0; row < before; row++) this.tags.push(this.kind);
    if (kind != NULL && kind != this.kind) this.kind = this.kind == NULL ? kind : MIXED;
    if (before > 0) this.tags.push(kind);
  }
}

/** Builds batches cell by cell. */
export class Builder {
  columns: Building[] = [];
  bytes: u32 = 0;

  constructor(width: i32) {
    for (let column = 0; column < width; column++) this.columns.push(new Building());
  }

  /** Counts the cells of the last column. */
  get rows(): u32 {
    return this.columns.length == 0 ? 0 : this.columns[this.columns.length - 1].words.length / 8;
  }

  /** Appends a cell; false when a text has a lone surrogate, which is no text. */
  push(index: i32, cell: Cell): bool {
    const column = this.columns[index];
    const start = column.heap.length;
    let word = cell.word;
    if (cell.kind == TEXT) {
      const text = cell.text!;
      const length = String.UTF8.byteLength(text);
      column.heap.reserve(length);
      String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, column.heap.at + start);
      if (validUpTo(column.heap.at + start, length) != <u32>length) return false;
      column.heap.length += length;
      word = <u64>start | (<u64>length << 32);
      this.bytes += length;
    } else if (cell.kind == BLOB) {
      const blob = cell.blob!;
      column.heap.reserve(blob.length);
      memory.copy(column.heap.at + start, blob.dataStart, blob.length);
      column.heap.length += blob.length;
      word = <u64>start | (<u64>blob.length << 32);
      this.bytes += blob.length;
    }
    column.push(cell.kind, word);
    return true;
  }

  /** Returns the batch, whose memory stays the builder's; null when the columns have different numbers of cells. */
  finish(): Batch | null {
    const rows = this.rows;
    const columns: Column[] = [];
    for (let index = 0; index < this.columns.length; index++) {
      const building = this.columns[index];
      if (building.words.length != rows * 8) return null;
      const column = new Column();
      column.kind = building.kind;
      column.tags = building.tags.at;
      column.tagsLength = building.tags.length;
      column.words = building.words.at;
      column.wordsLength = building.words.length;
      column.heap = building.heap.at;
      column.heapLength = building.heap.length;
      columns.push(column);
    }
    return new Batch(rows, columns);
  }

  /** Drops all cells and keeps the memory. */
  clear(): void {
    for (let index = 0; index < this.columns.length; index++) {
      const building = this.columns[index];
      building.kind = NULL;
      building.tags.length = 0;
      building.words.length = 0;
      building.heap.length = 0;
    }
    this.bytes = 0;
  }

  /** Gives the memory back. */
  free(): void {
    for (let index = 0; index < this.columns.length; index++) {
      this.columns[index].tags.free();
      this.columns[index].words.free();
      this.columns[index].heap.free();
    }
  }
}
