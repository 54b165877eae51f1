/* naive_text.c: text as arrays of code points. */
#include "tests/model/naive_text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "tests/model/mutant.h"

static void fold_ascii(struct naive_text *text)
{
    for (size_t i = 0; i < text->count; i++)
        if (text->points[i] >= 'A' && text->points[i] <= 'Z')
            text->points[i] += 'a' - 'A';
}

void naive_text_init(struct naive_text *out, struct seg_text text, int fold)
{
    utf8proc_option_t options = fold ? UTF8PROC_CASEFOLD : 0;
    if (MUTATED(FOLD_OFF) || MUTATED(FOLD_ASCII))
        options = 0;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text.bytes;
    utf8proc_ssize_t len = (utf8proc_ssize_t)text.len;
    utf8proc_ssize_t n = utf8proc_decompose(bytes, len, NULL, 0, options);
    assert(n >= 0);
    out->points = malloc(((size_t)n + 1) * sizeof(*out->points));
    assert(out->points);
    out->count = (size_t)n;
    utf8proc_decompose(bytes, len, out->points, n, options);
    if (fold && MUTATED(FOLD_ASCII))
        fold_ascii(out);
}

void naive_text_done(struct naive_text *text)
{
    free(text->points);
}

int naive_text_compare(const struct naive_text *a, const struct naive_text *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (a->points[i] != b->points[i])
            return a->points[i] < b->points[i] ? -1 : 1;
    return a->count < b->count ? -1 : a->count > b->count;
}

long naive_text_find(const struct naive_text *whole,
                     const struct naive_text *part, size_t from)
{
    for (size_t i = from; i + part->count <= whole->count; i++) {
        size_t n = 0;
        while (n < part->count && whole->points[i + n] == part->points[n])
            n++;
        if (n == part->count)
            return (long)i;
    }
    return -1;
}

static int utf8_len(int32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* Whether PATTERN from P on matches all of TEXT from T on. Tries everything. */
static int glob_from(const struct naive_text *pattern, size_t p,
                     const struct naive_text *text, size_t t)
{
    if (p == pattern->count)
        return t == text->count || MUTATED(MATCHES_PART);
    int32_t c = pattern->points[p];
    if (c == '*') {
        size_t start = MUTATED(GLOB_STAR) ? t + 1 : t;
        for (size_t next = start; next <= text->count; next++)
            if (glob_from(pattern, p + 1, text, next))
                return 1;
        return 0;
    }
    if (t == text->count)
        return 0;
    if (c == '?')
        return !(MUTATED(GLOB_QUESTION) && utf8_len(text->points[t]) > 1) &&
               glob_from(pattern, p + 1, text, t + 1);
    if (c == '\\' && p + 1 < pattern->count && !MUTATED(GLOB_ESCAPE))
        c = pattern->points[++p];
    return c == text->points[t] && glob_from(pattern, p + 1, text, t + 1);
}

int naive_text_glob(const struct naive_text *pattern,
                    const struct naive_text *text)
{
    return glob_from(pattern, 0, text, 0);
}

/* ---- versions ------------------------------------------------------------ */

#define IDENTIFIERS_MAX 32

struct identifier {
    const char *bytes;
    size_t len;
};

struct version {
    struct identifier core[3];
    struct identifier pre[IDENTIFIERS_MAX];
    int pre_count;
};

static int is_number(struct identifier id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!isdigit((unsigned char)id.bytes[i]))
            return 0;
    return id.len > 0;
}

static int is_plain_number(struct identifier id)
{
    return is_number(id) && (id.len == 1 || id.bytes[0] != '0');
}

static int is_identifier(struct identifier id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!isalnum((unsigned char)id.bytes[i]) && id.bytes[i] != '-')
            return 0;
    return id.len > 0;
}

/* Splits the bytes up to END at dots; the number of parts, or MAX + 1. */
static int split(const char *at, const char *end, struct identifier *out,
                 int max)
{
    int n = 0;
    for (;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot ? dot : end;
        if (n == max)
            return max + 1;
        out[n++] = (struct identifier){at, (size_t)(stop - at)};
        if (!dot)
            return n;
        at = dot + 1;
    }
}

static int read_version(struct seg_text text, struct version *v)
{
    struct identifier build[IDENTIFIERS_MAX];
    const char *end = text.bytes + text.len;
    const char *plus = text.len ? memchr(text.bytes, '+', text.len) : NULL;
    const char *stop = plus ? plus : end;
    const char *minus =
        text.len ? memchr(text.bytes, '-', (size_t)(stop - text.bytes)) : NULL;
    const char *core_end = minus ? minus : stop;
    v->pre_count = 0;
    if (!text.len || split(text.bytes, core_end, v->core, 3) != 3)
        return 0;
    for (int i = 0; i < 3; i++)
        if (!is_plain_number(v->core[i]))
            return 0;
    if (minus)
        v->pre_count = split(minus + 1, stop, v->pre, IDENTIFIERS_MAX);
    for (int i = 0; i < v->pre_count; i++)
        if (!is_identifier(v->pre[i]) ||
            (is_number(v->pre[i]) && !is_plain_number(v->pre[i])))
            return 0;
    int build_count = plus ? split(plus + 1, end, build, IDENTIFIERS_MAX) : 0;
    for (int i = 0; i < build_count; i++)
        if (!is_identifier(build[i]))
            return 0;
    return 1;
}

static int compare_text(struct identifier a, struct identifier b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.bytes, b.bytes, len);
    if (order)
        return order < 0 ? -1 : 1;
    return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_numbers(struct identifier a, struct identifier b)
{
    if (a.len != b.len && !MUTATED(VERSION_TEXT))
        return a.len < b.len ? -1 : 1;
    return compare_text(a, b);
}

static int compare_identifiers(struct identifier a, struct identifier b)
{
    if (is_number(a) && is_number(b))
        return compare_numbers(a, b);
    if (is_number(a) != is_number(b))
        return is_number(a) ? -1 : 1;
    return compare_text(a, b);
}

int naive_text_versions(struct seg_text a, struct seg_text b)
{
    struct version x, y;
    if (!read_version(a, &x) || !read_version(b, &y))
        return 2;
    for (int i = 0; i < 3; i++) {
        int order = compare_numbers(x.core[i], y.core[i]);
        if (order)
            return order;
    }
    if (MUTATED(VERSION_PRERELEASE))
        return 0;
    if (!x.pre_count || !y.pre_count)
        return x.pre_count ? -1 : y.pre_count ? 1 : 0;
    for (int i = 0; i < x.pre_count && i < y.pre_count; i++) {
        int order = compare_identifiers(x.pre[i], y.pre[i]);
        if (order)
            return order;
    }
    return x.pre_count < y.pre_count ? -1 : x.pre_count > y.pre_count;
}
