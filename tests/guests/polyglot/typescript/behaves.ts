import { log, migration, progress, SqlError, type Transaction } from "@whimbrel/guest";

function fails(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const kinds: [string, boolean][] = [
      ["denied", error.isDenied],
      ["limit", error.isLimit],
      ["constraint", error.isConstraint],
      ["database", error.isDatabase],
    ];
    const kind = kinds.filter(([, is]) => is).map(([name]) => name);
    log.info(`${kind.join(" ")} ${error.code}${error.row === null ? "" : ` in row ${error.row}`}`);
    return;
  }
  throw new Error("nothing failed");
}

const name = (tx: Transaction, text: string) => tx.execute("UPDATE person SET last_name = ?", text);

function savepoints(tx: Transaction): void {
  tx.savepoint(() => {
    name(tx, "outer");
    try {
      tx.savepoint(() => {
        name(tx, "inner");
        throw new RangeError("undo it");
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  });
  tx.execute("UPDATE person SET first_name = last_name");
}

export const up = migration((tx, ctx) => {
  if (ctx.param("do") === "limit") return fails(() => tx.execute("SELECT ?, ?, ?", 1, 2, 3));
  progress(1, 2);
  savepoints(tx);
  fails(() => tx.execute("COMMIT"));
  fails(() => tx.execute("INSERT INTO person (full_name) VALUES (NULL)"));
  fails(() => tx.execute("SELEKT 1"));
  fails(() =>
    tx.prepare("UPDATE person SET code = ? WHERE id = ?").writer((writer) => {
      writer.row("a", 1);
      writer.row("b", 2);
      writer.row("a", 3);
    }),
  );
  progress(2);
});
