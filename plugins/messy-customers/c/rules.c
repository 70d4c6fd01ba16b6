#include "rules.h"

#include <string.h>

/* Returns how many bytes the blank at the beginning takes, 0 if there is none. */
static size_t blank(wh_slice text) {
    if (!text.length) return 0;
    if (strchr(" \t\n\r", text.at[0]) && text.at[0]) return 1;
    return text.length > 1 && !memcmp(text.at, "\xc2\xa0", 2) ? 2 : 0;
}

static wh_slice after(wh_slice text, size_t bytes) { return (wh_slice){text.at + bytes, text.length - bytes}; }

static wh_slice trim(wh_slice text) {
    for (size_t bytes; (bytes = blank(text));) text = after(text, bytes);
    for (;;) {
        if (text.length && strchr(" \t\n\r", text.at[text.length - 1]) && text.at[text.length - 1]) text.length--;
        else if (text.length > 1 && !memcmp(text.at + text.length - 2, "\xc2\xa0", 2)) text.length -= 2;
        else return text;
    }
}

static void put(rules_room *room, const char *bytes, size_t length) {
    if (length > room->left) wh_panic("the room for a row's texts is too small");
    memcpy(room->at, bytes, length);
    room->at += length;
    room->left -= length;
}

static wh_cell made(const char *start, const rules_room *room) {
    return room->at == start ? wh_null() : wh_text((wh_slice){start, (size_t)(room->at - start)});
}

/* Copies the words, with one space between them. */
static wh_cell join(wh_slice text, bool commas, rules_room *room) {
    const char *start = room->at;
    bool apart = false;
    while (text.length) {
        size_t bytes = blank(text);
        if (!bytes && commas && text.at[0] == ',') bytes = 1;
        if (bytes) {
            apart = true;
            text = after(text, bytes);
            continue;
        }
        if (apart && room->at != start) put(room, " ", 1);
        apart = false;
        put(room, text.at, 1);
        text = after(text, 1);
    }
    return made(start, room);
}

void rules_name(wh_cell typed, rules_room *room, wh_cell *first, wh_cell *last) {
    *first = *last = wh_null();
    if (typed.kind != WH_TEXT) return;
    wh_slice text = typed.as.bytes;
    const char *comma = memchr(text.at, ',', text.length);
    if (comma) {
        size_t before = (size_t)(comma - text.at);
        *last = join((wh_slice){text.at, before}, false, room);
        *first = join(after(text, before + 1), true, room);
        return;
    }
    wh_cell words = join(text, false, room);
    *first = words;
    if (words.kind == WH_NULL) return;
    for (size_t at = words.as.bytes.length; at > 0; at--)
        if (words.as.bytes.at[at - 1] == ' ') {
            *last = wh_text(after(words.as.bytes, at));
            first->as.bytes.length = at - 1;
            return;
        }
}

wh_cell rules_email(wh_cell typed, rules_room *room) {
    if (typed.kind != WH_TEXT) return wh_null();
    wh_slice text = trim(typed.as.bytes);
    size_t signs = 0, where = 0;
    for (size_t at = 0; at < text.length; at++) {
        if (blank(after(text, at))) return wh_null();
        if (text.at[at] == '@') signs++, where = at;
    }
    if (signs != 1 || where == 0 || where + 1 == text.length) return wh_null();
    const char *start = room->at;
    for (size_t at = 0; at < text.length; at++) {
        char letter = text.at[at];
        if (letter >= 'A' && letter <= 'Z') letter += 'a' - 'A';
        put(room, &letter, 1);
    }
    return made(start, room);
}

wh_cell rules_phone(wh_cell typed, rules_room *room) {
    if (typed.kind != WH_TEXT) return wh_null();
    wh_slice text = trim(typed.as.bytes);
    char digits[32];
    size_t count = 0;
    for (size_t at = 0; at < text.length; at++)
        if (text.at[at] >= '0' && text.at[at] <= '9') {
            if (count == sizeof digits) return wh_null();
            digits[count++] = text.at[at];
        }
    bool plus = text.length && text.at[0] == '+';
    size_t skip = !plus && count >= 2 && digits[0] == '0' && digits[1] == '0' ? 2 : 0;
    if (count - skip < 5 || count - skip > 15) return wh_null();
    const char *start = room->at;
    if (plus || skip) put(room, "+", 1);
    put(room, digits + skip, count - skip);
    return made(start, room);
}

wh_cell rules_cents(wh_cell typed) {
    if (typed.kind != WH_TEXT) return wh_null();
    wh_slice text = trim(typed.as.bytes);
    bool negative = text.length && text.at[0] == '-';
    if (negative) text = after(text, 1);
    uint64_t value = 0;
    size_t digits = 0, decimals = 0;
    bool point = false;
    for (size_t at = 0; at < text.length; at++) {
        char letter = text.at[at];
        if (letter == '.' && !point && digits) {
            point = true;
        } else if (letter >= '0' && letter <= '9') {
            unsigned digit = (unsigned)(letter - '0');
            if (value > (INT64_MAX - digit) / 10u) return wh_null();
            value = value * 10 + digit;
            digits++;
            if (point && ++decimals > 2) return wh_null();
        } else if (letter != ',' || point) {
            return wh_null();
        }
    }
    if (!digits || (point && !decimals)) return wh_null();
    for (; decimals < 2; decimals++) {
        if (value > INT64_MAX / 10u) return wh_null();
        value *= 10;
    }
    return wh_integer(negative ? -(int64_t)value : (int64_t)value);
}
