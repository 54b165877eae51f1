/* naive_regex.c: the small part of RE2's regular expressions that the generated
 * patterns use, tried at every place in every way.
 *
 *   a|b            only at the top
 *   ^ $            begin and end of the text
 *   x* x+ x?       x is a character, . or a class
 *   .              any character but a newline
 *   [a-z_] [^0-9]  classes
 *   \.             that character */
#include "tests/model/mutant.h"
#include "tests/model/naive_text.h"

struct regex {
    const struct naive_text *pattern, *text;
    size_t end; /* Of the alternative. */
};

/* Where the atom at P ends. */
static size_t atom_end(const struct regex *r, size_t p)
{
    if (r->pattern->points[p] == '\\')
        return p + 2;
    if (r->pattern->points[p] != '[')
        return p + 1;
    while (r->pattern->points[p] != ']')
        p++;
    return p + 1;
}

static int class_has(const struct regex *r, size_t p, size_t end, int32_t c)
{
    const int32_t *points = r->pattern->points;
    int not = points[p + 1] == '^', found = 0;
    for (size_t i = p + 1 + (size_t) not ; i < end - 1; i++) {
        int range = i + 2 < end - 1 && points[i + 1] == '-';
        found |= range ? points[i] <= c && c <= points[i + 2] : points[i] == c;
        i += range ? 2 : 0;
    }
    return found != not ;
}

/* Whether the atom [P, END) takes the character at T. */
static int takes(const struct regex *r, size_t p, size_t end, size_t t)
{
    const int32_t *points = r->pattern->points;
    if (t >= r->text->count)
        return 0;
    int32_t c = r->text->points[t];
    if (points[p] == '[')
        return class_has(r, p, end, c);
    if (points[p] == '\\')
        return points[p + 1] == c;
    return points[p] == '.' ? c != '\n' : points[p] == c;
}

/* Whether the pattern from P on matches from T on. */
static int matches(const struct regex *r, size_t p, size_t t)
{
    const int32_t *points = r->pattern->points;
    if (p == r->end)
        return 1;
    if (points[p] == '^')
        return (t == 0 || MUTATED(REGEX_BEGIN)) && matches(r, p + 1, t);
    if (points[p] == '$')
        return (t == r->text->count || MUTATED(REGEX_END)) &&
               matches(r, p + 1, t);
    size_t end = atom_end(r, p);
    int32_t times = end < r->end ? points[end] : 0;
    if (times != '*' && times != '+' && times != '?')
        return takes(r, p, end, t) && matches(r, end, t + 1);
    if (times != '+' && matches(r, end + 1, t))
        return 1;
    for (; takes(r, p, end, t); t++) {
        if (matches(r, end + 1, t + 1))
            return 1;
        if (times == '?')
            return 0;
    }
    return 0;
}

/* Case as RE2 ignores it: one character for one, so that ß is not ss. No more
 * than Latin-1 occurs. */
void naive_text_lower(struct naive_text *text)
{
    for (size_t i = 0; i < text->count; i++) {
        int32_t c = text->points[i];
        int upper =
            (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
        if (upper && !MUTATED(FOLD_OFF))
            text->points[i] = c + 0x20;
    }
}

int naive_text_regex(const struct naive_text *pattern,
                     const struct naive_text *text)
{
    size_t from = 0;
    for (size_t i = 0; i <= pattern->count; i++) {
        if (i < pattern->count && pattern->points[i] != '|')
            continue;
        struct regex r = {pattern, text, i};
        size_t last = MUTATED(REGEX_SEARCH) ? 0 : text->count;
        for (size_t t = 0; t <= last; t++)
            if (matches(&r, from, t))
                return 1;
        from = i + 1;
        if (MUTATED(REGEX_OR))
            return 0;
    }
    return 0;
}
