// build.sh makes build/trim.js of trim.ts first.
import assert from "node:assert/strict";
import { test } from "node:test";
import { trim } from "./build/trim.js";

test("trims", () => {
  assert.equal(trim("  a b "), "a b");
});
