#include <string.h>

#include "whimbrel.h"

static bool is(wh_slice text, const char *word) {
    return text.length == strlen(word) && !memcmp(text.at, word, text.length);
}

/* Cuts every name, and gives it to the writer or, if there is none, to the statement. */
static bool each(wh_tx *tx, wh_statement *statement, wh_writer *writer) {
    static char key[4096];
    wh_rows *rows = wh_query(tx, "SELECT id, full_name FROM person ORDER BY id", WH_NO_PARAMS);
    if (!rows) return false;
    bool ok = true;
    for (const wh_row *row; ok && (row = wh_next(rows));) {
        wh_slice full = wh_get_text(row, "full_name");
        if (full.length + 2 > sizeof key) return wh_fail(tx, "a name is too long");
        size_t cut = full.length;
        while (cut && full.at[cut - 1] != ' ') cut--;
        wh_slice first = {full.at, cut ? cut - 1 : 0}, last = {full.at + cut, full.length - cut};
        memcpy(key, last.at, last.length);
        key[last.length] = ' ';
        memcpy(key + last.length + 1, first.at, first.length);
        wh_slice whole = {key, last.length + 1 + first.length};
        const wh_cell cells[] = {wh_text(first), wh_text(last), wh_text(whole), wh_integer(wh_get_integer(row, "id"))};
        ok = writer ? wh_write(writer, cells, 4) : wh_statement_execute(statement, cells, 4, NULL);
    }
    return wh_rows_close(rows) && ok;
}

bool wh_up(wh_tx *tx, const wh_context *context) {
    wh_slice form = wh_param(context, "form");
    if (is(form, "trivial")) return wh_execute(tx, "CREATE TABLE trivial (id INTEGER PRIMARY KEY)", WH_NO_PARAMS, NULL);
    wh_statement *statement =
        wh_prepare(tx, "INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)");
    if (!statement) return false;
    wh_writer *writer = is(form, "packed") ? wh_writer_open(statement) : NULL;
    bool ok = each(tx, statement, writer);
    if (writer) ok = wh_writer_finish(writer, NULL) && ok;
    wh_statement_close(statement);
    return ok;
}
