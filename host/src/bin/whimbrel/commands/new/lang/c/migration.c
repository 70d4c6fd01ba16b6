/* Trims the notes. build.sh makes a component of this, `whimbrel up` runs it. */
#include "trim.h"

bool wh_up(wh_tx *tx, const wh_context *context) {
    (void)context;
    wh_statement *update = wh_prepare(tx, "UPDATE note SET text = ? WHERE id = ?");
    if (!update) return false;
    wh_rows *rows = wh_query(tx, "SELECT id, text FROM note ORDER BY id", WH_NO_PARAMS);
    if (!rows) return false;
    wh_writer *writer = wh_writer_open(update);
    bool ok = true;
    for (const wh_row *row; ok && (row = wh_next(rows));) {
        if (wh_is_null(row, "text")) continue;
        wh_slice text = trim(wh_get_text(row, "text"));
        ok = wh_write(writer, WH_PARAMS(wh_text(text), wh_integer(wh_get_integer(row, "id"))));
    }
    ok = ok && wh_rows_close(rows);
    ok = wh_writer_finish(writer, NULL) && ok;
    wh_statement_close(update);
    return ok;
}
{{down}}