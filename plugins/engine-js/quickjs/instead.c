// The short ways that scripts mostly take: calls of native functions, and arrays that are nothing but their elements, taken
// apart, put together and joined. Each does what QuickJS itself would do, and leaves everything else to it.

#undef js_array_join

// An array that has all its elements, the length for them, and nothing of its own; NULL for anything else.
static JSObject *simple_array(JSContext *ctx, JSValueConst value)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT)
        return NULL;
    JSObject *object = JS_VALUE_GET_OBJ(value);
    return object->shape == ctx->array_shape && inside_count(value) >= 0 ? object : NULL;
}

// `JS_CallInternal` has a large frame, which a native function does not need.
static JSValue js_call_instead(JSContext *ctx, JSValueConst function, JSValueConst this_value, JSValueConst new_target,
                               int argc, JSValueConst *argv, int flags)
{
    if (JS_VALUE_GET_TAG(function) == JS_TAG_OBJECT && JS_VALUE_GET_OBJ(function)->class_id == JS_CLASS_C_FUNCTION) {
        if (js_poll_interrupts(ctx))
            return JS_EXCEPTION;
        return js_call_c_function(ctx, function, this_value, argc, argv, flags);
    }
    return JS_CallInternal_plain(ctx, function, this_value, new_target, argc, argv, flags);
}

// The `next` of the iterator that an array is asked for; undefined where a script has changed what it is asked by.
static JSValueConst array_next(JSContext *ctx, JSValueConst value)
{
    if (!simple_array(ctx, value))
        return JS_UNDEFINED;
    JSValueConst iterator = inside_own(ctx->class_proto[JS_CLASS_ARRAY], JS_ATOM_Symbol_iterator);
    JSCFunctionType create = { .generic_magic = js_create_array_iterator };
    if (!JS_IsCFunction(ctx, iterator, create.generic, JS_ITERATOR_KIND_VALUE))
        return JS_UNDEFINED;
    return inside_own(ctx->class_proto[JS_CLASS_ARRAY_ITERATOR], JS_ATOM_next);
}

// obj -> iterator next
static int js_for_of_start_instead(JSContext *ctx, JSValue *sp, bool is_async)
{
    JSValueConst next = is_async ? JS_UNDEFINED : array_next(ctx, sp[-1]);
    if (JS_IsUndefined(next))
        return js_for_of_start_plain(ctx, sp, is_async);
    JSValue iterator = js_create_array_iterator(ctx, sp[-1], 0, NULL, JS_ITERATOR_KIND_VALUE);
    if (JS_IsException(iterator))
        return -1;
    JS_FreeValue(ctx, sp[-1]);
    sp[-1] = iterator;
    sp[0] = js_dup(next);
    return 0;
}

// iterator next [objs] -> iterator next [objs] value done
static int js_for_of_next_instead(JSContext *ctx, JSValue *sp, int offset)
{
    JSCFunctionType next = { .iterator_next = js_array_iterator_next };
    JSValue iterator = sp[offset];
    if (JS_VALUE_GET_TAG(iterator) != JS_TAG_OBJECT || JS_VALUE_GET_OBJ(iterator)->class_id != JS_CLASS_ARRAY_ITERATOR ||
        !JS_IsCFunction(ctx, sp[offset + 1], next.generic, 0))
        return js_for_of_next_plain(ctx, sp, offset);
    JSArrayIteratorData *at = JS_VALUE_GET_OBJ(iterator)->u.array_iterator_data;
    int32_t count = at->kind == JS_ITERATOR_KIND_VALUE ? inside_count(at->obj) : -1;
    if (count < 0)
        return js_for_of_next_plain(ctx, sp, offset);
    if (at->idx < (uint32_t)count) {
        sp[0] = js_dup(JS_VALUE_GET_OBJ(at->obj)->u.array.u.values[at->idx++]);
        sp[1] = JS_FALSE;
        return 0;
    }
    JSValue array = at->obj;
    at->obj = JS_UNDEFINED;
    sp[offset] = JS_UNDEFINED;
    sp[0] = JS_UNDEFINED;
    sp[1] = JS_TRUE;
    JS_FreeValue(ctx, array);
    JS_FreeValue(ctx, iterator);
    return 0;
}

// Room that an array is given with its first element.
#define FIRST_ROOM 4

static int js_define_value_instead(JSContext *ctx, JSValueConst this_value, JSValue name, JSValue value, int flags)
{
    JSObject *array = simple_array(ctx, this_value);
    if (!array || !array->extensible || (flags & JS_PROP_C_W_E) != JS_PROP_C_W_E ||
        JS_VALUE_GET_TAG(name) != JS_TAG_INT || (uint32_t)JS_VALUE_GET_INT(name) != array->u.array.count)
        return JS_DefinePropertyValueValue_plain(ctx, this_value, name, value, flags);
    uint32_t count = array->u.array.count;
    if (count >= array->u.array.u1.size && expand_fast_array(ctx, array, max_uint32(count + 1, FIRST_ROOM))) {
        JS_FreeValue(ctx, value);
        return -1;
    }
    array->u.array.u.values[count] = value;
    array->u.array.count = count + 1;
    array->prop[0].u.value = js_int32(count + 1);
    return true;
}

// Joins texts, each in one piece; undefined for anything else.
static JSValue join_texts(JSContext *ctx, JSValueConst list, JSValueConst separator)
{
    JSObject *array = simple_array(ctx, list);
    if (!array || JS_VALUE_GET_TAG(separator) != JS_TAG_STRING)
        return JS_UNDEFINED;
    uint32_t count = array->u.array.count;
    JSValue *values = array->u.array.u.values;
    JSString *between = JS_VALUE_GET_STRING(separator);
    uint64_t length = 0;
    bool wide = false;
    for (uint32_t i = 0; i < count; i++) {
        if (JS_VALUE_GET_TAG(values[i]) != JS_TAG_STRING)
            return JS_UNDEFINED;
        JSString *text = JS_VALUE_GET_STRING(values[i]);
        length += text->len + (i ? between->len : 0);
        wide |= text->is_wide_char || (i && between->is_wide_char);
    }
    if (count == 0)
        return js_empty_string(ctx->rt);
    if (count == 1)
        return js_dup(values[0]);
    if (length > JS_STRING_LEN_MAX)
        return JS_UNDEFINED;
    JSString *joined = js_alloc_string(ctx, length, wide);
    if (!joined)
        return JS_EXCEPTION;
    uint32_t at = 0;
    for (uint32_t i = 0; i < 2 * count - 1; i++) {
        JSString *text = i % 2 ? between : JS_VALUE_GET_STRING(values[i / 2]);
        if (wide)
            copy_str16(str16(joined) + at, text, 0, text->len);
        else
            memcpy(str8(joined) + at, str8(text), text->len);
        at += text->len;
    }
    if (!wide)
        str8(joined)[at] = '\0';
    return JS_MKPTR(JS_TAG_STRING, joined);
}

static JSValue js_array_join(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int to_locale)
{
    JSValue joined = to_locale || argc < 1 ? JS_UNDEFINED : join_texts(ctx, this_value, argv[0]);
    return JS_IsUndefined(joined) ? js_array_join_plain(ctx, this_value, argc, argv, to_locale) : joined;
}
