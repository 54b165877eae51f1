/* eval.h: the truth of conditions about one user at one instant.
 *
 * Truth has three values (Kleene's): false, unknown, true stand as 0, 1, 2, so
 * that `and` is the minimum, `or` the maximum and `not` 2 minus. Unknown arises
 * while a new feature is warming (warming.h). */
#ifndef SEGMENT_EVAL_H
#define SEGMENT_EVAL_H

#include <stdint.h>

#include <seg/query.h>

#include "lib/segment/compare.h"
#include "lib/segment/plan.h"
#include "lib/segment/warming.h"
#include "lib/user/watch.h"

/* Counts of one user at one instant, that of his judgement: several segments
 * ask the same, and what an event was folded into is known already. And the
 * truths of segments that others ask for, while they may be unknown: what is
 * judged in order of rank does not change after it was asked for. */
struct eval_memo {
    uint32_t epoch; /* From 1. */
    uint32_t size;  /* Of counts. */
    struct eval_count {
        uint32_t epoch; /* Another one than the memo's: not known. */
        uint64_t count;
    } * counts; /* By feature. */
    uint32_t segment_count;
    struct eval_truth {
        uint32_t epoch; /* Likewise. */
        int truth;
    } * truths; /* By segment. */
};

/* Returns 0 or SEG_ERR_NOMEM. */
int eval_memo_init(struct eval_memo *memo, const struct plan *plan);
void eval_memo_done(struct eval_memo *memo);
void eval_memo_forget(struct eval_memo *memo);

/* Counting source SOURCE counts COUNT. */
void eval_memo_note(struct eval_memo *memo, uint32_t source, uint64_t count);

/* Whom to judge, and when. USER may be NULL: a user of whom nothing is known.
 */
struct view {
    const struct plan *plan;
    const struct user *user;
    int64_t now_ms;
    struct arena *scratch;
    uint64_t *mismatches;          /* May be NULL. */
    struct eval_memo *memo;        /* May be NULL. */
    const struct warming *warming; /* NULL: all is known. */
};

/* Truth of PREDICATE; *VALUE gets what was measured, a count not above what the
 * predicate needs to know. */
int eval_predicate(const struct view *view, const struct predicate *predicate,
                   struct seg_value *value);

/* The same to be shown to people: instants are texts, in the scratch arena. */
int eval_shown(const struct view *view, const struct predicate *predicate,
               struct seg_value *value);

/* What SOURCE, a feature or an attribute, measures of the user. Returns 0 or
 * SEG_ERR_NOMEM. */
int eval_measure(const struct view *view, uint32_t source,
                 struct seg_value *value);

/* The same as one side of a comparison. */
struct measured eval_measured(const struct view *view, uint32_t source);

/* When the user entered or left the segment that PREDICATE, of such a kind, asks
 * about; WATCH_NEVER. */
int64_t eval_watched(const struct view *view,
                     const struct predicate *predicate);

int eval_is_member(const struct view *view, uint32_t segment);

int eval_cond(const struct view *view, const struct cond *cond);

/* Truth of segment SEGMENT, include and exclude considered; memberships of
 * other segments are read from the user, unless their truth is unknown. */
int eval_segment(const struct view *view, uint32_t segment);

/* Where USER stands for the condition RULE, `user in P% by "salt"`: 0 to 9999,
 * hundredths of a percent. */
int eval_share_place(const struct user *user, const struct rule_cond *rule);

/* 1 included, 0 excluded, -1 neither. */
int eval_listed(const struct view *view, uint32_t segment);

/* The conditions that decided the truth of SEGMENT, up to SEG_EVIDENCE_MAX into
 * OUT; values are copied into ARENA. Returns how many, or SEG_ERR_NOMEM. */
int eval_evidence(const struct view *view, uint32_t segment,
                  struct arena *arena, struct seg_evidence *out);

/* eval_next.c: the first instant after now at which PREDICATE may change by time
 * alone: at it, or at worst before it, its truth is another one. */
int64_t eval_predicate_next(const struct view *view,
                            const struct predicate *predicate);

/* A lower bound of the same for any predicate of source SOURCE. */
int64_t eval_source_next(const struct view *view, uint32_t source);

#endif
