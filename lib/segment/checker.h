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

/* The segment of KEY, -1 if there is none; the segments are sorted. */
int check_find_segment(const struct checker *checker, struct seg_text key);

/* Give the values of @list, and say when there is no such list. */
void check_resolve(struct checker *checker, struct rule_values *values);

/* check_type.c: what a test is made of. */
enum check_subject {
    SUBJECT_ANY,
    SUBJECT_TEXT,
    SUBJECT_NUMBER, /* May be missing. */
    SUBJECT_COUNT   /* A number that is always there. */
};
void check_test(struct checker *checker, enum check_subject subject,
                struct rule_test *test);
void check_where(struct checker *checker, struct rule_where *where);

/* check_cond.c: a condition, all below it and its edges to segments. */
void check_cond(struct checker *checker, struct rule_cond *cond);

/* check_logic.c: contradictions and tautologies of one group, or of one
 * condition alone; not what is below. */
void check_group(struct checker *checker, const struct rule_cond *cond);
void check_where_group(struct checker *checker, const struct rule_where *where);

/* check_cycle.c: segments that refer to each other in a circle. */
void check_cycles(struct checker *checker);

/* check_block.c: lists, triggers, tests. */
void check_list(struct checker *checker, const struct rule_list *list);
void check_segment(struct checker *checker, struct rule_segment *segment);
void check_tests(struct checker *checker);

#endif
