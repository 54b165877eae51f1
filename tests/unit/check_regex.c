/* check_regex.c: RE2 when memory runs out.
 *
 * RE2 allocates by C++'s operator new, which this program brings itself: it
 * fails when a test wants it to, and throws, as the standard says. Nothing is
 * thrown at us, and what is asked again gets its right answer. RE2 may leak then:
 * it was not made for that. */
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "lib/segment/regex.h"
#include "tests/support/suite.h"

static long left = -1; /* Allocations until one fails; -1: none does. */
static long failures;

void _ZSt17__throw_bad_allocv(void) __attribute__((noreturn));
__attribute__((weak)) void __lsan_disable(void);
void *_Znwm(size_t size);
void *_Znam(size_t size);
void _ZdlPv(void *memory);
void _ZdlPvm(void *memory, size_t size);
void _ZdaPv(void *memory);
void _ZdaPvm(void *memory, size_t size);

void *_Znwm(size_t size)
{
    void *memory = left == 0 ? NULL : malloc(size ? size : 1);
    left -= left > 0;
    if (memory)
        return memory;
    left = -1;
    failures++;
    _ZSt17__throw_bad_allocv();
}

void *_Znam(size_t size)
{
    return _Znwm(size);
}

void _ZdlPv(void *memory)
{
    free(memory);
}

void _ZdlPvm(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

void _ZdaPv(void *memory)
{
    free(memory);
}

void _ZdaPvm(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

static struct seg_text text_of(const char *text)
{
    return (struct seg_text){text, strlen(text)};
}

static void setup(void)
{
    if (__lsan_disable)
        __lsan_disable();
}

static void teardown(void)
{
    left = -1;
}

#define PATTERN "@([a-z0-9]+\\.)+(com|io)$"

/* Memory is asked for before RE2 is. */
START_TEST(a_pattern_without_memory_is_an_error)
{
    struct regex *regex = NULL;
    char why[100];
    failures = left = 0;
    ck_assert_int_eq(regex_new(&regex, text_of(PATTERN), _i), SEG_ERR_NOMEM);
    ck_assert_ptr_null(regex);
    left = 0;
    ck_assert_int_eq(regex_refused(text_of("a(b"), _i, why, sizeof(why)),
                     SEG_ERR_NOMEM);
    ck_assert_int_eq(failures, 2);
    ck_assert_int_eq(regex_refused(text_of("a(b"), _i, why, sizeof(why)), 1);
    ck_assert_int_eq(regex_new(&regex, text_of(PATTERN), _i), 0);
    regex_free(regex);
}
END_TEST

/* What RE2 learns of texts is made when they are looked at. */
START_TEST(a_search_without_memory_is_an_error_once)
{
    struct seg_text yes = text_of("ann@mail.example.com"),
                    no = text_of("ann@example.org");
    struct regex *regex;
    failures = 0;
    for (long n = 0; failures == n; n++) {
        ck_assert_int_eq(regex_new(&regex, text_of(PATTERN), _i), 0);
        left = n;
        int ret = regex_found(regex, yes);
        left = -1;
        ck_assert_int_eq(ret, failures > n ? SEG_ERR_NOMEM : 1);
        ck_assert_int_eq(regex_found(regex, yes), 1);
        ck_assert_int_eq(regex_found(regex, no), 0);
        regex_free(regex);
    }
    ck_assert_int_gt(failures, 3);
}
END_TEST

START_TEST(a_pattern_is_refused_beyond_its_memory)
{
    struct regex *regex = NULL;
    char why[100];
    ck_assert_int_eq(
        regex_refused(text_of("\\pL{900}\\pL{900}"), 0, why, sizeof(why)), 1);
    ck_assert_ptr_nonnull(strstr(why, "too large"));
    ck_assert_int_eq(regex_new(&regex, text_of("\\pL{900}\\pL{900}"), 0),
                     SEG_ERR_INVALID);
    ck_assert_ptr_null(regex);
}
END_TEST

/* The states that this one needs for a search are beyond all memory. */
START_TEST(a_search_beyond_its_memory_is_slower_but_right)
{
    static char text[40000];
    struct regex *regex;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (i * i / 7 + i / 3) % 2 ? 'a' : 'b';
    ck_assert_int_eq(regex_new(&regex, text_of("a[ab]{60}c"), 0), 0);
    ck_assert_int_eq(regex_found(regex, (struct seg_text){text, sizeof(text)}),
                     0);
    text[sizeof(text) - 1] = 'c';
    text[sizeof(text) - 62] = 'a';
    ck_assert_int_eq(regex_found(regex, (struct seg_text){text, sizeof(text)}),
                     1);
    regex_free(regex);
}
END_TEST

/* Twice: the second time ignoring case. */
SUITE("regex", setup, teardown, TIMES(a_pattern_without_memory_is_an_error, 2),
      TIMES(a_search_without_memory_is_an_error_once, 2),
      TEST(a_pattern_is_refused_beyond_its_memory),
      TEST(a_search_beyond_its_memory_is_slower_but_right))
