// Functions of QuickJS that others stand in for: those of `instead.c`, `errors.c` and `places.c`, which call them by the name with
// `_plain` at its end. By the first word in the parentheses a definition is told from a call.
#include "quickjs.h"

typedef struct JSObject JSObject;
typedef struct JSProperty JSProperty;

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

static JSProperty *add_property_instead(JSContext *, JSObject *, JSAtom, int);
#define add_property(first, ...) add_property_##first, __VA_ARGS__)
#define add_property_JSContext add_property_plain(JSContext
#define add_property_ctx add_property_instead(ctx

static JSValue js_new_object_instead(JSContext *);
#define JS_NewObject(first) js_new_object_##first)
#define js_new_object_JSContext JS_NewObject_plain(JSContext
#define js_new_object_ctx js_new_object_instead(ctx

static int js_define_field_instead(JSContext *, JSValueConst, JSAtom, JSValue, int);
#define JS_DefinePropertyValue(first, ...) js_define_field_##first, __VA_ARGS__)
#define js_define_field_JSContext JS_DefinePropertyValue_plain(JSContext
#define js_define_field_ctx js_define_field_instead(ctx

// The enumeration of errors is not known here.
static JSValue make_error_instead(JSContext *, int, bool, const char *);
#define JS_MakeError2(first, ...) make_error_##first, __VA_ARGS__)
#define make_error_JSContext JS_MakeError2_plain(JSContext
#define make_error_ctx make_error_instead(ctx

static void build_backtrace_instead(JSContext *, JSValueConst, JSValueConst, const char *, int, int, int);
#define build_backtrace(first, ...) build_backtrace_##first, __VA_ARGS__)
#define build_backtrace_JSContext build_backtrace_plain(JSContext
#define build_backtrace_ctx build_backtrace_instead(ctx
#define build_backtrace_s build_backtrace_instead(s

struct JSParseState;
static int js_parse_destructuring_element_instead(struct JSParseState *, int, bool, bool, int, bool, bool);
#define js_parse_destructuring_element(first, ...) js_parse_destructuring_element_##first, __VA_ARGS__)
#define js_parse_destructuring_element_JSParseState js_parse_destructuring_element_plain(JSParseState
#define js_parse_destructuring_element_s js_parse_destructuring_element_instead(s

static int js_parse_assign_expr_instead(struct JSParseState *);
#define js_parse_assign_expr(first) js_parse_assign_expr_##first)
#define js_parse_assign_expr_JSParseState js_parse_assign_expr_plain(JSParseState
#define js_parse_assign_expr_s js_parse_assign_expr_instead(s

// The lists of methods name these, without parentheses.
static JSValue js_array_join(JSContext *, JSValueConst, int, JSValueConst *, int);
#define js_array_join(...) js_array_join_plain(__VA_ARGS__)

static JSValue js_string_indexOf(JSContext *, JSValueConst, int, JSValueConst *, int);
#define js_string_indexOf(...) js_string_indexOf_plain(__VA_ARGS__)
