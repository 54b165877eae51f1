/* diagnostics.h: collecting what is wrong with segment files.
 *
 * All texts of a struct seg_diagnostics live in its arena. Control bytes never
 * get in: they are replaced byte by byte, so that columns still fit. The first
 * SEG_DIAGNOSTICS_MAX errors, DIAGNOSTIC_WARNINGS_MAX warnings and
 * DIAGNOSTIC_NOTES_MAX notes are kept. */
#ifndef SEGMENT_DIAGNOSTICS_H
#define SEGMENT_DIAGNOSTICS_H

#include <seg/catalogue.h>

#include "lib/base/arena.h"
#include "lib/segment/rule.h"

#define DIAGNOSTIC_WARNINGS_MAX 1000
#define DIAGNOSTIC_NOTES_MAX    1000

struct seg_diagnostics {
    struct arena arena;
    struct seg_diagnostic *items;
    size_t cap;
    int count, errors, warnings;
    int dropped; /* The last one was not kept. */
    int failed;  /* Memory ran out. */
};

/* Add what FORMAT makes (one sentence) about POS, a place in RULES. */
void diagnostics_add(struct seg_diagnostics *diagnostics,
                     enum seg_severity severity, const struct rules *rules,
                     struct rule_pos pos, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Give the one added last its suggestion. */
void diagnostics_suggest(struct seg_diagnostics *diagnostics,
                         const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether no more errors are kept: time to stop looking for them. */
int diagnostics_full(const struct seg_diagnostics *diagnostics);

/* Order those from index FROM on by file, line and column. */
void diagnostics_sort(struct seg_diagnostics *diagnostics, int from);

#endif
