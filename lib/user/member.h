/* member.h: the segments a user is in, and since when.
 *
 * Whether he is in a segment is asked at each judgement, since when only if he
 * leaves, and by queries. He enters many segments at one instant, so instants
 * are kept once each, and of a membership which of them:
 *
 *   | head | length | instants | width | set | last | differences, indexes |
 *
 *   head         bits 0-2: bytes of the last, less 1; bits 3-5: the form of the
 *                set; bit 7: differences are in seconds, not milliseconds
 *   length       LEB128: of the set
 *   instants     LEB128: count of instants, less 1
 *   width        bits of a difference; only if there is one
 *   set          which segments, in the form that makes the item shortest:
 *                0    a bitmap, its length in bytes
 *                1-3  their numbers, ascending, of 1, 2, 4 bytes each
 *                4    nothing: each segment below the length has an index
 *   last         the last instant, beside the user's base (times.h)
 *   differences  of each other instant from the one before, bit by bit
 *   indexes      of each segment's instant, in the order of the set, of as many
 *                bits as the largest needs; in form 4 greater by 1, 0 being a
 *                segment that he is not in
 *
 * Example: in 4 since 2^30 ms after the base, in 3 and 9 since ten seconds
 * earlier is 83, 02, 01 (two instants), 04, 18 02 (a bitmap), 00 00 00 80, 2a
 * (lowest bits first: ten, 0, 1, 0). A hundred memberships since thirty
 * instants of a day take some 145 bytes. */
#ifndef USER_MEMBER_H
#define USER_MEMBER_H

#include <stdint.h>

#include "lib/user/user.h"

/* An item as it lies there; valid until something of its user changes. */
struct members {
    const uint8_t *set; /* NULL: no memberships. */
    uint32_t len;       /* Of the set. */
    uint32_t width;     /* Bytes of a number; 0: no numbers. */
    uint32_t dense;     /* 1: no set, an index for each segment. */
    uint32_t instants;
    uint32_t index_bits, difference_bits, unit;
    int64_t last_ms;
    uint32_t last_bytes;
    const uint8_t *bits; /* Differences, indexes. */
};

struct members member_read(const struct user *user);

/* Whether the user is in SEGMENT. */
int member_in(const struct members *members, uint32_t segment);

/* Whether USER is in SEGMENT; *ENTERED_MS (may be NULL) gets since when. */
int member_find(const struct user *user, uint32_t segment, int64_t *entered_ms);

uint32_t member_count(const struct user *user);

/* Put USER into SEGMENT, in which he is not, since ENTERED_MS; take him out of
 * SEGMENT, in which he is. Return 0, or SEG_ERR_USER_BYTES, SEG_ERR_NOMEM with
 * nothing changed. Usually a few bits move; the cost grows with the number of
 * memberships when something needs more room than before. */
int member_add(struct store *store, struct user **user, uint32_t segment,
               int64_t entered_ms);
int member_remove(struct store *store, struct user **user, uint32_t segment);

struct membership {
    uint32_t segment;
    int64_t entered_ms;
};

/* Put USER, who is in no segment, into those of the COUNT rows of ALL, which
 * get sorted; of several rows of one segment the first counts. Returns as
 * member_add. */
int member_fill(struct store *store, struct user **user, struct membership *all,
                uint32_t count);

#define MEMBER_WALK_KNOWN 32

/* All of them, in order of segments. */
struct member_walk {
    struct members members;
    uint32_t place; /* In the set, of a bit or a number. */
    uint32_t rank;  /* Memberships passed. */
    uint32_t known; /* The first so many instants. */
    int64_t known_ms[MEMBER_WALK_KNOWN];
};
void member_walk_start(const struct user *user, struct member_walk *walk);

/* The next one; returns 0 at the end. */
int member_walk_next(struct member_walk *walk, uint32_t *segment,
                     int64_t *entered_ms);

#endif
