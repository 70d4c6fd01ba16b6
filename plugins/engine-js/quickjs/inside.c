// What QuickJS's own interface lacks: looks at texts, objects and expressions where they lie.

// The characters of a text and how many there are; `wide` tells whether they are of 16 bits. NULL for what is no text in
// one piece.
const void *inside_text(JSValueConst value, uint32_t *length, bool *wide)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_STRING)
        return NULL;
    JSString *text = JS_VALUE_GET_STRING(value);
    *length = text->len;
    *wide = text->is_wide_char;
    return str8(text);
}

// A part of a text in one piece, as `slice` makes it.
JSValue inside_part(JSContext *ctx, JSValueConst value, uint32_t start, uint32_t end)
{
    return js_sub_string(ctx, JS_VALUE_GET_STRING(value), start, end);
}

// A text of characters of 8 bits.
JSValue inside_latin1(JSContext *ctx, const char *bytes, uint32_t length)
{
    return js_new_string8_len(ctx, bytes, length);
}

// What an expression was made of, lent; undefined for anything else, and for an expression that has properties of its own,
// or another prototype than it was made with.
JSValue inside_pattern(JSContext *ctx, JSValueConst value)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT)
        return JS_UNDEFINED;
    JSObject *object = JS_VALUE_GET_OBJ(value);
    if (object->class_id != JS_CLASS_REGEXP || object->shape != ctx->regexp_shape)
        return JS_UNDEFINED;
    return JS_MKPTR(JS_TAG_STRING, object->u.regexp.pattern);
}

// A property of an object itself, lent; undefined where there is none, or one with a getter.
JSValue inside_own(JSValueConst value, JSAtom name)
{
    JSProperty *property;
    JSShapeProperty *shape = find_own_property(&property, JS_VALUE_GET_OBJ(value), name);
    return shape && !(shape->flags & JS_PROP_TMASK) ? property->u.value : JS_UNDEFINED;
}

// An object with the properties of a plain one, and with these values, which are taken over.
JSValue inside_like(JSContext *ctx, JSValueConst model, const JSValue *values)
{
    // A property that is no accessor is its value.
    _Static_assert(sizeof(JSProperty) == sizeof(JSValue), "properties are as large as values");
    JSShape *shape = js_dup_shape(JS_VALUE_GET_OBJ(model)->shape);
    return JS_NewObjectFromShape(ctx, shape, JS_CLASS_OBJECT, (JSProperty *)values);
}

// How many elements an array has that is nothing but these; -1 for anything else.
int32_t inside_count(JSValueConst value)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT)
        return -1;
    JSObject *object = JS_VALUE_GET_OBJ(value);
    if (object->class_id != JS_CLASS_ARRAY || !object->fast_array)
        return -1;
    // The length comes first, and may say more.
    JSValue length = object->prop[0].u.value;
    uint32_t count = object->u.array.count;
    return JS_VALUE_GET_TAG(length) == JS_TAG_INT && (uint32_t)JS_VALUE_GET_INT(length) == count ? (int32_t)count : -1;
}
