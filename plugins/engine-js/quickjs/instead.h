// Functions of QuickJS that others stand in for: those of `instead.c`, which call them, by the name with `_plain` at its
// end, for all that is not simple. By the first word in the parentheses a definition is told from a call.
#include "quickjs.h"

static JSValue js_call_instead(JSContext *, JSValueConst, JSValueConst, JSValueConst, int, JSValueConst *, int);
#define JS_CallInternal(first, ...) js_call_##first, __VA_ARGS__)
#define js_call_JSContext JS_CallInternal_plain(JSContext
#define js_call_ctx js_call_instead(ctx

static int js_for_of_start_instead(JSContext *, JSValue *, bool);
#define js_for_of_start(first, ...) js_for_of_start_##first, __VA_ARGS__)
#define js_for_of_start_JSContext js_for_of_start_plain(JSContext
#define js_for_of_start_ctx js_for_of_start_instead(ctx

static int js_for_of_next_instead(JSContext *, JSValue *, int);
#define js_for_of_next(first, ...) js_for_of_next_##first, __VA_ARGS__)
#define js_for_of_next_JSContext js_for_of_next_plain(JSContext
#define js_for_of_next_ctx js_for_of_next_instead(ctx

static int js_define_value_instead(JSContext *, JSValueConst, JSValue, JSValue, int);
#define JS_DefinePropertyValueValue(first, ...) js_define_value_##first, __VA_ARGS__)
#define js_define_value_JSContext JS_DefinePropertyValueValue_plain(JSContext
#define js_define_value_ctx js_define_value_instead(ctx

// The list of an array's methods names this one, without parentheses.
static JSValue js_array_join(JSContext *, JSValueConst, int, JSValueConst *, int);
#define js_array_join(...) js_array_join_plain(__VA_ARGS__)
