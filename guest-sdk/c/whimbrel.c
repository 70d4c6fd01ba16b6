/* The host: the transaction, statements, the log, and the exports of a component. */
#include "whimbrel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/bindings.h"

#define BATCH_ROWS 1024
#define BATCH_BYTES (1 << 20)

struct wh_tx {
    whimbrel_migration_sql_own_transaction_t handle;
    wh_error error;
    uint64_t unsent; /* rows that writers collected and have not sent */
    char code[64], native[64], message[1024];
};

struct wh_rows {
    wh_tx *tx;
    whimbrel_migration_sql_own_cursor_t handle;
    bindings_list_string_t names;
    wh_batch batch;
    wh_row row;
    uint32_t next;
    bool failed;
    char problem[256];
};

struct wh_statement {
    wh_tx *tx;
    whimbrel_migration_sql_own_statement_t handle;
};

struct wh_writer {
    wh_tx *tx;
    wh_statement *statement;
    wh_builder builder;
    uint64_t changed, sent;
    bool started, failed;
};

struct wh_savepoint {
    wh_tx *tx;
    whimbrel_migration_sql_own_savepoint_t handle;
};

static void *room(size_t size) {
    void *memory = calloc(1, size);
    if (!memory) wh_panic("out of memory");
    return memory;
}

static bindings_string_t borrow(const char *text) { return (bindings_string_t){(uint8_t *)text, strlen(text)}; }

static void copy(char *into, size_t size, bindings_string_t text) {
    size_t length = text.len < size - 1 ? text.len : size - 1;
    memcpy(into, text.ptr, length);
    // Not inside a character.
    while (length && length < text.len && ((uint8_t)text.ptr[length] & 0xc0) == 0x80) length--;
    into[length] = 0;
}

/* ---- errors ---- */

static bool failed(wh_tx *tx, whimbrel_migration_sql_sql_error_t *error) {
    copy(tx->code, sizeof tx->code, error->code);
    copy(tx->native, sizeof tx->native, error->native);
    copy(tx->message, sizeof tx->message, error->message);
    tx->error = (wh_error){tx->code, tx->native, tx->message, error->row.is_some ? (int64_t)error->row.val : -1,
                           error->offset.is_some ? (int64_t)error->offset.val : -1};
    whimbrel_migration_sql_sql_error_free(error);
    return false;
}

const wh_error *wh_last_error(const wh_tx *tx) { return &tx->error; }
bool wh_is_denied(const wh_tx *tx) { return !strcmp(tx->code, "denied"); }
bool wh_is_limit(const wh_tx *tx) { return !strcmp(tx->code, "limit"); }
bool wh_is_constraint(const wh_tx *tx) { return !strncmp(tx->code, "constraint", 10); }
bool wh_is_database(const wh_tx *tx) {
    return tx->code[0] && !wh_is_denied(tx) && !wh_is_limit(tx) && !wh_is_constraint(tx);
}

bool wh_fail(wh_tx *tx, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(tx->message, sizeof tx->message, format, arguments);
    va_end(arguments);
    tx->code[0] = tx->native[0] = 0;
    tx->error = (wh_error){tx->code, tx->native, tx->message, -1, -1};
    return false;
}

/* ---- statements ---- */

static whimbrel_migration_sql_list_value_t values(const wh_cell *params, size_t length) {
    whimbrel_migration_sql_list_value_t list = {room((length + 1) * sizeof *list.ptr), length};
    for (size_t at = 0; at < length; at++) {
        whimbrel_migration_sql_value_t *value = &list.ptr[at];
        switch (params[at].kind) {
        case WH_NULL: value->tag = WHIMBREL_MIGRATION_TYPES_VALUE_NULL; break;
        case WH_BOOLEAN:
            value->tag = WHIMBREL_MIGRATION_TYPES_VALUE_BOOLEAN;
            value->val.boolean = params[at].as.boolean;
            break;
        case WH_INTEGER:
            value->tag = WHIMBREL_MIGRATION_TYPES_VALUE_INTEGER;
            value->val.integer = params[at].as.integer;
            break;
        case WH_REAL:
            value->tag = WHIMBREL_MIGRATION_TYPES_VALUE_REAL;
            value->val.real = params[at].as.real;
            break;
        case WH_TEXT:
        case WH_BLOB:
            value->tag = params[at].kind == WH_TEXT ? WHIMBREL_MIGRATION_TYPES_VALUE_TEXT
                                                    : WHIMBREL_MIGRATION_TYPES_VALUE_BLOB;
            value->val.text = (bindings_string_t){(uint8_t *)params[at].as.bytes.at, params[at].as.bytes.length};
            break;
        }
    }
    return list;
}

bool wh_execute(wh_tx *tx, const char *sql, const wh_cell *params, size_t length, uint64_t *changed) {
    whimbrel_migration_sql_sql_error_t error;
    whimbrel_migration_sql_list_value_t list = values(params, length);
    bindings_string_t text = borrow(sql);
    uint64_t count = 0;
    bool ok = whimbrel_migration_sql_method_transaction_execute(
        whimbrel_migration_sql_borrow_transaction(tx->handle), &text, &list, &count, &error);
    free(list.ptr);
    if (changed) *changed = count;
    return ok || failed(tx, &error);
}

wh_rows *wh_query(wh_tx *tx, const char *sql, const wh_cell *params, size_t length) {
    whimbrel_migration_sql_sql_error_t error;
    whimbrel_migration_sql_list_value_t list = values(params, length);
    bindings_string_t text = borrow(sql);
    wh_rows *rows = room(sizeof *rows);
    rows->tx = tx;
    bool ok = whimbrel_migration_sql_method_transaction_query(
        whimbrel_migration_sql_borrow_transaction(tx->handle), &text, &list, &rows->handle, &error);
    free(list.ptr);
    if (!ok) {
        failed(tx, &error);
        free(rows);
        return NULL;
    }
    whimbrel_migration_sql_method_cursor_columns(whimbrel_migration_sql_borrow_cursor(rows->handle), &rows->names);
    rows->row = (wh_row){&rows->batch, (const wh_slice *)rows->names.ptr, rows->names.len, 0, rows->problem};
    return rows;
}

/* Takes over the memory of a batch that came from the host, or lends it to the host. */
static wh_batch ours(whimbrel_migration_sql_batch_t batch) {
    wh_batch mine = {batch.rows, NULL, batch.columns.len};
    mine.columns = room((mine.width + 1) * sizeof *mine.columns);
    for (size_t at = 0; at < mine.width; at++) {
        whimbrel_migration_types_column_t *column = &batch.columns.ptr[at];
        mine.columns[at] = (wh_column){column->kind,      column->tags.ptr, column->tags.len, column->words.ptr,
                                       column->words.len, column->heap.ptr, column->heap.len};
    }
    if (batch.columns.len) free(batch.columns.ptr);
    return mine;
}

static whimbrel_migration_sql_batch_t lent(const wh_batch *mine) {
    whimbrel_migration_sql_batch_t batch = {mine->rows, {room((mine->width + 1) * sizeof *batch.columns.ptr), mine->width}};
    for (size_t at = 0; at < mine->width; at++) {
        const wh_column *column = &mine->columns[at];
        batch.columns.ptr[at] = (whimbrel_migration_types_column_t){column->kind,
                                                                    {column->tags, column->tags_length},
                                                                    {column->words, column->words_length},
                                                                    {column->heap, column->heap_length}};
    }
    return batch;
}

static bool fetch(wh_rows *rows) {
    whimbrel_migration_sql_option_batch_t next;
    whimbrel_migration_sql_sql_error_t error;
    wh_malformed malformed;
    wh_batch_free(&rows->batch);
    rows->next = 0;
    if (!whimbrel_migration_sql_method_cursor_next_batch(whimbrel_migration_sql_borrow_cursor(rows->handle), BATCH_ROWS,
                                                         BATCH_BYTES, &next, &error)) {
        rows->failed = true;
        return failed(rows->tx, &error);
    }
    if (!next.is_some) return false;
    rows->batch = ours(next.val);
    if (wh_batch_check(&rows->batch, &malformed)) return true;
    rows->failed = true;
    return wh_fail(rows->tx, "malformed batch: %s", malformed.reason);
}

const wh_row *wh_next(wh_rows *rows) {
    if (rows->failed || rows->problem[0]) return NULL;
    while (rows->next >= rows->batch.rows)
        if (!fetch(rows)) return NULL;
    rows->row.index = rows->next++;
    return &rows->row;
}

bool wh_rows_close(wh_rows *rows) {
    bool ok = !rows->failed;
    if (ok && rows->problem[0]) ok = wh_fail(rows->tx, "%s", rows->problem);
    wh_batch_free(&rows->batch);
    bindings_list_string_free(&rows->names);
    whimbrel_migration_sql_cursor_drop_own(rows->handle);
    free(rows);
    return ok;
}

wh_statement *wh_prepare(wh_tx *tx, const char *sql) {
    whimbrel_migration_sql_sql_error_t error;
    bindings_string_t text = borrow(sql);
    wh_statement *statement = room(sizeof *statement);
    statement->tx = tx;
    if (whimbrel_migration_sql_method_transaction_prepare(whimbrel_migration_sql_borrow_transaction(tx->handle), &text,
                                                          &statement->handle, &error))
        return statement;
    failed(tx, &error);
    free(statement);
    return NULL;
}

bool wh_statement_execute(wh_statement *statement, const wh_cell *params, size_t length, uint64_t *changed) {
    whimbrel_migration_sql_sql_error_t error;
    whimbrel_migration_sql_list_value_t list = values(params, length);
    uint64_t count = 0;
    bool ok = whimbrel_migration_sql_method_statement_execute(
        whimbrel_migration_sql_borrow_statement(statement->handle), &list, &count, &error);
    free(list.ptr);
    if (changed) *changed = count;
    return ok || failed(statement->tx, &error);
}

void wh_statement_close(wh_statement *statement) {
    if (!statement) return;
    whimbrel_migration_sql_statement_drop_own(statement->handle);
    free(statement);
}

wh_writer *wh_writer_open(wh_statement *statement) {
    wh_writer *writer = room(sizeof *writer);
    writer->tx = statement->tx;
    writer->statement = statement;
    return writer;
}

static bool flush(wh_writer *writer) {
    whimbrel_migration_sql_sql_error_t error;
    wh_tx *tx = writer->tx;
    if (!writer->started || !wh_builder_rows(&writer->builder)) return !writer->failed;
    if (!wh_builder_finish(&writer->builder)) return wh_fail(tx, "the columns of the batch have different lengths");
    whimbrel_migration_sql_batch_t batch = lent(&writer->builder.batch);
    uint64_t changed = 0;
    bool ok = whimbrel_migration_sql_method_statement_execute_batch(
        whimbrel_migration_sql_borrow_statement(writer->statement->handle), &batch, &changed, &error);
    free(batch.columns.ptr);
    uint64_t sent = writer->sent;
    tx->unsent -= batch.rows;
    writer->sent += batch.rows;
    writer->changed += changed;
    wh_builder_clear(&writer->builder);
    if (ok) return true;
    writer->failed = true;
    failed(tx, &error);
    if (tx->error.row >= 0) tx->error.row += (int64_t)sent;
    return false;
}

bool wh_write(wh_writer *writer, const wh_cell *params, size_t length) {
    wh_tx *tx = writer->tx;
    if (writer->failed) return false;
    if (!length) {
        uint64_t changed;
        bool ok = wh_statement_execute(writer->statement, NULL, 0, &changed);
        writer->changed += changed;
        writer->failed = !ok;
        return ok;
    }
    if (!writer->started) {
        wh_builder_start(&writer->builder, length);
        writer->started = true;
    }
    if (writer->builder.batch.width != length) {
        writer->failed = true;
        return wh_fail(tx, "the first row had %zu parameters, this one has %zu", writer->builder.batch.width, length);
    }
    for (size_t at = 0; at < length; at++)
        if (!wh_builder_push(&writer->builder, at, params[at])) {
            writer->failed = true;
            return wh_fail(tx, "parameter %zu is a text that is not UTF-8, or the batch is too large", at + 1);
        }
    tx->unsent++;
    if (wh_builder_rows(&writer->builder) >= BATCH_ROWS || writer->builder.bytes >= BATCH_BYTES) return flush(writer);
    return true;
}

bool wh_writer_finish(wh_writer *writer, uint64_t *changed) {
    bool ok = !writer->failed && flush(writer);
    if (changed) *changed = writer->changed;
    if (writer->started) {
        // What a writer that failed has left is not lost without a word: this returns false.
        writer->tx->unsent -= wh_builder_rows(&writer->builder);
        wh_builder_free(&writer->builder);
    }
    free(writer);
    return ok;
}

/* ---- savepoints ---- */

wh_savepoint *wh_savepoint_open(wh_tx *tx) {
    whimbrel_migration_sql_sql_error_t error;
    wh_savepoint *savepoint = room(sizeof *savepoint);
    savepoint->tx = tx;
    if (whimbrel_migration_sql_method_transaction_open_savepoint(whimbrel_migration_sql_borrow_transaction(tx->handle),
                                                                 &savepoint->handle, &error))
        return savepoint;
    failed(tx, &error);
    free(savepoint);
    return NULL;
}

static bool end(wh_savepoint *savepoint, bool keep) {
    whimbrel_migration_sql_sql_error_t error;
    whimbrel_migration_sql_borrow_savepoint_t handle = whimbrel_migration_sql_borrow_savepoint(savepoint->handle);
    bool ok = keep ? whimbrel_migration_sql_method_savepoint_release(handle, &error)
                   : whimbrel_migration_sql_method_savepoint_rollback(handle, &error);
    if (!ok) failed(savepoint->tx, &error);
    whimbrel_migration_sql_savepoint_drop_own(savepoint->handle);
    free(savepoint);
    return ok;
}

bool wh_savepoint_release(wh_savepoint *savepoint) { return end(savepoint, true); }
bool wh_savepoint_rollback(wh_savepoint *savepoint) { return end(savepoint, false); }

/* ---- the log ---- */

static void write_line(wh_level level, const char *format, va_list arguments) {
    char line[2048];
    vsnprintf(line, sizeof line, format, arguments);
    bindings_string_t text = borrow(line);
    whimbrel_migration_log_write((whimbrel_migration_log_level_t)level, &text);
}

void wh_log(wh_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(level, format, arguments);
    va_end(arguments);
}

void wh_progress(uint64_t done, int64_t total) {
    uint64_t all = (uint64_t)total;
    whimbrel_migration_log_progress(done, total < 0 ? NULL : &all);
}

_Noreturn void wh_panic(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(WH_ERROR, format, arguments);
    va_end(arguments);
    __builtin_trap();
}

/* ---- exports ---- */

/* The bindings ask for an object file that describes the world; `whimbrel componentize` brings the description. */
extern void __component_type_object_force_link_bindings(void);
void __component_type_object_force_link_bindings(void) {}

/* The words that go back to the host; they live until the next call. */
static char returned_text[1280];
static __attribute__((aligned(8))) uint32_t returned[5];

/* Has every line that is printed reach the host's log when it is whole. Else what follows the first one stays in a buffer:
 * there is no terminal, and no end of the program at which it would be written. */
static void listen(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

#if defined(WHIMBREL_UP) || defined(WHIMBREL_DOWN) || defined(WHIMBREL_VERIFY)
static void *call(bool (*work)(wh_tx *, const wh_context *), int32_t handle, const wh_context *context) {
    wh_tx *tx = room(sizeof *tx);
    tx->handle.__handle = handle;
    wh_fail(tx, "it failed and did not say why");
    listen();
    bool ok = work(tx, context);
    if (ok && tx->unsent)
        ok = wh_fail(tx, "a writer was left with %llu rows that were never sent: call wh_writer_finish",
                     (unsigned long long)tx->unsent);
    fflush(stdout);
    whimbrel_migration_sql_transaction_drop_own(tx->handle);
    returned[0] = !ok;
    if (!ok) {
        int length = snprintf(returned_text, sizeof returned_text, "%s", tx->message);
        if (tx->native[0]) length += snprintf(returned_text + length, sizeof returned_text - length, " (%s)", tx->native);
        if (tx->error.row >= 0)
            snprintf(returned_text + length, sizeof returned_text - length, ", row %lld of the batch",
                     (long long)tx->error.row);
        returned[1] = (uint32_t)(uintptr_t)returned_text;
        returned[2] = (uint32_t)strlen(returned_text);
    }
    free(tx);
    return returned;
}

#define CONTEXT_PARAMETERS                                                                                         \
    const char *chain, size_t chain_length, const char *version, size_t version_length, const char *name,          \
        size_t name_length, int32_t has_tenant, const char *tenant, size_t tenant_length, int32_t dry_run,         \
        uint64_t started_at, uint64_t seed, const wh_slice(*params)[2], size_t params_length
#define CONTEXT                                                                                                    \
    &(const wh_context) {                                                                                          \
        {chain, chain_length}, {version, version_length}, {name, name_length},                                     \
            {has_tenant ? tenant : NULL, has_tenant ? tenant_length : 0}, dry_run != 0, started_at, seed, params,  \
            params_length                                                                                          \
    }
#endif

#ifdef WHIMBREL_UP
__attribute__((export_name("up"))) void *whimbrel_export_up(int32_t handle, CONTEXT_PARAMETERS) {
    return call(wh_up, handle, CONTEXT);
}
#endif

#ifdef WHIMBREL_DOWN
__attribute__((export_name("down"))) void *whimbrel_export_down(int32_t handle, CONTEXT_PARAMETERS) {
    return call(wh_down, handle, CONTEXT);
}
#endif

#ifdef WHIMBREL_VERIFY
__attribute__((export_name("verify"))) void *whimbrel_export_verify(int32_t handle, CONTEXT_PARAMETERS) {
    return call(wh_verify, handle, CONTEXT);
}
#endif

#ifdef WHIMBREL_TRANSFORM
/* What `apply` is given: too much for separate parameters, so it comes in memory. */
typedef struct {
    whimbrel_migration_sql_batch_t input;
    whimbrel_migration_types_context_t context;
} arguments;

static wh_builder output;
static whimbrel_migration_sql_batch_t given;

__attribute__((export_name("apply"))) void *whimbrel_export_apply(arguments *from) {
    whimbrel_migration_types_context_t *c = &from->context;
    wh_context context = {{(char *)c->chain.ptr, c->chain.len},
                          {(char *)c->version.ptr, c->version.len},
                          {(char *)c->name.ptr, c->name.len},
                          {c->tenant.is_some ? (char *)c->tenant.val.ptr : NULL, c->tenant.is_some ? c->tenant.val.len : 0},
                          c->dry_run,
                          c->started_at,
                          c->seed,
                          (const wh_slice(*)[2])c->params.ptr,
                          c->params.len};
    wh_batch input = ours(from->input);
    int64_t row;
    if (output.room) wh_builder_free(&output);
    if (given.columns.ptr) free(given.columns.ptr);
    given.columns.ptr = NULL;
    listen();
    bool ok = wh_apply(wh_transform, &input, &context, &output, returned_text, &row);
    fflush(stdout);
    if (ok) {
        given = lent(&output.batch);
        returned[0] = 0;
        returned[1] = given.rows;
        returned[2] = (uint32_t)(uintptr_t)given.columns.ptr;
        returned[3] = (uint32_t)given.columns.len;
    } else {
        returned[0] = 1;
        returned[1] = row >= 0;
        returned[2] = (uint32_t)row;
        returned[3] = (uint32_t)(uintptr_t)returned_text;
        returned[4] = (uint32_t)strlen(returned_text);
    }
    wh_batch_free(&input);
    whimbrel_migration_types_context_free(c);
    free(from);
    return returned;
}
#endif
