// What test.js calls: one row of texts goes in, the cells that the transform makes of it come out.
import { Builder, Cell, TEXT, INTEGER } from "../../../guest-sdk/assemblyscript/assembly/packed";
import { applyTo, Context } from "../../../guest-sdk/assemblyscript/assembly/rows";
import { mend } from "./mend";

function add(ctx: Context, name: string, values: string[]): void {
  for (let at = 0; at < values.length; at++) {
    ctx.keys.push(name);
    ctx.values.push(values[at]);
  }
}

/** Gives five cells, or one that begins with `!` and says what is wrong. */
export function mended(id: i32, typed: (string | null)[], strict: bool): (string | null)[] {
  const ctx = new Context();
  add(ctx, "whimbrel.read", ["id", "full_name", "email", "phone", "balance"]);
  add(ctx, "whimbrel.write", ["first_name", "last_name", "email_key", "phone_key", "cents"]);
  if (strict) add(ctx, "strict", ["yes"]);
  const builder = new Builder(5);
  builder.push(0, Cell.integer(id));
  for (let at = 0; at < typed.length; at++) builder.push(at + 1, Cell.text(typed[at]));
  const applied = applyTo(mend, builder.finish()!, ctx);
  const output = applied.output;
  if (output === null) return ["!" + applied.problem];
  const cells: (string | null)[] = [];
  for (let at = 0; at < output.columns.length; at++) {
    const cell = output.columns[at].cell(0);
    cells.push(cell.kind == TEXT ? cell.text : cell.kind == INTEGER ? (<i64>cell.word).toString() : null);
  }
  return cells;
}
