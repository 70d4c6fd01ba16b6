import assert from "node:assert/strict";
import { test } from "node:test";
import { trim } from "./trim.ts";

test("trims", () => {
  assert.equal(trim("  a b "), "a b");
});
