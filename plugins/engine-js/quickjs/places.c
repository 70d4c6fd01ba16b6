// Places that QuickJS does not note: an error of a pattern, and one of what a field of a class begins with, would be told
// with the line where the function begins, or with none.

static int js_parse_destructuring_element_instead(JSParseState *s, int token, bool is_arg, bool has_value, int has_ellipsis,
                                                  bool allow_initializer, bool export_flag)
{
    emit_source_loc(s);
    return js_parse_destructuring_element_plain(s, token, is_arg, has_value, has_ellipsis, allow_initializer, export_flag);
}

static int js_parse_assign_expr_instead(JSParseState *s)
{
    // The function that sets fields is nowhere itself.
    if (s->cur_func->line_num == 0)
        emit_source_loc(s);
    return js_parse_assign_expr_plain(s);
}
