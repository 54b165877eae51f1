/* format_anchor.h: where comments of a file belong.
 *
 * The places of a file that begin something printable (a definition, a field,
 * a value of a list, a condition after `and`) are anchors, sorted. Each comment
 * stands in the gap before one anchor:
 *
 *     anchor   # first of the gap, on the anchor's line: ends that line
 *     # the rest stand before the next anchor, on lines of their own
 *     anchor
 *
 * So every comment is printed once, and printing what was printed changes
 * nothing. */
#ifndef SEGMENT_FORMAT_ANCHOR_H
#define SEGMENT_FORMAT_ANCHOR_H

#include <stdint.h>

#include "lib/segment/rule.h"

#define ANCHOR_END UINT64_MAX /* The end of the file. */

struct anchors {
    const struct rules *rules;
    int comment, comment_end; /* The file's own, of rules->comments. */
    uint64_t *items;
    size_t count, cap;
    int failed;
};

/* Collect the anchors of file FILE of RULES. Ended by anchors_done. Memory
 * running out is remembered in `failed`. */
void anchors_init(struct anchors *anchors, const struct rules *rules,
                  uint32_t file);
void anchors_done(struct anchors *anchors);

/* POS as an anchor. */
uint64_t anchor_of(struct rule_pos pos);

/* The place of the last anchor inside COND, or its own if there is none. */
struct rule_pos anchor_last(const struct rule_cond *cond);

/* The anchor after AT, ANCHOR_END if there is none. */
uint64_t anchor_after(const struct anchors *anchors, uint64_t at);

/* The comments in the gap before AT: *FIRST up to, not including, *END. */
void anchor_gap(const struct anchors *anchors, uint64_t at, int *first,
                int *end);

/* The comment that ends the line before AT, or NULL. */
const struct rule_comment *anchor_trailing(const struct anchors *anchors,
                                           uint64_t at);

/* Whether a comment stands between the places FROM and TO. */
int anchor_comments(const struct anchors *anchors, uint64_t from, uint64_t to);

#endif
