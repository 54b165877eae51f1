/* check_text.c: comparing and folding UTF-8, globs. */
#include "lib/base/text.h"

#include <stdio.h>
#include <utf8proc.h>

#include "tests/support/suite.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_done(&arena);
}

/* ---- order ----------------------------------------------------------- */

static const char *const ascending[] = {
    "",
    "A",
    "Z",
    "a",
    "aa",
    "ab",
    "b",
    "\x7f",
    "\xc2\x80",
    "\xc3\xa9",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbf\xbd",
    "\xf0\x90\x80\x80",
};

START_TEST(texts_have_the_order_of_their_code_points)
{
    for (int i = 0; i < COUNT(ascending); i++) {
        struct seg_text a = text_of(ascending[_i]), b = text_of(ascending[i]);
        int order = text_compare(a, b);
        ck_assert_msg((order > 0) - (order < 0) == (_i > i) - (_i < i),
                      "%s, %s", ascending[_i], ascending[i]);
        ck_assert_int_eq(text_equal(a, b), _i == i);
    }
}
END_TEST

/* ---- folding --------------------------------------------------------- */

static const struct {
    const char *text, *want;
} folds[] = {
    {"", ""},
    {"abc 123 {}", "abc 123 {}"},
    {"Hello World", "hello world"},
    {"@[`{AZaz", "@[`{azaz"},
    {"STRASSE", "strasse"},
    {"stra\xc3\x9f"
     "e",
     "strasse"},                                              /* ß */
    {"\xe1\xba\x9e", "ss"},                                   /* ẞ */
    {"\xc3\x84\xc3\xa4", "\xc3\xa4\xc3\xa4"},                 /* Ää */
    {"\xce\xa3\xcf\x83\xcf\x82", "\xcf\x83\xcf\x83\xcf\x83"}, /* Σσς */
    {"\xef\xac\x83", "ffi"},                                  /* ﬃ */
    {"\xc4\xb0", "i\xcc\x87"},                                /* İ */
    {"\xce\x90", "\xce\xb9\xcc\x88\xcc\x81"},                 /* ΐ */
    {"\xe2\x84\xaa", "k"},                                    /* Kelvin */
    {"\xf0\x90\x90\x80", "\xf0\x90\x90\xa8"},                 /* Deseret */
    {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac"},
};

START_TEST(a_text_is_folded)
{
    struct seg_text got;
    ck_assert_int_eq(text_fold(&arena, text_of(folds[_i].text), &got), 0);
    ck_assert_msg(text_equal(got, text_of(folds[_i].want)),
                  "%s: got %.*s, want %s", folds[_i].text, (int)got.len,
                  got.bytes, folds[_i].want);
}
END_TEST

START_TEST(folding_twice_changes_nothing)
{
    for (utf8proc_int32_t c = 1; c < 0x110000; c++) {
        utf8proc_uint8_t bytes[4];
        struct seg_text once, twice;
        if (c >= 0xd800 && c < 0xe000)
            continue;
        struct seg_text text = {(const char *)bytes,
                                (size_t)utf8proc_encode_char(c, bytes)};
        if (text_fold(&arena, text, &once) < 0 ||
            text_fold(&arena, once, &twice) < 0 || !text_equal(once, twice) ||
            once.len > text.len * 3)
            ck_abort_msg("U+%04X: %zu bytes", (unsigned)c, once.len);
        if (c % 256 == 0)
            arena_reset(&arena);
    }
}
END_TEST

START_TEST(a_text_that_is_folded_already_is_not_copied)
{
    struct seg_text text = text_of("plain"), got;
    ck_assert_int_eq(text_fold(&arena, text, &got), 0);
    ck_assert_ptr_eq(got.bytes, text.bytes);
}
END_TEST

/* ---- globs ----------------------------------------------------------- */

static const struct {
    const char *pattern, *text;
    int want;
} globs[] = {
    {"", "", 1},
    {"", "a", 0},
    {"*", "", 1},
    {"*", "anything", 1},
    {"**", "", 1},
    {"?", "", 0},
    {"?", "a", 1},
    {"?", "ab", 0},
    {"?", "\xc3\xa9", 1},
    {"??", "\xc3\xa9", 0},
    {"?", "\xf0\x9f\x98\x80", 1},
    {"a", "a", 1},
    {"a", "A", 0},
    {"a", "b", 0},
    {"/billing/*", "/billing/", 1},
    {"/billing/*", "/billing/a/b", 1},
    {"/billing/*", "/billing", 0},
    {"/billing/*", "x/billing/a", 0},
    {"*.com", "a.com", 1},
    {"*.com", "a.com.au", 0},
    {"*a*b*", "xxaxxbxx", 1},
    {"*a*b*", "xxbxxaxx", 0},
    {"a*a*a", "aa", 0},
    {"a*a*a", "aaa", 1},
    {"*aab", "aaab", 1},
    {"a?c*", "abcd", 1},
    {"*?", "", 0},
    {"*?", "\xc3\xa9", 1},
    {"*\xa9", "\xc3\xa9", 0}, /* Half a character. */
    {"\\*", "*", 1},
    {"\\*", "a", 0},
    {"\\?", "?", 1},
    {"\\?", "a", 0},
    {"\\\\", "\\", 1},
    {"\\a", "a", 1},
    {"a\\", "a\\", 1},
    {"\\", "\\", 1},
    {"\\", "", 0},
    {"*\\*", "a*", 1},
    {"*\\*", "a*b", 0},
    {"[a]", "a", 0},
    {"[a]", "[a]", 1},
    {"{a,b}", "a", 0},
};

START_TEST(a_glob_matches_the_whole_text)
{
    int got = text_glob(text_of(globs[_i].pattern), text_of(globs[_i].text));
    ck_assert_msg(got == globs[_i].want, "%s, %s: got %d", globs[_i].pattern,
                  globs[_i].text, got);
}
END_TEST

static size_t one_character(const char *text)
{
    size_t len = 1;
    while ((text[len] & 0xc0) == 0x80)
        len++;
    return len;
}

/* As one would explain it. */
static int naive_glob(const char *pattern, const char *text)
{
    if (!*pattern)
        return !*text;
    if (*pattern == '*')
        return naive_glob(pattern + 1, text) ||
               (*text && naive_glob(pattern, text + one_character(text)));
    if (!*text)
        return 0;
    if (*pattern == '?')
        return naive_glob(pattern + 1, text + one_character(text));
    if (*pattern == '\\' && pattern[1])
        pattern++;
    size_t len = one_character(pattern);
    return len == one_character(text) && !memcmp(pattern, text, len) &&
           naive_glob(pattern + len, text + len);
}

static unsigned next_random(void)
{
    static uint64_t s = UINT64_C(88172645463325252);
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    return (unsigned)(s >> 20);
}

static void random_text(char *out, const char *const *parts, unsigned count)
{
    *out = 0;
    for (unsigned n = next_random() % 9; n; n--)
        strcat(out, parts[next_random() % count]);
}

START_TEST(globs_agree_with_a_naive_matcher)
{
    static const char *const of_pattern[] = {
        "*", "*", "?", "\\", "a", "b", "\xc3\xa9", "\xe2\x82\xac"};
    static const char *const of_text[] = {"a", "b", "\xc3\xa9", "\xe2\x82\xac",
                                          "*", "?", "\\"};
    char pattern[64], text[64];
    int matches = 0;
    for (int i = 0; i < 1000000; i++) {
        random_text(pattern, of_pattern, COUNT(of_pattern));
        random_text(text, of_text, COUNT(of_text));
        int want = naive_glob(pattern, text);
        matches += want;
        if (text_glob(text_of(pattern), text_of(text)) != want)
            ck_abort_msg("%s, %s: want %d", pattern, text, want);
    }
    ck_assert_int_gt(matches, 50000);
}
END_TEST

/* A matcher that goes back to every star would need 2^50 steps. */
START_TEST(many_stars_are_no_trap)
{
    char pattern[101], text[10001];
    for (int i = 0; i < 50; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    pattern[99] = 'b';
    pattern[100] = 0;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    ck_assert(!text_glob(text_of(pattern), text_of(text)));
    text[sizeof(text) - 2] = 'b';
    ck_assert(text_glob(text_of(pattern), text_of(text)));
}
END_TEST

SUITE("text", setup, teardown,
      TABLE(texts_have_the_order_of_their_code_points, ascending),
      TABLE(a_text_is_folded, folds), TEST(folding_twice_changes_nothing),
      TEST(a_text_that_is_folded_already_is_not_copied),
      TABLE(a_glob_matches_the_whole_text, globs),
      TEST(globs_agree_with_a_naive_matcher), TEST(many_stars_are_no_trap))
