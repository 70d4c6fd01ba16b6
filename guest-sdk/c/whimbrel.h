/* Database migrations in C that run as sandboxed WebAssembly components in whimbrel.
 *
 * Write `wh_up` (and `wh_down`), or `wh_transform`, perhaps `wh_verify` beside them, and compile it with packed.c,
 * whimbrel.c and bindings/bindings.c; WHIMBREL_UP, WHIMBREL_DOWN, WHIMBREL_TRANSFORM and WHIMBREL_VERIFY say which of them
 * there are. Without a Wasm compiler, packed.c and your own functions compile natively for unit tests.
 */
#ifndef WHIMBREL_H
#define WHIMBREL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- cells and the packed form (packed.c) ---- */

typedef enum { WH_NULL, WH_INTEGER, WH_REAL, WH_TEXT, WH_BLOB, WH_BOOLEAN } wh_kind;
#define WH_MIXED 255

/* Bytes that somebody else owns; never ended by a zero. */
typedef struct {
    const char *at;
    size_t length;
} wh_slice;

typedef struct {
    wh_kind kind;
    union {
        int64_t integer;
        double real;
        bool boolean;
        wh_slice bytes; /* text (UTF-8) or blob */
    } as;
} wh_cell;

wh_slice wh_string(const char *zero_ended);
wh_cell wh_null(void);
wh_cell wh_integer(int64_t value);
wh_cell wh_real(double value);
wh_cell wh_boolean(bool value);
wh_cell wh_text(wh_slice value);
wh_cell wh_blob(wh_slice value);

/* The parameters of a statement, and how many there are: wh_execute(tx, sql, WH_PARAMS(wh_integer(1))). */
#define WH_PARAMS(...) \
    (const wh_cell[]){__VA_ARGS__}, sizeof((const wh_cell[]){__VA_ARGS__}) / sizeof(wh_cell)
#define WH_NO_PARAMS NULL, 0

/* One column in packed form; packed.md beside the contract is its specification. */
typedef struct {
    uint8_t kind;
    uint8_t *tags;
    size_t tags_length;
    uint8_t *words;
    size_t words_length;
    uint8_t *heap;
    size_t heap_length;
} wh_column;

typedef struct {
    uint32_t rows;
    wh_column *columns;
    size_t width;
} wh_batch;

/* What is wrong with a batch: a name of packed.md, and where; -1 where it concerns no single one. */
typedef struct {
    const char *reason;
    int64_t column;
    int64_t row;
} wh_malformed;

/* Checks a whole batch; false with the reason if something is wrong. */
bool wh_batch_check(const wh_batch *batch, wh_malformed *problem);
/* Returns one cell of a checked batch; texts and blobs point into it. */
wh_cell wh_batch_cell(const wh_batch *batch, uint32_t row, size_t column);
void wh_batch_free(wh_batch *batch);

/* Makes a batch cell by cell. */
typedef struct {
    wh_batch batch;
    size_t *room; /* three a column: tags, words, heap */
    size_t bytes;
} wh_builder;

void wh_builder_start(wh_builder *builder, size_t width);
/* Appends a cell to a column; false when a text is not UTF-8 or the column would hold more than 4 GiB. */
bool wh_builder_push(wh_builder *builder, size_t column, wh_cell cell);
/* Counts the cells of the last column. */
uint32_t wh_builder_rows(const wh_builder *builder);
/* Sets `rows`; false when the columns have different numbers of cells. The batch stays the builder's. */
bool wh_builder_finish(wh_builder *builder);
void wh_builder_clear(wh_builder *builder);
void wh_builder_free(wh_builder *builder);

/* ---- rows, whose cells are read by the column's name ---- */

typedef struct {
    const wh_batch *batch;
    const wh_slice *names;
    size_t width;
    uint32_t index;
    char *problem; /* 256 bytes; the first thing that a getter found wrong, else empty */
} wh_row;

/* Each returns 0 or nothing, and notes the problem, when the column is not there or holds something else. */
int64_t wh_get_integer(const wh_row *row, const char *column);
double wh_get_real(const wh_row *row, const char *column);
bool wh_get_boolean(const wh_row *row, const char *column);
wh_slice wh_get_text(const wh_row *row, const char *column);
wh_slice wh_get_blob(const wh_row *row, const char *column);
bool wh_is_null(const wh_row *row, const char *column);
wh_cell wh_get(const wh_row *row, const char *column);

/* ---- transforms ---- */

/* What a migration may know about the run it is part of. There is no other clock and no randomness. */
typedef struct {
    wh_slice chain, version, name, tenant;
    bool dry_run;
    uint64_t started_at;
    uint64_t seed;
    const wh_slice (*params)[2];
    size_t params_length;
} wh_context;

/* Returns what the manifest's [params] gives for a name; nothing (at == NULL) when it gives none. */
wh_slice wh_param(const wh_context *context, const char *name);

typedef struct wh_out wh_out;

/* Sets one column of the row by its name in the manifest's `write`. What is not set keeps its value if it is also
 * read; in a row that goes into another table it is NULL. */
void wh_set(wh_out *out, const char *column, wh_cell cell);
/* Gives a whole row in the order of `write`: in place exactly one, into another table as many as there are. */
void wh_give(wh_out *out, const wh_cell *cells, size_t length);
/* Rejects the row; printf's format. */
void wh_reject(wh_out *out, const char *format, ...);

/* Yours: makes the columns that the manifest writes of a row. Nothing may be kept from one row to the next. */
typedef void wh_transformer(const wh_row *row, wh_out *out, const wh_context *context);
wh_transformer wh_transform;

/* Runs a transform over a batch, as the host does. On failure `problem` (256 bytes) says why and `row` which one. */
bool wh_apply(wh_transformer *transform, const wh_batch *input, const wh_context *context, wh_builder *output,
              char *problem, int64_t *row);

/* ---- the host (whimbrel.c) ---- */

typedef struct wh_tx wh_tx;
typedef struct wh_rows wh_rows;
typedef struct wh_statement wh_statement;
typedef struct wh_writer wh_writer;
typedef struct wh_savepoint wh_savepoint;

/* Yours: does the work. False undoes the step; the last error, or what wh_fail said, is shown to the operator. */
bool wh_up(wh_tx *tx, const wh_context *context);
/* Yours: undoes the work. */
bool wh_down(wh_tx *tx, const wh_context *context);
/* Yours: looks whether the work is as it should be. The transaction only reads. False undoes the step, as in wh_up. */
bool wh_verify(wh_tx *tx, const wh_context *context);

/* What failed last. `code` is one of an open set: denied, limit, constraint-unique, busy, … */
typedef struct {
    const char *code;
    const char *native;
    const char *message;
    int64_t row;    /* of the batch, counted from 0, or -1 */
    int64_t offset; /* byte of the statement, or -1 */
} wh_error;

const wh_error *wh_last_error(const wh_tx *tx);
bool wh_is_denied(const wh_tx *tx);
bool wh_is_limit(const wh_tx *tx);
bool wh_is_constraint(const wh_tx *tx);
/* It failed, and in none of these ways: the database failed in another. */
bool wh_is_database(const wh_tx *tx);
/* Says why the migration stops, and returns false. printf's format. */
bool wh_fail(wh_tx *tx, const char *format, ...);

/* Runs one statement; `changed` may be NULL. */
bool wh_execute(wh_tx *tx, const char *sql, const wh_cell *params, size_t length, uint64_t *changed);
/* Runs one query; NULL on failure. Free the rows with wh_rows_close. */
wh_rows *wh_query(wh_tx *tx, const char *sql, const wh_cell *params, size_t length);
/* Moves to the next row, or returns NULL: at the end, or on failure (wh_rows_ok tells which). */
const wh_row *wh_next(wh_rows *rows);
/* Ends the rows: false if a fetch failed or a getter found something wrong. */
bool wh_rows_close(wh_rows *rows);

/* Prepares one statement; NULL on failure. */
wh_statement *wh_prepare(wh_tx *tx, const char *sql);
bool wh_statement_execute(wh_statement *statement, const wh_cell *params, size_t length, uint64_t *changed);
void wh_statement_close(wh_statement *statement);

/* Collects rows of parameters and sends them about a thousand at a time. Rows that were never sent make the migration fail,
 * so that none is lost unseen. */
wh_writer *wh_writer_open(wh_statement *statement);
bool wh_write(wh_writer *writer, const wh_cell *params, size_t length);
/* Sends the rest and frees the writer; `changed` may be NULL. */
bool wh_writer_finish(wh_writer *writer, uint64_t *changed);

/* Opens a savepoint; end it with one of the two that follow. */
wh_savepoint *wh_savepoint_open(wh_tx *tx);
bool wh_savepoint_release(wh_savepoint *savepoint);
bool wh_savepoint_rollback(wh_savepoint *savepoint);

typedef enum { WH_TRACE, WH_DEBUG, WH_INFO, WH_WARN, WH_ERROR } wh_level;
/* Writes a line into the host's log; printf's format. */
void wh_log(wh_level level, const char *format, ...);
/* Tells how far the work is; a negative total is not known. */
void wh_progress(uint64_t done, int64_t total);
/* Writes the words into the log as an error, and stops. */
_Noreturn void wh_panic(const char *format, ...);

#endif
