/* regex.cc: RE2, seen from C.
 *
 * RE2 and what it is made of throw when there is no memory. Nothing is thrown
 * beyond this file, the only one that is compiled with exceptions (Makefile).
 * But RE2 was not made for that: thrown at while it compiles, it frees what it
 * has not made yet. So before it compiles it is seen whether as much memory is
 * there as it may take. To throw while it searches does no harm. */
#include "lib/segment/regex.h"

#include <cstdio>
#include <memory>
#include <new>

#include <re2/re2.h>

#include <seg/error.h>

struct regex {
    re2::RE2 re2;
    regex(re2::StringPiece pattern, const re2::RE2::Options &options)
        : re2(pattern, options)
    {
    }
};

static re2::RE2::Options options_of(int ignoring_case)
{
    re2::RE2::Options options;
    options.set_case_sensitive(!ignoring_case);
    options.set_log_errors(false);
    options.set_max_mem(REGEX_BYTES_MAX);
    return options;
}

/* More than the program, and the tree that it is made from. */
static const size_t room_bytes = 4 * REGEX_BYTES_MAX;

static std::unique_ptr<regex> compile(struct seg_text pattern,
                                      int ignoring_case)
{
    ::operator delete(::operator new(room_bytes));
    return std::make_unique<regex>(
        re2::StringPiece(pattern.bytes, pattern.len),
        options_of(ignoring_case));
}

int regex_refused(struct seg_text pattern, int ignoring_case, char *why,
                  size_t size)
try {
    std::unique_ptr<regex> made = compile(pattern, ignoring_case);
    if (made->re2.ok())
        return 0;
    std::snprintf(why, size, "%s", made->re2.error().c_str());
    return 1;
} catch (...) {
    return SEG_ERR_NOMEM;
}

int regex_new(struct regex **ret, struct seg_text pattern, int ignoring_case)
try {
    std::unique_ptr<regex> made = compile(pattern, ignoring_case);
    if (!made->re2.ok())
        return SEG_ERR_INVALID;
    *ret = made.release();
    return 0;
} catch (...) {
    return SEG_ERR_NOMEM;
}

void regex_free(struct regex *regex)
{
    delete regex;
}

int regex_found(const struct regex *regex, struct seg_text text)
try {
    return re2::RE2::PartialMatch(re2::StringPiece(text.bytes, text.len),
                                  regex->re2);
} catch (...) {
    return SEG_ERR_NOMEM;
}
