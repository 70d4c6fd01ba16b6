/* Row by row: reads all customers, writes what the rules make of them. */
#include <stdlib.h>
#include <string.h>

#include "rules.h"

static const char UPDATE[] =
    "UPDATE customer SET first_name = ?, last_name = ?, email_key = ?, phone_key = ?, cents = ? WHERE id = ?";

static size_t length(wh_cell cell) { return cell.kind == WH_TEXT ? cell.as.bytes.length : 0; }

static bool mend(wh_tx *tx, const wh_row *row, bool strict, wh_writer *writer) {
    wh_cell name = wh_get(row, "full_name"), email = wh_get(row, "email"), phone = wh_get(row, "phone");
    size_t size = length(name) + length(email) + length(phone) + 1;
    char *memory = malloc(size);
    rules_room room = {memory, size};
    wh_cell first, last, id = wh_integer(wh_get_integer(row, "id"));
    rules_name(name, &room, &first, &last);
    wh_cell key = rules_email(email, &room);
    bool ok = !(strict && email.kind == WH_TEXT && key.kind == WH_NULL) ||
              wh_fail(tx, "customer %lld: not an e-mail address: %.*s", (long long)id.as.integer,
                      (int)email.as.bytes.length, email.as.bytes.at);
    ok = ok && wh_write(writer, WH_PARAMS(first, last, key, rules_phone(phone, &room),
                                          rules_cents(wh_get(row, "balance")), id));
    free(memory);
    return ok;
}

bool wh_up(wh_tx *tx, const wh_context *context) {
    wh_slice strict = wh_param(context, "strict");
    bool is_strict = strict.length == 3 && !memcmp(strict.at, "yes", 3), ok = true;
    wh_statement *update = wh_prepare(tx, UPDATE);
    if (!update) return false;
    wh_rows *rows = wh_query(tx, "SELECT id, full_name, email, phone, balance FROM customer ORDER BY id", WH_NO_PARAMS);
    if (!rows) return false;
    wh_writer *writer = wh_writer_open(update);
    uint64_t changed = 0;
    for (const wh_row *row; ok && (row = wh_next(rows));) ok = mend(tx, row, is_strict, writer);
    ok = ok && wh_rows_close(rows);
    ok = wh_writer_finish(writer, &changed) && ok;
    wh_statement_close(update);
    if (ok) wh_log(WH_INFO, "mended %llu customers", (unsigned long long)changed);
    return ok;
}

bool wh_down(wh_tx *tx, const wh_context *context) {
    (void)context;
    return wh_execute(tx,
                      "UPDATE customer SET first_name = NULL, last_name = NULL, email_key = NULL, phone_key = NULL, "
                      "cents = NULL",
                      WH_NO_PARAMS, NULL);
}
