/* checker.h: the making of a check, shared by the files check*.c. */
#ifndef SEGMENT_CHECKER_H
#define SEGMENT_CHECKER_H

#include "lib/base/suggest.h"
#include "lib/segment/diagnostics.h"
#include "lib/segment/rule.h"

struct checker {
    struct rules *rules;
    struct seg_diagnostics *diagnostics;
    struct rule_list **lists; /* Sorted by key. */
    int segment;              /* The one being looked at. */
    struct check_edge {
        int from, to; /* Segments; FROM ascending. */
        const struct rule_cond *cond;
    } * edges;
    size_t edge_count, edge_cap;
    unsigned char *tested; /* By segment. */
};

/* FORMAT as an error or a warning about POS. */
#define check_error(checker, pos, ...)                          \
    diagnostics_add((checker)->diagnostics, SEG_SEVERITY_ERROR, \
                    (checker)->rules, pos, __VA_ARGS__)
#define check_warning(checker, pos, ...)                          \
    diagnostics_add((checker)->diagnostics, SEG_SEVERITY_WARNING, \
                    (checker)->rules, pos, __VA_ARGS__)

/* The same, a note unless HIGHEST, a number that something is compared with, is
 * beyond the LIMIT to which it is exact. CHECK_ANY_NUMBER: with something that
 * changes, so nobody can tell. */
#define CHECK_ANY_NUMBER INT64_MAX
#define check_limit(checker, pos, highest, limit, ...)                   \
    diagnostics_add((checker)->diagnostics,                              \
                    (highest) > (limit) && (highest) != CHECK_ANY_NUMBER \
                        ? SEG_SEVERITY_WARNING                           \
                        : SEG_SEVERITY_NOTE,                             \
                    (checker)->rules, pos, __VA_ARGS__)

/* ---- check_name.c ---------------------------------------------------- */

enum check_definition {
    DEFINED_SEGMENT,
    DEFINED_LIST,
    DEFINED_SCORE,
    DEFINED_TRAIT,
};

/* Sort definitions by key and say which stand twice. 0 or SEG_ERR_NOMEM. */
int check_sort_names(struct checker *checker);

/* The index of the definition of KIND with KEY, -1 if there is none. */
int check_find(const struct checker *checker, enum check_definition kind,
               struct seg_text key);

/* The same for a reference at POS, saying so if there is none; BEFORE is what
 * is written before a key there ("@"). */
int check_refer(struct checker *checker, enum check_definition kind,
                struct seg_text key, struct rule_pos pos, const char *before);

/* Give the values of @list, and say when there is no such list. */
void check_resolve(struct checker *checker, struct rule_values *values);

/* check_type.c: what a test is made of. */
enum check_subject {
    SUBJECT_ANY,
    SUBJECT_TEXT,
    SUBJECT_NUMBER, /* May be missing. */
    SUBJECT_AMOUNT, /* A number that is always there. */
    SUBJECT_COUNT   /* The same, whole and from 0 on. */
};
void check_test(struct checker *checker, enum check_subject subject,
                struct rule_test *test);
void check_where(struct checker *checker, struct rule_where *where);

/* check_measure.c: the score or trait that a measure refers to. */
void check_definition(struct checker *checker, struct rule_measure *measure);

/* What MEASURE is, through traits; its names are resolved. */
enum check_subject check_subject_of(const struct checker *checker,
                                    const struct rule_measure *measure);

/* A measure that is compared with numbers up to HIGHEST. */
void check_measure(struct checker *checker, const struct rule_measure *measure,
                   int64_t highest);

/* check_exact.c: to what limit a measure is exact, said at POS, the window's
 * where it has one; of a count, of a habit. */
void check_exact(struct checker *checker, const struct rule_measure *measure,
                 const struct rule_pos *pos, int64_t highest);
void check_exact_count(struct checker *checker,
                       const struct rule_window *window,
                       const struct rule_pos *pos, int64_t highest);
void check_exact_habit(struct checker *checker, const struct rule_times *times);
void check_exact_score(struct checker *checker, const struct rule_score *score);

/* check_sequence.c: the steps of a sequence, and what they leave possible. */
void check_sequence(struct checker *checker, const struct rule_cond *cond);

/* check_cond.c: a condition, all below it and its edges to segments. */
void check_cond(struct checker *checker, struct rule_cond *cond);

/* check_logic.c: contradictions and tautologies of one group, or of one
 * condition alone; not what is below. */
void check_group(struct checker *checker, const struct rule_cond *cond);
void check_where_group(struct checker *checker, const struct rule_where *where);

/* check_cycle.c: segments that refer to each other in a circle. */
void check_cycles(struct checker *checker);

/* check_block.c: lists, scores, traits, triggers, tests. */
void check_scores(struct checker *checker);
void check_traits(struct checker *checker);
void check_list(struct checker *checker, const struct rule_list *list);
void check_segment(struct checker *checker, struct rule_segment *segment);
void check_tests(struct checker *checker);

/* check_event.c: names of events that look alike. */
void check_event_names(struct checker *checker);

#endif
