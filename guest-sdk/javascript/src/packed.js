// The packed form of rows; packed.md beside the contract is its specification. Needs no host.
export { BatchBuilder, Real } from "./builder.js";
export { CheckedBatch, MalformedBatch } from "./checked.js";
export { BLOB, BOOLEAN, INTEGER, MIXED, NULL, REAL, TEXT } from "./kinds.js";
