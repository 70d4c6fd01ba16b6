/* Runs the cases in cases.tsv (its path is the argument) through the rules and through the transform, natively. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

_Noreturn void wh_panic(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    exit(1);
}

/* Reads one column of a line in place; ends at a tab or the end of the line. */
static wh_cell column(char **at) {
    char *start = *at, *to = start, *from = start;
    bool null = !strncmp(start, "\\N", 2) && strchr("\t\n", start[2]);
    while (*from && *from != '\t' && *from != '\n') {
        if (*from == '\\' && from[1]) {
            char letter = *++from;
            *to++ = letter == 't' ? '\t' : letter == 'n' ? '\n' : letter == 'r' ? '\r' : letter;
            from++;
        } else {
            *to++ = *from++;
        }
    }
    *at = *from ? from + 1 : from;
    return null ? wh_null() : wh_text((wh_slice){start, (size_t)(to - start)});
}

static void expect(int line, const char *what, wh_cell found, wh_cell expected) {
    char number[32];
    if (found.kind == WH_INTEGER) {
        snprintf(number, sizeof number, "%lld", (long long)found.as.integer);
        found = wh_text(wh_string(number));
    }
    if (found.kind == expected.kind &&
        (found.kind == WH_NULL || (found.as.bytes.length == expected.as.bytes.length &&
                                   !memcmp(found.as.bytes.at, expected.as.bytes.at, found.as.bytes.length))))
        return;
    fprintf(stderr, "line %d: %s is not as expected\n", line, what);
    exit(1);
}

int main(int count, char **arguments) {
    FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
    if (!file) return fprintf(stderr, "give the path of cases.tsv\n"), 2;
    static const char *const names[] = {"first_name", "last_name", "email_key", "phone_key", "cents"};
    const wh_slice params[][2] = {
        {wh_string("whimbrel.read"), wh_string("id")},         {wh_string("whimbrel.read"), wh_string("full_name")},
        {wh_string("whimbrel.read"), wh_string("email")},      {wh_string("whimbrel.read"), wh_string("phone")},
        {wh_string("whimbrel.read"), wh_string("balance")},    {wh_string("whimbrel.write"), wh_string("first_name")},
        {wh_string("whimbrel.write"), wh_string("last_name")}, {wh_string("whimbrel.write"), wh_string("email_key")},
        {wh_string("whimbrel.write"), wh_string("phone_key")}, {wh_string("whimbrel.write"), wh_string("cents")}};
    const wh_context context = {.params = params, .params_length = sizeof params / sizeof *params};
    char line[4096], problem[256];
    int number = 0;
    while (fgets(line, sizeof line, file)) {
        number++;
        wh_cell cells[9];
        char *at = line;
        for (int each = 0; each < 9; each++) cells[each] = column(&at);
        wh_builder input, output;
        wh_builder_start(&input, 5);
        wh_builder_push(&input, 0, wh_integer(number));
        for (int each = 0; each < 4; each++) wh_builder_push(&input, (size_t)each + 1, cells[each]);
        wh_builder_finish(&input);
        int64_t row;
        if (!wh_apply(wh_transform, &input.batch, &context, &output, problem, &row))
            return fprintf(stderr, "line %d: %s\n", number, problem), 1;
        for (size_t each = 0; each < 5; each++)
            expect(number, names[each], wh_batch_cell(&output.batch, 0, each), cells[4 + each]);
        wh_builder_free(&input);
        wh_builder_free(&output);
    }
    printf("%d cases\n", number);
    return number > 0 ? 0 : 1;
}
