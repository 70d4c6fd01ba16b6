/* Whether every name that somebody typed was split; asked after the work, and by `whimbrel verify --deep`. */
#include "whimbrel.h"

static const char UNNAMED[] =
    "SELECT count(*) AS unnamed FROM customer WHERE first_name IS NULL AND last_name IS NULL "
    "AND trim(full_name, ' ,' || char(9, 10, 13, 160)) <> ''";

bool wh_verify(wh_tx *tx, const wh_context *context) {
    (void)context;
    wh_rows *rows = wh_query(tx, UNNAMED, WH_NO_PARAMS);
    if (!rows) return false;
    const wh_row *row = wh_next(rows);
    int64_t unnamed = row ? wh_get_integer(row, "unnamed") : 0;
    if (!wh_rows_close(rows)) return false;
    return !unnamed || wh_fail(tx, "%lld customers lost their name", (long long)unnamed);
}
