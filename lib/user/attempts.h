/* attempts.h: how far the events of a user have come along a sequence.
 *
 * A sequence is a row of steps; a step is *matched* by an event, or is
 * `without` and must not be. An *attempt* is a beginning of a match: which step
 * was matched last, when, and when the first one was. Nothing else of the
 * events behind it can matter any more:
 *
 *     did A then B after 1h without C within 2h then D all within 7d
 *
 *     A     B  D    A                 D
 *     |     |  |    |                 |          step 0 is A, 1 B, 2 C, 3 D
 *     x-----x       :                 :          at 1: first A, last B; D came
 *     :     :       x                 :          too early; matched by the
 *     x-----x-------------------------x          second D: complete
 *
 * An event that fits makes a new attempt, one step further; the old one stays
 * open, for a later event may fit as well and do better. The steps `without`
 * that follow the last matched one end the attempt when an event matches them
 * within their time; so does an event `between`; and any event at all if the
 * next step must come `directly`. All this happens in the order of events, and
 * what is left is a set that says of every future which matches it completes.
 *
 * Attempt a *dominates* b if whatever completes b completes a too, and what a
 * then gives holds at least as long. b can go. That is so if (attempts_see and
 * attempts_prune ask no more than this):
 *
 *   - a and b are at the same step with the same key, and will be matched by
 *     the same events from now on:
 *       `within` of the next step   a was matched last no earlier than b
 *       `after`, `without`          ... no later, or so long ago that every
 *                                   event to come is late enough
 *   - the first event of a stands no worse: later for `in` and `all within`;
 *     at the same instant for `from … to … ago`, where later is not better; at
 *     any if there is neither (what is true once stays true);
 *   - or a is complete and can no more be taken back, whatever the step of b.
 *
 * So `did A then B then C` has one attempt per step, however many events there
 * were. What piles up is attempts in a quiet time, and one per key of `for the
 * same`. When there are more than SEQUENCE_ATTEMPTS_ROOM and none of them is
 * dominated, the oldest are given up until SEQUENCE_ATTEMPTS_MAX are left. As
 * time passes one attempt may come to dominate another; looking for that each
 * time would take the square of their number, so where there are many it waits
 * until they are too many. */
#ifndef USER_ATTEMPTS_H
#define USER_ATTEMPTS_H

#include <stdint.h>

#include "lib/user/feature.h"

struct attempt {
    int64_t first_ms; /* Of the event of step 0. */
    int64_t last_ms;  /* Of the event of STEP. */
    uint64_t same;    /* Key; 0 if there is none. */
    uint32_t step;    /* Matched last. */
    uint16_t stored;  /* Which one of the item it is, from 1; 0: none. */
};

/* An event as a sequence sees it. */
struct seen {
    int64_t time_ms;
    uint64_t stamp;
    uint64_t same;
    uint32_t roles;
    /* Where it stands in the item, and ends; 0: nowhere. */
    uint16_t stored, stored_end;
};

#define SEQUENCE_ATTEMPTS_ROOM (2 * SEQUENCE_ATTEMPTS_MAX)

/* What bounds some attempts, so that most of what could happen to one of them
 * need not be looked for: each is at one of these steps (bits), began no later
 * than FIRST_MAX_MS and has no more than LENGTH_MAX_MS from the first event to
 * the last; those at step s began no earlier than AT[s].FIRST_MS and were
 * matched last from LAST_MS to LAST_MAX_MS. They bound all COUNT that ever were
 * among them: who is taken out leaves them as they are. */
struct attempt_bounds {
    uint32_t count;
    uint32_t steps;
    int64_t first_max_ms, length_max_ms;
    struct {
        int64_t first_ms, last_ms, last_max_ms;
    } at[FEATURE_ROLES];
};

/* Attempts as they stand in an item (attempts_item.c). */
struct attempts_stored {
    uint32_t count;
    uint32_t first_bytes, length_bytes, bytes; /* The last: of all of one. */
    const uint8_t *at;
    const struct user *user;
};

struct attempts {
    uint32_t count; /* At most SEQUENCE_ATTEMPTS_ROOM after each call. */
    int dropped;    /* Some were given up. */
    /* The first so many items are those of STORED, and not read yet: bounds are
     * all that is known of them. */
    uint32_t unread;
    struct attempts_stored stored;
    struct attempt_bounds bounds;
    struct attempt items[2 * SEQUENCE_ATTEMPTS_ROOM + 1];
};

/* Make ATTEMPTS none. */
void attempts_clear(struct attempts *attempts);

/* Make the bounds no wider than they need be. */
void attempts_bound(struct attempts *attempts);

/* Put ATTEMPT behind the others. */
void attempts_append(struct attempts *attempts, const struct attempt *attempt);

/* Whether SEEN comes before the event of TIME_MS and STAMP. */
static inline int seen_before(const struct seen *seen, int64_t time_ms,
                              uint64_t stamp)
{
    return seen->time_ms != time_ms ? seen->time_ms < time_ms
                                    : seen->stamp < stamp;
}

/* Make TO a copy of FROM. */
void attempts_copy(struct attempts *to, struct attempts *from);

/* Whether nothing that is found can be taken back: no step is `without` or
 * `directly`, and nothing is forbidden between. */
int sequence_only_grows(const struct feature_sequence *sequence);

/* The roles that an event can play, as bits. */
uint32_t sequence_roles(const struct feature_sequence *sequence);

/* SEEN happens, after all that happened to ATTEMPTS before. */
void attempts_see(struct attempts *attempts, const struct feature *feature,
                  const struct seen *seen);

/* SEEN happened before something that is forgotten. It can still take back
 * what it forbids; it makes attempts only if the sequence only grows: else what
 * forbids them may be among what is forgotten. */
void attempts_see_late(struct attempts *attempts, const struct feature *feature,
                       const struct seen *seen);

/* Leave out what can make no difference any more, all events to come being at
 * or after FROM_MS, all questions after NOW_MS. */
void attempts_prune(struct attempts *attempts, const struct feature *feature,
                    int64_t from_ms, int64_t now_ms);

/* Leave out those whose first event is at or before TIME_MS. */
void attempts_expire(struct attempts *attempts, int64_t time_ms);

/* Whether a match is complete and in the window at NOW_MS. */
int attempts_hold(struct attempts *attempts, const struct feature *feature,
                  int64_t now_ms);

/* The first instant after NOW_MS at which that changes by time alone. */
int64_t attempts_next(struct attempts *attempts, const struct feature *feature,
                      int64_t now_ms);

/* The complete attempt of the latest first event that, no event being to come
 * before FROM_MS, cannot be taken back; NULL if there is none. */
const struct attempt *attempts_final(struct attempts *attempts,
                                     const struct feature *feature,
                                     int64_t from_ms);

/* The attempt that has come furthest at NOW_MS; of several the one of the
 * latest first event; NULL if none is open or holds. */
const struct attempt *attempts_best(struct attempts *attempts,
                                    const struct feature *feature,
                                    int64_t now_ms);

/* How many steps of ATTEMPT are matched. */
uint32_t attempt_matched(const struct attempt *attempt,
                         const struct feature_sequence *sequence);

/* When time alone decides about ATTEMPT, after NOW_MS: it begins to hold, or
 * ends to, or its next step comes too late. */
int64_t attempt_until(const struct attempt *attempt,
                      const struct feature *feature, int64_t now_ms);

/* ---- in an item (attempts_item.c) --------------------------------------- */

#define ATTEMPTS_FEW \
    8 /* So many are compared with each other; and read at once. */

/* Bytes at most. */
#define ATTEMPTS_BYTES \
    (32 + FEATURE_ROLES * 30 + SEQUENCE_ATTEMPTS_ROOM * (1 + 2 * 8 + 8))

/* Write ATTEMPTS of USER at TO; what STORED refers to must still be there.
 * Returns where they end. */
uint8_t *attempts_put(uint8_t *to, const struct user *user,
                      const struct feature *feature, struct attempts *attempts);

/* ATTEMPTS, of which there are none, get those that stand at FROM, in the item
 * of USER, which must not change while ATTEMPTS are used. Returns where they
 * end. */
const uint8_t *attempts_get(const uint8_t *from, const struct user *user,
                            const struct feature *feature,
                            struct attempts *attempts);

/* Read those that are not read yet: attempts_read. */
void attempts_read_all(struct attempts *attempts);

/* Whether there may be one at STEP with the key SAME. */
int attempts_may_have(const struct attempts *attempts, uint32_t step,
                      uint64_t same);

#endif
