// What QuickJS's own interface lacks: looks at texts, bytes, objects and expressions where they lie.

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

// A text of ASCII.
JSValue inside_ascii(JSContext *ctx, const char *bytes, uint32_t length)
{
    return js_new_string8_len(ctx, bytes, length);
}

// A text of valid UTF-8.
JSValue inside_utf8(JSContext *ctx, const uint8_t *bytes, uint32_t length)
{
    uint32_t units = 0;
    bool wide = false;
    for (uint32_t i = 0; i < length; i++) {
        units += (bytes[i] & 0xc0) != 0x80;
        // A pair of surrogates.
        units += bytes[i] >= 0xf0;
        // Beyond 255.
        wide |= bytes[i] >= 0xc4;
    }
    if (units > JS_STRING_LEN_MAX)
        return JS_ThrowRangeError(ctx, "invalid string length");
    JSString *text = js_alloc_string(ctx, units, wide);
    if (!text)
        return JS_EXCEPTION;
    if (!wide) {
        uint8_t *to = str8(text);
        for (const uint8_t *end = bytes + length; bytes < end;) {
            uint8_t first = *bytes++;
            *to++ = first < 0x80 ? first : (uint8_t)(first << 6) | (*bytes++ & 0x3f);
        }
        *to = '\0';
        return JS_MKPTR(JS_TAG_STRING, text);
    }
    uint16_t *to = str16(text);
    for (const uint8_t *end = bytes + length; bytes < end;) {
        uint32_t first = *bytes++;
        if (first < 0x80) {
            *to++ = first;
        } else if (first < 0xe0) {
            *to++ = (first & 0x1f) << 6 | (bytes[0] & 0x3f);
            bytes += 1;
        } else if (first < 0xf0) {
            *to++ = (first & 0x0f) << 12 | (bytes[0] & 0x3f) << 6 | (bytes[1] & 0x3f);
            bytes += 2;
        } else {
            uint32_t point = (first & 0x07) << 18 | (bytes[0] & 0x3f) << 12 | (bytes[1] & 0x3f) << 6 | (bytes[2] & 0x3f);
            *to++ = get_hi_surrogate(point);
            *to++ = get_lo_surrogate(point);
            bytes += 3;
        }
    }
    return JS_MKPTR(JS_TAG_STRING, text);
}

// The bytes of a `Uint8Array` or an `ArrayBuffer`, as many as a script sees now: a view may follow the length of its buffer.
// 1 when there are such bytes, -1 when they are gone with a buffer that was transferred or made shorter, 0 for anything else.
int32_t inside_bytes(JSValueConst value, const uint8_t **start, uint32_t *length)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT)
        return 0;
    JSObject *object = JS_VALUE_GET_OBJ(value);
    if (object->class_id == JS_CLASS_ARRAY_BUFFER) {
        JSArrayBuffer *buffer = object->u.array_buffer;
        *start = buffer->data;
        *length = buffer->byte_length;
        return buffer->detached ? -1 : 1;
    }
    if (object->class_id != JS_CLASS_UINT8_ARRAY)
        return 0;
    if (typed_array_is_oob(object))
        return -1;
    *start = object->u.array.u.uint8_ptr;
    *length = object->u.array.count;
    return 1;
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

// Whether an object has a property, or inherits one. True also for objects that answer in ways of their own.
bool inside_may_have(JSValueConst value, JSAtom name)
{
    for (JSObject *object = JS_VALUE_GET_OBJ(value); object; object = object->shape->proto) {
        JSProperty *property;
        if (find_own_property(&property, object, name) || (object->is_exotic && !object->fast_array))
            return true;
    }
    return false;
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

// Where the code of a function stands that is a generator: a call of it runs none of that. False for any other value.
static bool generator_place(JSFunctionBytecode *code, JSAtom *file, int32_t *line, int32_t *column)
{
    if (!(code->func_kind & JS_FUNC_GENERATOR))
        return false;
    *file = code->filename;
    *line = code->line_num;
    *column = code->col_num;
    return true;
}

// The same of a function; the name of the file is lent.
bool inside_generator(JSValueConst value, JSAtom *file, int32_t *line, int32_t *column)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT)
        return false;
    JSObject *object = JS_VALUE_GET_OBJ(value);
    if (object->class_id != JS_CLASS_GENERATOR_FUNCTION && object->class_id != JS_CLASS_ASYNC_GENERATOR_FUNCTION)
        return false;
    return generator_place(object->u.func.function_bytecode, file, line, column);
}

// The constant of a linked module that it exports under a name; JS_ATOM_NULL where it has none of its own.
static JSAtom exported_constant(JSContext *ctx, JSModuleDef *module, JSFunctionBytecode *code, JSAtom name)
{
    JSExportEntry *entry = find_export_entry(ctx, module, name);
    if (!entry || entry->export_type != JS_EXPORT_TYPE_LOCAL || entry->u.local.var_idx >= code->closure_var_count)
        return JS_ATOM_NULL;
    const JSClosureVar *variable = &code->closure_var[entry->u.local.var_idx];
    return variable->is_const ? variable->var_name : JS_ATOM_NULL;
}

// The same of what a linked module will export once it has run, where that is written where the constant is declared:
// `export const up = function* …`. Its code makes a function, names it, and stores it.
bool inside_later_generator(JSContext *ctx, JSModuleDef *module, JSAtom name, JSAtom *file, int32_t *line,
                            int32_t *column)
{
    if (JS_VALUE_GET_TAG(module->func_obj) != JS_TAG_OBJECT)
        return false;
    JSFunctionBytecode *code = JS_VALUE_GET_OBJ(module->func_obj)->u.func.function_bytecode;
    JSAtom constant = exported_constant(ctx, module, code, name);
    uint32_t made = UINT32_MAX;
    for (int32_t at = 0; constant != JS_ATOM_NULL && at < code->byte_code_len;) {
        const uint8_t *operation = code->byte_code_buf + at;
        if (*operation == OP_set_name && made < (uint32_t)code->cpool_count && get_u32(operation + 1) == constant)
            return generator_place(JS_VALUE_GET_PTR(code->cpool[made]), file, line, column);
        made = *operation == OP_fclosure ? get_u32(operation + 1) : *operation == OP_fclosure8 ? operation[1] : UINT32_MAX;
        at += short_opcode_info(*operation).size;
    }
    return false;
}
