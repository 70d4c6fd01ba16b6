// Errors are made also where scripts have no memory left: otherwise one that says so would be `null`, without words and place.

// Memory beyond the limit that an error and its stack trace may take.
#define ERROR_ROOM (256 << 10)

// Lets scripts have more than the limit, and returns the limit. 0 is none.
static size_t lift_limit(JSContext *ctx)
{
    size_t limit = ctx->rt->malloc_state.malloc_limit;
    if (limit)
        ctx->rt->malloc_state.malloc_limit = limit + ERROR_ROOM;
    return limit;
}

static JSValue make_error_instead(JSContext *ctx, int kind, bool add_backtrace, const char *message)
{
    size_t limit = lift_limit(ctx);
    JSValue error = JS_MakeError2_plain(ctx, kind, add_backtrace, message);
    ctx->rt->malloc_state.malloc_limit = limit;
    return error;
}

static void build_backtrace_instead(JSContext *ctx, JSValueConst error, JSValueConst filter, const char *file, int line,
                                    int column, int flags)
{
    size_t limit = lift_limit(ctx);
    build_backtrace_plain(ctx, error, filter, file, line, column, flags);
    ctx->rt->malloc_state.malloc_limit = limit;
}
