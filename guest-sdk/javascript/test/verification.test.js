// What counts as an answer of `verify`; the handle is a stand-in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { migration, verification } from "../src/index.js";

const raw = { version: "3", params: [["least", "2"]] };
const asked = (check, db = {}) => verification(check)(db, raw);

test("an answer that is true holds", () => {
  for (const answer of [true, 1, "yes", {}]) assert.equal(asked(() => answer), undefined);
});

test("every other answer does not hold, and is shown", () => {
  const answers = [[false, "false"], [undefined, "nothing"], [null, "null"], [0, "0"], [0n, "0"], [NaN, "NaN"], ["", "an empty text"]];
  for (const [answer, shown] of answers) assert.throws(() => asked(() => answer), { message: `verify returned ${shown}` });
});

test("what is thrown does not hold, in its own words", () => {
  const check = () => {
    throw new Error("2 customers have no name");
  };
  assert.throws(() => asked(check), { message: "2 customers have no name" });
});

test("an answer that comes later is no answer", () => {
  assert.throws(() => asked(async () => true), { message: "verify is async, and nothing waits for it" });
});

test("it gets the transaction and the context", () => {
  const db = { dialect: () => "sqlite" };
  asked((tx, ctx) => tx.dialect === "sqlite" && ctx.version === "3" && ctx.param("least") === "2", db);
});

test("a migration need not answer", () => {
  assert.equal(migration(() => false)({}, raw), undefined);
});
