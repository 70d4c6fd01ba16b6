/* The codec against the vectors beside the contract; the path of packed-vectors.json is the argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "whimbrel.h"

/* A reader for the JSON of the vectors: objects, arrays, strings, numbers, true, false, null. */
static const char *at;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "%s at: %.60s\n", what, at);
    exit(1);
}

static void blanks(void) {
    while (*at && strchr(" \n\r\t", *at)) at++;
}

static bool is(char mark) {
    blanks();
    if (*at != mark) return false;
    at++;
    return true;
}

static void expect(char mark) {
    if (!is(mark)) fail("unexpected JSON");
}

static unsigned hex(int digits) {
    unsigned value = 0;
    for (; digits; digits--, at++) {
        const char *all = "0123456789abcdef", *found = strchr(all, *at | 0x20);
        value = value * 16 + (unsigned)(found - all);
    }
    return value;
}

/* Reads a string; the length may include zero bytes. */
static size_t string(char *into) {
    char *start = into;
    expect('"');
    while (*at != '"') {
        if (*at != '\\') {
            *into++ = *at++;
            continue;
        }
        at++;
        char escape = *at++;
        if (escape != 'u') {
            *into++ = escape == 'n' ? '\n' : escape == 't' ? '\t' : escape;
            continue;
        }
        unsigned code = hex(4);
        if (code < 0x80) *into++ = (char)code;
        else if (code < 0x800) *into++ = (char)(0xc0 | code >> 6), *into++ = (char)(0x80 | (code & 63));
        else fail("a character beyond what the vectors escape");
    }
    at++;
    *into = 0;
    return (size_t)(into - start);
}

static void name(const char *expected) {
    char found[64];
    string(found);
    if (strcmp(found, expected)) fail(expected);
    expect(':');
}

static int64_t number(void) {
    blanks();
    if (!strncmp(at, "null", 4)) {
        at += 4;
        return -1;
    }
    char *end;
    long long value = strtoll(at, &end, 10);
    if (end == at) fail("a number is expected");
    at = end;
    return value;
}

static bool truth(void) {
    blanks();
    bool value = *at == 't';
    at += value ? 4 : 5;
    return value;
}

static uint8_t *bytes(size_t *length) {
    char text[4096];
    *length = string(text) / 2;
    uint8_t *all = malloc(*length + 1);
    const char *back = at;
    at = text;
    for (size_t index = 0; index < *length; index++) all[index] = (uint8_t)hex(2);
    at = back;
    return all;
}

static wh_batch batch(void) {
    wh_batch read = {0};
    name("batch");
    expect('{');
    name("rows");
    read.rows = (uint32_t)number();
    expect(',');
    name("columns");
    expect('[');
    read.columns = calloc(8, sizeof *read.columns);
    while (!is(']')) {
        wh_column *column = &read.columns[read.width++];
        is(',');
        expect('{');
        name("kind");
        column->kind = (uint8_t)number();
        expect(',');
        name("tags");
        column->tags = bytes(&column->tags_length);
        expect(',');
        name("words");
        column->words = bytes(&column->words_length);
        expect(',');
        name("heap");
        column->heap = bytes(&column->heap_length);
        expect('}');
        is(',');
    }
    expect('}');
    return read;
}

/* Compares a cell with what the vector shows. */
static void cell(wh_cell found) {
    char kind[16], text[4096];
    expect('{');
    string(kind);
    expect(':');
    blanks();
    bool good = false;
    if (*at == '"') {
        size_t length = string(text);
        const char *back = at;
        uint64_t bits;
        if (!strcmp(kind, "integer")) good = found.kind == WH_INTEGER && found.as.integer == strtoll(text, NULL, 10);
        if (!strcmp(kind, "real")) {
            memcpy(&bits, &found.as.real, 8);
            good = found.kind == WH_REAL && bits == strtoull(text, NULL, 16);
        }
        if (!strcmp(kind, "text"))
            good = found.kind == WH_TEXT && found.as.bytes.length == length && !memcmp(found.as.bytes.at, text, length);
        if (!strcmp(kind, "blob")) {
            good = found.kind == WH_BLOB && found.as.bytes.length == length / 2;
            at = text;
            for (size_t index = 0; good && index < length / 2; index++)
                good = (uint8_t)found.as.bytes.at[index] == hex(2);
            at = back;
        }
    } else {
        bool value = truth();
        good = !strcmp(kind, "null") ? found.kind == WH_NULL : found.kind == WH_BOOLEAN && found.as.boolean == value;
    }
    if (!good) fail("a cell is not as the vector shows it, before");
    expect('}');
}

static bool same(const wh_batch *a, const wh_batch *b) {
    for (size_t index = 0; index < a->width; index++) {
        const wh_column *x = &a->columns[index], *y = &b->columns[index];
        if (x->kind != y->kind || x->tags_length != y->tags_length || x->words_length != y->words_length ||
            x->heap_length != y->heap_length)
            return false;
        if (x->tags_length && memcmp(x->tags, y->tags, x->tags_length)) return false;
        if (x->words_length && memcmp(x->words, y->words, x->words_length)) return false;
        if (x->heap_length && memcmp(x->heap, y->heap, x->heap_length)) return false;
    }
    return a->rows == b->rows;
}

static void valid(void) {
    char title[256];
    wh_malformed problem;
    name("name");
    string(title);
    expect(',');
    name("canonical");
    bool canonical = truth();
    expect(',');
    wh_batch read = batch();
    if (!wh_batch_check(&read, &problem)) fail(problem.reason);
    wh_builder builder;
    wh_builder_start(&builder, read.width);
    expect(',');
    name("rows");
    expect('[');
    uint32_t row = 0;
    for (; !is(']'); row++) {
        is(',');
        expect('[');
        for (size_t column = 0; !is(']'); column++) {
            is(',');
            cell(wh_batch_cell(&read, row, column));
            if (!wh_builder_push(&builder, column, wh_batch_cell(&read, row, column))) fail("a cell cannot be written");
        }
    }
    if (row != read.rows || !wh_builder_finish(&builder)) fail("the rows are not all there");
    if (canonical && read.width && !same(&read, &builder.batch)) fail(title);
    wh_builder_free(&builder);
}

static void malformed(void) {
    char title[256], reason[64];
    wh_malformed problem;
    name("name");
    string(title);
    expect(',');
    wh_batch read = batch();
    expect(',');
    name("reason");
    string(reason);
    expect(',');
    name("column");
    int64_t column = number();
    expect(',');
    name("row");
    int64_t row = number();
    if (wh_batch_check(&read, &problem) || strcmp(problem.reason, reason) || problem.column != column || problem.row != row)
        fail(title);
}

static int list(const char *of, void (*each)(void)) {
    int count = 0;
    name(of);
    expect('[');
    for (; !is(']'); count++) {
        is(',');
        expect('{');
        each();
        expect('}');
    }
    return count;
}

static void columns_by_name(void) {
    wh_builder builder;
    wh_builder_start(&builder, 2);
    wh_builder_push(&builder, 0, wh_integer(INT64_MAX));
    wh_builder_push(&builder, 1, wh_null());
    wh_builder_finish(&builder);
    char problem[256] = "";
    const wh_slice names[] = {wh_string("id"), wh_string("nothing")};
    wh_row row = {&builder.batch, names, 2, 0, problem};
    if (wh_get_integer(&row, "ID") != INT64_MAX || !wh_is_null(&row, "nothing") || problem[0]) fail("columns by name");
    wh_get_text(&row, "nothing");
    if (strcmp(problem, "column nothing: expected a text, found NULL")) fail(problem);
    problem[0] = 0;
    wh_get_text(&row, "nobody");
    if (strcmp(problem, "the query has no column nobody")) fail(problem);
    if (wh_builder_push(&builder, 1, wh_text(wh_string("\xff")))) fail("a text that is not UTF-8");
    wh_builder_free(&builder);
}

int main(int count, char **arguments) {
    FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
    if (!file) return fprintf(stderr, "give the path of packed-vectors.json\n"), 2;
    static char text[1 << 20];
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    at = text;
    expect('{');
    int good = list("valid", valid);
    expect(',');
    int bad = list("malformed", malformed);
    expect('}');
    columns_by_name();
    printf("%d valid, %d malformed\n", good, bad);
    return good >= 10 && bad >= 20 ? 0 : 1;
}
