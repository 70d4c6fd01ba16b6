#include "whimbrel.h"

bool wh_up(wh_tx *tx, const wh_context *context) {
    (void)context;
    wh_execute(tx, "UPDATE person SET first_name = 'gone'", WH_NO_PARAMS, NULL);
    wh_panic("a mistake in %s", "C");
}
