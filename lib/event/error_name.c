/* error_name.c: names and sentences of the table in <seg/error.h>.
 *
 * Not in lib/base, which the daemon links a second time beside the library:
 * these are public names. */
#include <seg/error.h>

static const struct {
    int code;
    const char *name;
    const char *sentence;
} errors[] = {
#define X(code, name, sentence) {SEG_ERR_##code, name, sentence},
    SEG_ERR_TABLE(X)
#undef X
};

static int find(int code)
{
    int i = code - errors[0].code;
    int n = (int)(sizeof(errors) / sizeof(errors[0]));
    return i >= 0 && i < n ? i : -1;
}

const char *seg_error_name(int code)
{
    int i = find(code);
    return i < 0 ? "unknown" : errors[i].name;
}

const char *seg_error_sentence(int code)
{
    int i = find(code);
    return i < 0 ? "Unknown error." : errors[i].sentence;
}
