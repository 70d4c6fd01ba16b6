// The codes of packed.md, which is the specification beside the contract.
export const NULL = 0;
export const INTEGER = 1;
export const REAL = 2;
export const TEXT = 3;
export const BLOB = 4;
export const BOOLEAN = 5;
export const MIXED = 255;

export const NO_BYTES = new Uint8Array(0);

/** Returns the words of a column as pairs of numbers, the lower half first: a word can begin anywhere, and they cannot. */
export function halves(words) {
  const whole = words.byteOffset % 8 === 0 && words.length % 8 === 0 ? words : words.slice(0, words.length & ~7);
  return new Uint32Array(whole.buffer, whole.byteOffset, whole.length / 4);
}
