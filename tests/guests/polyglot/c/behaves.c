#include <stdio.h>
#include <string.h>

#include "whimbrel.h"

/* Says what kind of failure the last one was. */
static bool told(wh_tx *tx, bool failed) {
    const wh_error *error = wh_last_error(tx);
    char row[32] = "";
    if (!failed) return wh_fail(tx, "nothing failed");
    if (error->row >= 0) snprintf(row, sizeof row, " in row %d", (int)error->row);
    wh_log(WH_INFO, "%s%s%s%s%s%s", wh_is_denied(tx) ? "denied " : "", wh_is_limit(tx) ? "limit " : "",
           wh_is_constraint(tx) ? "constraint " : "", wh_is_database(tx) ? "database " : "", error->code, row);
    return true;
}

static bool fails(wh_tx *tx, const char *sql, const wh_cell *params, size_t length) {
    return told(tx, !wh_execute(tx, sql, params, length, NULL));
}

static bool name(wh_tx *tx, const char *text) {
    return wh_execute(tx, "UPDATE person SET last_name = ?", WH_PARAMS(wh_text(wh_string(text))), NULL);
}

static bool savepoints(wh_tx *tx) {
    wh_savepoint *outer = wh_savepoint_open(tx);
    if (!outer || !name(tx, "outer")) return false;
    wh_savepoint *inner = wh_savepoint_open(tx);
    if (!inner || !name(tx, "inner") || !wh_savepoint_rollback(inner)) return false;
    return wh_savepoint_release(outer) &&
           wh_execute(tx, "UPDATE person SET first_name = last_name", WH_NO_PARAMS, NULL);
}

static bool twice(wh_tx *tx) {
    wh_statement *update = wh_prepare(tx, "UPDATE person SET code = ? WHERE id = ?");
    if (!update) return false;
    wh_writer *writer = wh_writer_open(update);
    wh_write(writer, WH_PARAMS(wh_text(wh_string("a")), wh_integer(1)));
    wh_write(writer, WH_PARAMS(wh_text(wh_string("b")), wh_integer(2)));
    wh_write(writer, WH_PARAMS(wh_text(wh_string("a")), wh_integer(3)));
    bool ok = told(tx, !wh_writer_finish(writer, NULL));
    wh_statement_close(update);
    return ok;
}

/* Leaves rows in a writer. */
static bool leave(wh_tx *tx) {
    wh_statement *update = wh_prepare(tx, "UPDATE person SET code = ? WHERE id = ?");
    if (!update) return false;
    wh_writer *writer = wh_writer_open(update);
    for (int64_t id = 1; id <= 3; id++)
        if (!wh_write(writer, WH_PARAMS(wh_text(wh_string("left")), wh_integer(id)))) return false;
    return true;
}

bool wh_up(wh_tx *tx, const wh_context *context) {
    wh_slice param = wh_param(context, "do");
    if (param.length == 5 && !memcmp(param.at, "leave", 5)) return leave(tx);
    if (param.length == 5 && !memcmp(param.at, "print", 5)) {
        for (int line = 1; line <= 3; line++) printf("line %d\n", line);
        printf("and no more");
        return true;
    }
    if (param.length == 5 && !memcmp(param.at, "limit", 5))
        return fails(tx, "SELECT ?, ?, ?", WH_PARAMS(wh_integer(1), wh_integer(2), wh_integer(3)));
    wh_progress(1, 2);
    bool ok = savepoints(tx) && fails(tx, "COMMIT", WH_NO_PARAMS) &&
              fails(tx, "INSERT INTO person (full_name) VALUES (NULL)", WH_NO_PARAMS) &&
              fails(tx, "SELEKT 1", WH_NO_PARAMS) && twice(tx);
    wh_progress(2, -1);
    return ok;
}
