// The short ways that scripts mostly take: calls of native functions, arrays that are nothing but their elements, taken
// apart, put together and joined, plain objects made alike, and texts looked for in texts. Each does what QuickJS itself would do, and leaves everything else to it.

#undef js_array_join
#undef js_string_indexOf
#undef JS_DefinePropertyValue
#undef JS_NewObject

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

// Room that a plain object has for properties from the beginning.
#define OBJECT_ROOM 4

static JSValue js_new_object_instead(JSContext *ctx)
{
    // The shape of objects without properties, which is there from the first to the end.
    static JSShape *roomy;
    JSValueConst prototype = ctx->class_proto[JS_CLASS_OBJECT];
    if (JS_VALUE_GET_TAG(prototype) != JS_TAG_OBJECT)
        return JS_NewObject_plain(ctx);
    if (!roomy || roomy->proto != JS_VALUE_GET_OBJ(prototype))
        roomy = js_new_shape2(ctx, JS_VALUE_GET_OBJ(prototype), JS_PROP_INITIAL_HASH_SIZE, OBJECT_ROOM);
    return roomy ? JS_NewObjectFromShape(ctx, js_dup_shape(roomy), JS_CLASS_OBJECT, NULL) : JS_EXCEPTION;
}

JSValue JS_NewObject(JSContext *ctx)
{
    return js_new_object_instead(ctx);
}

// A plain object that was given one more property: what it was like before, and what it is like with it. Objects that are
// made alike find each other's shapes here, also when none of the former ones is left.
typedef struct {
    JSShape *from;
    JSShape *to;
    JSAtom name;
} Growth;

#define GROWTHS 64
static Growth growths[GROWTHS];

// An object with more properties than this is likely to be used as a map, where no two are alike.
#define MOST_GROWN 32

static Growth *growth_from(JSShape *from, JSAtom name)
{
    return &growths[((uint32_t)(uintptr_t)from / JS_ARENA_ALIGN * 31 ^ name) % GROWTHS];
}

static bool is_plain(JSContext *ctx, JSObject *object)
{
    return object->class_id == JS_CLASS_OBJECT && !object->is_exotic && !object->is_prototype && object->shape->is_hashed &&
           object->shape->proto == JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT]);
}

// Adds a property as it was added before to an object of this shape; NULL where that is not known.
static JSProperty *grow_again(JSContext *ctx, JSObject *object, JSAtom name)
{
    JSShape *from = object->shape;
    Growth *growth = growth_from(from, name);
    if (growth->from != from || growth->name != name)
        return NULL;
    JSShape *to = growth->to;
    if (to->prop_size != from->prop_size) {
        JSProperty *properties = js_realloc_rt(ctx->rt, object->prop, sizeof(JSProperty) * to->prop_size);
        if (!properties)
            return NULL;
        object->prop = properties;
    }
    object->shape = js_dup_shape(to);
    js_free_shape(ctx->rt, from);
    return &object->prop[to->prop_count - 1];
}

static JSProperty *add_property_instead(JSContext *ctx, JSObject *object, JSAtom name, int flags)
{
    JSShape *from = object->shape;
    if (flags != JS_PROP_C_W_E || from->prop_count >= MOST_GROWN || !is_plain(ctx, object))
        return add_property_plain(ctx, object, name, flags);
    JSProperty *property = grow_again(ctx, object, name);
    if (property)
        return property;
    // A shape that has another user is never changed where it lies.
    js_dup_shape(from);
    property = add_property_plain(ctx, object, name, flags);
    if (!property || !object->shape->is_hashed) {
        js_free_shape(ctx->rt, from);
        return property;
    }
    Growth *growth = growth_from(from, name);
    Growth before = *growth;
    *growth = (Growth){ .from = from, .to = js_dup_shape(object->shape), .name = name };
    js_free_shape_null(ctx->rt, before.from);
    js_free_shape_null(ctx->rt, before.to);
    return property;
}

static int js_define_field_instead(JSContext *ctx, JSValueConst this_value, JSAtom name, JSValue value, int flags)
{
    if ((flags & ~JS_PROP_THROW) == JS_PROP_C_W_E && JS_VALUE_GET_TAG(this_value) == JS_TAG_OBJECT) {
        JSObject *object = JS_VALUE_GET_OBJ(this_value);
        JSProperty *property = object->extensible && is_plain(ctx, object) ? grow_again(ctx, object, name) : NULL;
        if (property) {
            property->u.value = value;
            return true;
        }
    }
    return JS_DefinePropertyValue_plain(ctx, this_value, name, value, flags);
}

int JS_DefinePropertyValue(JSContext *ctx, JSValueConst this_value, JSAtom name, JSValue value, int flags)
{
    return js_define_field_instead(ctx, this_value, name, value, flags);
}

// Finds a letter in a text of 16 bits.
static int32_t find_wide(const uint16_t *letters, uint32_t length, uint16_t letter, bool last)
{
    for (uint32_t i = 0; i < length; i++) {
        uint32_t at = last ? length - 1 - i : i;
        if (letters[at] == letter)
            return at;
    }
    return -1;
}

// Finds a text in a text, each in one piece, and of 8 bits or a single letter.
static JSValue js_string_indexOf(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int last)
{
    if (argc != 1 || JS_VALUE_GET_TAG(this_value) != JS_TAG_STRING || JS_VALUE_GET_TAG(argv[0]) != JS_TAG_STRING)
        return js_string_indexOf_plain(ctx, this_value, argc, argv, last);
    JSString *text = JS_VALUE_GET_STRING(this_value);
    JSString *part = JS_VALUE_GET_STRING(argv[0]);
    if (part->len == 1 && text->is_wide_char)
        return js_int32(find_wide(str16(text), text->len, string_get(part, 0), last));
    if (text->is_wide_char || part->is_wide_char || part->len == 0)
        return js_string_indexOf_plain(ctx, this_value, argc, argv, last);
    if (part->len > text->len)
        return js_int32(-1);
    const uint8_t *letters = str8(text), *sought = str8(part);
    uint32_t places = text->len - part->len + 1, rest = part->len - 1;
    if (last) {
        for (uint32_t at = places; at-- > 0;)
            if (letters[at] == sought[0] && !memcmp(letters + at + 1, sought + 1, rest))
                return js_int32(at);
    } else {
        for (uint32_t at = 0; at < places; at++)
            if (letters[at] == sought[0] && !memcmp(letters + at + 1, sought + 1, rest))
                return js_int32(at);
    }
    return js_int32(-1);
}
