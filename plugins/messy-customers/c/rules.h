/* The rules of README.md. Pure: a text goes in, a cell comes out; new text lives in `room`. */
#ifndef RULES_H
#define RULES_H

#include "whimbrel.h"

/* Bytes that what comes out of one row may take: at most what went in. */
typedef struct {
    char *at;
    size_t left;
} rules_room;

void rules_name(wh_cell typed, rules_room *room, wh_cell *first, wh_cell *last);
wh_cell rules_email(wh_cell typed, rules_room *room);
wh_cell rules_phone(wh_cell typed, rules_room *room);
wh_cell rules_cents(wh_cell typed);

#endif
