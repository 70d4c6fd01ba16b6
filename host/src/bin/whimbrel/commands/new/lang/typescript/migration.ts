// Trims the notes. build.sh makes a component of this, `whimbrel up` runs it.
import { migration } from "@whimbrel/guest";
import { trim } from "./trim.ts";

export const up = migration((tx) => {
  tx.prepare("UPDATE note SET text = ? WHERE id = ?").writer((writer) => {
    for (const row of tx.query("SELECT id, text FROM note WHERE text IS NOT NULL ORDER BY id")) {
      writer.row(trim(row.text("text")), row.bigint("id"));
    }
  });
});
{{down}}
