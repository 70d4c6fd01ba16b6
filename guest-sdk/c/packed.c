/* The packed form and transforms. Needs no host: compiles natively for unit tests. */
#include "whimbrel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS (1u << 20)
#define MAX_COLUMNS 32767u
#define PROBLEM 256

wh_slice wh_string(const char *text) { return (wh_slice){text, strlen(text)}; }
wh_cell wh_null(void) { return (wh_cell){.kind = WH_NULL}; }
wh_cell wh_integer(int64_t value) { return (wh_cell){.kind = WH_INTEGER, .as.integer = value}; }
wh_cell wh_real(double value) { return (wh_cell){.kind = WH_REAL, .as.real = value}; }
wh_cell wh_boolean(bool value) { return (wh_cell){.kind = WH_BOOLEAN, .as.boolean = value}; }
wh_cell wh_text(wh_slice value) { return (wh_cell){.kind = WH_TEXT, .as.bytes = value}; }
wh_cell wh_blob(wh_slice value) { return (wh_cell){.kind = WH_BLOB, .as.bytes = value}; }

/* Turns a word as it lies in memory into a number, or back: least significant byte first, as WebAssembly has it. */
static uint64_t little(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

static uint64_t word_at(const wh_column *column, size_t row) {
    uint64_t word;
    memcpy(&word, column->words + row * 8, 8);
    return little(word);
}

static uint8_t kind_at(const wh_column *column, size_t row) {
    return column->tags_length ? column->tags[row] : column->kind;
}

/* Returns where a text stops being UTF-8, or its length. */
static size_t valid_up_to(const uint8_t *text, size_t length) {
    size_t at = 0;
    while (at < length) {
        for (uint64_t eight; length - at >= 8; at += 8) {
            memcpy(&eight, text + at, 8);
            if (eight & 0x8080808080808080u) break;
        }
        if (at == length) break;
        uint8_t first = text[at];
        if (first < 0x80) {
            at++;
            continue;
        }
        size_t more = first >= 0xc2 && first <= 0xdf ? 1 : (first & 0xf0) == 0xe0 ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
        if (more == 0 || length - at <= more) return at;
        uint8_t second = text[at + 1];
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (second < low || second > high) return at;
        for (size_t next = 2; next <= more; next++)
            if ((text[at + next] & 0xc0) != 0x80) return at;
        at += more + 1;
    }
    return length;
}

/* Checks one column; returns the reason or NULL. */
static const char *check_column(const wh_column *column, uint32_t rows, int64_t *where) {
    bool mixed = column->kind == WH_MIXED;
    *where = -1;
    if (column->kind > WH_BOOLEAN && !mixed) return "unknown-kind";
    if (column->words_length != (size_t)rows * 8) return "words-length";
    if (column->tags_length && column->tags_length != rows) return "tags-length";
    if (mixed && !column->tags_length && rows) return "tags-missing";
    for (size_t row = 0; row < column->tags_length; row++) {
        *where = (int64_t)row;
        if (column->tags[row] > WH_BOOLEAN) return "unknown-tag";
        if (!mixed && column->tags[row] && column->tags[row] != column->kind) return "tag-mismatch";
    }
    *where = -1;
    if (!mixed && column->kind != WH_TEXT && column->kind != WH_BLOB && column->heap_length) return "heap-unused";
    size_t valid = column->kind == WH_TEXT ? valid_up_to(column->heap, column->heap_length) : column->heap_length;
    bool whole = valid == column->heap_length;
    uint64_t total = 0;
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t word = word_at(column, row), start = (uint32_t)word, end = start + (word >> 32);
        *where = row;
        switch (kind_at(column, row)) {
        case WH_NULL:
            if (word) return "null-word";
            break;
        case WH_BOOLEAN:
            if (word > 1) return "boolean-word";
            break;
        case WH_TEXT:
        case WH_BLOB:
            if (end > column->heap_length) return "heap-range";
            if (column->kind == WH_TEXT && whole)
                for (int side = 0; side < 2; side++) {
                    uint64_t cut = side ? end : start;
                    if (cut < column->heap_length && (column->heap[cut] & 0xc0) == 0x80) return "utf8";
                }
            total += end - start;
            if (total > column->heap_length) return "heap-shared";
            if (mixed && kind_at(column, row) == WH_TEXT &&
                valid_up_to(column->heap + start, end - start) != end - start)
                return "utf8";
            break;
        default:
            break;
        }
    }
    if (whole) return NULL;
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t word = word_at(column, row), start = (uint32_t)word;
        *where = row;
        if (start <= valid && valid < start + (word >> 32)) return "utf8";
    }
    *where = -1;
    return "utf8";
}

bool wh_batch_check(const wh_batch *batch, wh_malformed *problem) {
    *problem = (wh_malformed){NULL, -1, -1};
    if (batch->rows > MAX_ROWS) problem->reason = "too-many-rows";
    else if (batch->width > MAX_COLUMNS) problem->reason = "too-many-columns";
    for (size_t column = 0; column < batch->width && !problem->reason; column++) {
        problem->reason = check_column(&batch->columns[column], batch->rows, &problem->row);
        if (problem->reason) problem->column = (int64_t)column;
    }
    return !problem->reason;
}

wh_cell wh_batch_cell(const wh_batch *batch, uint32_t row, size_t number) {
    const wh_column *column = &batch->columns[number];
    uint64_t word = word_at(column, row);
    wh_cell cell = {.kind = (wh_kind)kind_at(column, row)};
    switch (cell.kind) {
    case WH_INTEGER: cell.as.integer = (int64_t)word; break;
    case WH_REAL: memcpy(&cell.as.real, &word, 8); break;
    case WH_BOOLEAN: cell.as.boolean = word == 1; break;
    case WH_TEXT:
    case WH_BLOB:
        /* Never NULL, which memcpy and its like refuse even for no bytes. */
        cell.as.bytes = (wh_slice){column->heap ? (const char *)column->heap + (uint32_t)word : "", (size_t)(word >> 32)};
        break;
    case WH_NULL: break;
    }
    return cell;
}

void wh_batch_free(wh_batch *batch) {
    for (size_t column = 0; column < batch->width; column++) {
        if (batch->columns[column].tags_length) free(batch->columns[column].tags);
        if (batch->columns[column].words_length) free(batch->columns[column].words);
        if (batch->columns[column].heap_length) free(batch->columns[column].heap);
    }
    if (batch->width) free(batch->columns);
    *batch = (wh_batch){0};
}

void wh_builder_start(wh_builder *builder, size_t width) {
    *builder = (wh_builder){.batch = {.width = width}};
    builder->batch.columns = calloc(width ? width : 1, sizeof(wh_column));
    builder->room = calloc(width ? width * 3 : 1, sizeof(size_t));
    if (!builder->batch.columns || !builder->room) abort();
}

static void append(uint8_t **bytes, size_t *length, size_t *room, const void *more, size_t count) {
    if (*length + count > *room) {
        *room = (*length + count) * 2 + 64;
        *bytes = realloc(*bytes, *room);
        if (!*bytes) abort();
    }
    if (count) memcpy(*bytes + *length, more, count);
    *length += count;
}

static void push_word(wh_builder *builder, size_t number, uint8_t kind, uint64_t word) {
    wh_column *column = &builder->batch.columns[number];
    size_t *room = builder->room + number * 3, rows = column->words_length / 8;
    word = little(word);
    append(&column->words, &column->words_length, &room[1], &word, 8);
    if (kind == column->kind && !column->tags_length) return;
    if (!column->tags_length)
        for (size_t row = 0; row < rows; row++) append(&column->tags, &column->tags_length, &room[0], &column->kind, 1);
    if (kind != WH_NULL && kind != column->kind) column->kind = column->kind == WH_NULL ? kind : WH_MIXED;
    if (rows) append(&column->tags, &column->tags_length, &room[0], &kind, 1);
}

bool wh_builder_push(wh_builder *builder, size_t number, wh_cell cell) {
    uint64_t word = 0;
    wh_column *column = &builder->batch.columns[number];
    switch (cell.kind) {
    case WH_NULL: break;
    case WH_INTEGER: word = (uint64_t)cell.as.integer; break;
    case WH_REAL: memcpy(&word, &cell.as.real, 8); break;
    case WH_BOOLEAN: word = cell.as.boolean; break;
    case WH_TEXT:
    case WH_BLOB: {
        wh_slice bytes = cell.as.bytes;
        if (cell.kind == WH_TEXT && valid_up_to((const uint8_t *)bytes.at, bytes.length) != bytes.length) return false;
        if ((uint64_t)column->heap_length + bytes.length > UINT32_MAX) return false;
        word = column->heap_length | (uint64_t)bytes.length << 32;
        append(&column->heap, &column->heap_length, &builder->room[number * 3 + 2], bytes.at, bytes.length);
        builder->bytes += bytes.length;
        break;
    }
    }
    builder->bytes += 8;
    push_word(builder, number, (uint8_t)cell.kind, word);
    return true;
}

uint32_t wh_builder_rows(const wh_builder *builder) {
    size_t width = builder->batch.width;
    return width ? (uint32_t)(builder->batch.columns[width - 1].words_length / 8) : 0;
}

bool wh_builder_finish(wh_builder *builder) {
    builder->batch.rows = wh_builder_rows(builder);
    for (size_t column = 0; column < builder->batch.width; column++)
        if (builder->batch.columns[column].words_length != (size_t)builder->batch.rows * 8) return false;
    return true;
}

void wh_builder_clear(wh_builder *builder) {
    for (size_t column = 0; column < builder->batch.width; column++) {
        wh_column *each = &builder->batch.columns[column];
        each->kind = WH_NULL;
        each->tags_length = each->words_length = each->heap_length = 0;
    }
    builder->bytes = 0;
}

void wh_builder_free(wh_builder *builder) {
    for (size_t column = 0; column < builder->batch.width; column++) {
        free(builder->batch.columns[column].tags);
        free(builder->batch.columns[column].words);
        free(builder->batch.columns[column].heap);
    }
    free(builder->batch.columns);
    free(builder->room);
    *builder = (wh_builder){0};
}

/* ---- rows ---- */

static bool same(wh_slice name, const char *other) {
    size_t at = 0;
    for (; at < name.length && other[at]; at++) {
        char a = name.at[at], b = other[at];
        if (a >= 'A' && a <= 'Z') a += 32;
        if (b >= 'A' && b <= 'Z') b += 32;
        if (a != b) return false;
    }
    return at == name.length && !other[at];
}

static bool find(const wh_slice *names, size_t width, const char *column, size_t *at) {
    for (*at = 0; *at < width; ++*at)
        if (same(names[*at], column)) return true;
    return false;
}

static void note(const wh_row *row, const char *format, const char *column, const char *expected, const char *found) {
    if (!row->problem[0]) snprintf(row->problem, PROBLEM, format, column, expected, found);
}

wh_cell wh_get(const wh_row *row, const char *column) {
    size_t at;
    if (find(row->names, row->width, column, &at)) return wh_batch_cell(row->batch, row->index, at);
    note(row, "the query has no column %s", column, "", "");
    return wh_null();
}

static wh_cell typed(const wh_row *row, const char *column, wh_kind kind, wh_kind other, const char *expected) {
    static const char *const names[] = {"NULL", "an integer", "a real number", "a text", "a blob", "a boolean"};
    wh_cell cell = wh_get(row, column);
    if (cell.kind != kind && cell.kind != other) {
        note(row, "column %s: expected %s, found %s", column, expected, names[cell.kind]);
        cell = (wh_cell){.kind = kind};
    }
    return cell;
}

int64_t wh_get_integer(const wh_row *row, const char *column) {
    return typed(row, column, WH_INTEGER, WH_INTEGER, "an integer").as.integer;
}

double wh_get_real(const wh_row *row, const char *column) {
    wh_cell cell = typed(row, column, WH_REAL, WH_INTEGER, "a number");
    return cell.kind == WH_INTEGER ? (double)cell.as.integer : cell.as.real;
}

bool wh_get_boolean(const wh_row *row, const char *column) {
    wh_cell cell = typed(row, column, WH_BOOLEAN, WH_INTEGER, "a boolean");
    if (cell.kind == WH_BOOLEAN) return cell.as.boolean;
    if (cell.as.integer != 0 && cell.as.integer != 1)
        note(row, "column %s: expected %s, found %s", column, "a boolean", "an integer that is neither 0 nor 1");
    return cell.as.integer == 1;
}

wh_slice wh_get_text(const wh_row *row, const char *column) {
    return typed(row, column, WH_TEXT, WH_TEXT, "a text").as.bytes;
}

wh_slice wh_get_blob(const wh_row *row, const char *column) {
    return typed(row, column, WH_BLOB, WH_BLOB, "a blob").as.bytes;
}

bool wh_is_null(const wh_row *row, const char *column) { return wh_get(row, column).kind == WH_NULL; }

/* ---- transforms ---- */

static bool is(wh_slice name, const char *other) {
    return name.length == strlen(other) && !memcmp(name.at, other, name.length);
}

wh_slice wh_param(const wh_context *context, const char *name) {
    for (size_t at = 0; at < context->params_length; at++)
        if (is(context->params[at][0], name)) return context->params[at][1];
    return (wh_slice){NULL, 0};
}

struct wh_out {
    wh_builder *builder;
    const wh_slice *names;
    size_t width;
    bool *set;
    bool into, any;
    uint32_t rows, index;
    char *problem;
};

void wh_reject(wh_out *out, const char *format, ...) {
    if (out->problem[0]) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->problem, PROBLEM, format, arguments);
    va_end(arguments);
}

static void push(wh_out *out, size_t column, wh_cell cell) {
    if (!wh_builder_push(out->builder, column, cell)) wh_reject(out, "a text is not UTF-8, or the batch is too large");
}

void wh_set(wh_out *out, const char *column, wh_cell cell) {
    size_t at;
    if (!find(out->names, out->width, column, &at)) {
        wh_reject(out, "the manifest does not write %s", column);
    } else if (out->set[at] || out->rows) {
        wh_reject(out, "the transform set %s twice", column);
    } else {
        out->set[at] = out->any = true;
        push(out, at + out->into, cell);
    }
}

void wh_give(wh_out *out, const wh_cell *cells, size_t length) {
    if (length != out->width) {
        wh_reject(out, "the transform gave a row of %zu cells, and %zu are written", length, out->width);
    } else if (out->any || (out->rows && !out->into)) {
        wh_reject(out, "the transform gave more than one row for a row that is updated in place");
    } else {
        if (out->into) push(out, 0, wh_integer(out->index));
        for (size_t at = 0; at < length; at++) push(out, at + out->into, cells[at]);
        out->rows++;
    }
}

/* Fills in what was not set. */
static void end_row(wh_out *out, const wh_row *row) {
    if (!out->any && (out->rows || out->into)) return;
    if (out->into) push(out, 0, wh_integer(out->index));
    for (size_t at = 0, read; at < out->width; at++) {
        if (out->set[at]) continue;
        if (out->into) {
            push(out, at + 1, wh_null());
            continue;
        }
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)out->names[at].length, out->names[at].at);
        if (find(row->names, row->width, name, &read)) push(out, at, wh_batch_cell(row->batch, row->index, read));
        else wh_reject(out, "the transform did not set %s; to keep its value, it has to be read too", name);
    }
}

static size_t names_of(const wh_context *context, const char *name, wh_slice *names) {
    size_t count = 0;
    for (size_t at = 0; at < context->params_length; at++)
        if (is(context->params[at][0], name)) names[count++] = context->params[at][1];
    return count;
}

bool wh_apply(wh_transformer *transform, const wh_batch *input, const wh_context *context, wh_builder *output,
              char *problem, int64_t *row) {
    wh_malformed malformed;
    problem[0] = 0;
    *row = -1;
    if (!wh_batch_check(input, &malformed)) {
        snprintf(problem, PROBLEM, "malformed batch, column %lld, row %lld: %s", (long long)malformed.column,
                 (long long)malformed.row, malformed.reason);
        return false;
    }
    wh_slice *read = calloc(context->params_length * 2 + 1, sizeof *read), *write = read + context->params_length;
    bool *set = calloc(context->params_length + 1, 1);
    if (!read || !set) abort();
    size_t width = names_of(context, "whimbrel.read", read);
    wh_out out = {.builder = output, .names = write, .set = set, .problem = problem};
    out.width = names_of(context, "whimbrel.write", write);
    out.into = wh_param(context, "whimbrel.into").at != NULL;
    wh_builder_start(output, out.width + out.into);
    if (width != input->width) wh_reject(&out, "the batch has other columns than the manifest reads");
    for (uint32_t index = 0; index < input->rows && !problem[0]; index++) {
        wh_row each = {input, read, width, index, problem};
        out.index = index;
        out.rows = 0;
        out.any = false;
        memset(set, 0, out.width);
        transform(&each, &out, context);
        if (!problem[0]) end_row(&out, &each);
        if (problem[0]) *row = index;
    }
    free(read);
    free(set);
    if (!problem[0] && !wh_builder_finish(output)) snprintf(problem, PROBLEM, "the columns have different lengths");
    return !problem[0];
}
