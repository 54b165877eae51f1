/* version.c: the order of versions.
 *
 *     version     := number "." number "." number [ "-" ids ] [ "+" ids ]
 *     ids         := id { "." id }         id := [0-9A-Za-z-]+
 *     number      := digits without a leading 0, save 0 itself; likewise an id
 *                    of digits alone behind "-" */
#include "lib/event/version.h"

#include "lib/base/text.h"

struct version {
    struct seg_text numbers[3];
    struct seg_text pre; /* The ids behind "-"; absent if there are none. */
};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_id_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '-';
}

static int is_number(struct seg_text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.bytes[i]))
            return 0;
    return text.len > 0;
}

static int has_leading_zero(struct seg_text number)
{
    return number.len > 1 && number.bytes[0] == '0';
}

/* The bytes of *REST that pass TAKEN, cut off from it. */
static struct seg_text cut(struct seg_text *rest, int (*taken)(char c))
{
    struct seg_text part = {rest->bytes, 0};
    while (part.len < rest->len && taken(rest->bytes[part.len]))
        part.len++;
    rest->bytes += part.len;
    rest->len -= part.len;
    return part;
}

static int accept(struct seg_text *rest, char c)
{
    if (!rest->len || rest->bytes[0] != c)
        return 0;
    rest->bytes++;
    rest->len--;
    return 1;
}

/* The ids at the start of *REST, cut off from it; ZEROS: a number may begin
 * with 0. Absent if there is none, or a bad one. */
static struct seg_text cut_ids(struct seg_text *rest, int zeros)
{
    const char *from = rest->bytes;
    do {
        struct seg_text id = cut(rest, is_id_byte);
        if (!id.len || (!zeros && is_number(id) && has_leading_zero(id)))
            return (struct seg_text){NULL, 0};
    } while (accept(rest, '.'));
    return (struct seg_text){from, (size_t)(rest->bytes - from)};
}

/* Whether TEXT is a version, then in *VERSION. */
static int parse(struct seg_text text, struct version *version)
{
    *version = (struct version){0};
    if (!text.len)
        return 0;
    for (int i = 0; i < 3; i++) {
        if (i && !accept(&text, '.'))
            return 0;
        version->numbers[i] = cut(&text, is_digit);
        if (!version->numbers[i].len || has_leading_zero(version->numbers[i]))
            return 0;
    }
    if (accept(&text, '-')) {
        version->pre = cut_ids(&text, 0);
        if (!version->pre.bytes)
            return 0;
    }
    if (accept(&text, '+') && !cut_ids(&text, 1).bytes)
        return 0;
    return text.len == 0;
}

/* Without leading zeros the longer number is the greater. */
static int compare_numbers(struct seg_text a, struct seg_text b)
{
    return a.len != b.len ? (a.len < b.len ? -1 : 1) : text_compare(a, b);
}

static int compare_ids(struct seg_text a, struct seg_text b)
{
    int a_number = is_number(a), b_number = is_number(b);
    if (a_number && b_number)
        return compare_numbers(a, b);
    if (a_number || b_number)
        return a_number ? -1 : 1;
    return text_compare(a, b);
}

/* A version with ids comes before the same without. */
static int compare_pre(struct seg_text a, struct seg_text b)
{
    if (!a.bytes || !b.bytes)
        return (a.bytes == NULL) - (b.bytes == NULL);
    while (a.len && b.len) {
        int order = compare_ids(cut(&a, is_id_byte), cut(&b, is_id_byte));
        if (order)
            return order;
        accept(&a, '.');
        accept(&b, '.');
    }
    return (a.len > 0) - (b.len > 0);
}

int version_compare(struct seg_text a, struct seg_text b, int *order)
{
    struct version x, y;
    if (!parse(a, &x) || !parse(b, &y))
        return 0;
    *order = 0;
    for (int i = 0; i < 3 && !*order; i++)
        *order = compare_numbers(x.numbers[i], y.numbers[i]);
    if (!*order)
        *order = compare_pre(x.pre, y.pre);
    return 1;
}
