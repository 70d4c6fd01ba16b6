// Copying bytes. Most copies are of a few bytes, which the C library's own takes one by one until they are aligned; in
// Wasm there is no need to.

#define WORD 8

__attribute__((no_builtin("memcpy"))) void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    uint8_t *into = to;
    const uint8_t *bytes = from;
    if (count >= WORD) {
        // What is left at the end overlaps with what was copied before.
        for (size_t at = 0; at + WORD < count; at += WORD)
            __builtin_memcpy(into + at, bytes + at, WORD);
        __builtin_memcpy(into + count - WORD, bytes + count - WORD, WORD);
    } else if (count >= WORD / 2) {
        uint32_t first, last;
        __builtin_memcpy(&first, bytes, sizeof(first));
        __builtin_memcpy(&last, bytes + count - sizeof(last), sizeof(last));
        __builtin_memcpy(into, &first, sizeof(first));
        __builtin_memcpy(into + count - sizeof(last), &last, sizeof(last));
    } else {
        for (size_t at = 0; at < count; at++)
            into[at] = bytes[at];
    }
    return to;
}
