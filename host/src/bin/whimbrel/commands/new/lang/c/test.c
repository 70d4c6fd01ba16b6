/* Unit tests: build.sh compiles and runs them natively, with -UNDEBUG, without which `assert` would be nothing. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "trim.h"

int main(void) {
    wh_slice text = trim(wh_string("  a b "));
    assert(text.length == 3 && !memcmp(text.at, "a b", 3));
    assert(trim(wh_string("   ")).length == 0);
    puts("all tests passed");
    return 0;
}
