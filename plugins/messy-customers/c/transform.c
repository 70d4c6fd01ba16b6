/* The same as a transform: the host reads and writes. */
#include <stdlib.h>
#include <string.h>

#include "rules.h"

static size_t length(wh_cell cell) { return cell.kind == WH_TEXT ? cell.as.bytes.length : 0; }

void wh_transform(const wh_row *row, wh_out *out, const wh_context *context) {
    wh_cell name = wh_get(row, "full_name"), email = wh_get(row, "email"), phone = wh_get(row, "phone");
    wh_slice strict = wh_param(context, "strict");
    size_t size = length(name) + length(email) + length(phone) + 1;
    char *memory = malloc(size);
    rules_room room = {memory, size};
    wh_cell first, last;
    rules_name(name, &room, &first, &last);
    wh_cell key = rules_email(email, &room);
    if (strict.length == 3 && !memcmp(strict.at, "yes", 3) && email.kind == WH_TEXT && key.kind == WH_NULL)
        wh_reject(out, "customer %lld: not an e-mail address: %.*s", (long long)wh_get_integer(row, "id"),
                  (int)email.as.bytes.length, email.as.bytes.at);
    wh_set(out, "first_name", first);
    wh_set(out, "last_name", last);
    wh_set(out, "email_key", key);
    wh_set(out, "phone_key", rules_phone(phone, &room));
    wh_set(out, "cents", rules_cents(wh_get(row, "balance")));
    free(memory);
}
