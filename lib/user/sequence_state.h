/* sequence_state.h: what a user has of a sequence, and how it is kept.
 *
 * What it means is told in sequence.c; here it is read, written and recorded.
 */
#ifndef USER_SEQUENCE_STATE_H
#define USER_SEQUENCE_STATE_H

#include "lib/user/attempts.h"

/* No instant lies further from 1970, so that sums never overflow. */
#define SEQUENCE_MS_MAX (INT64_MAX / 4)

struct sequence_state {
    int settled;
    int has_edge;
    int64_t edge_ms;
    uint64_t edge_stamp;
    struct attempts frozen;
    int has_live;
    struct attempts live; /* What all of it came to; see sequence.c. */
    uint32_t tail_count;
    struct seen tail[SEQUENCE_TAIL_MAX + 1];
};

/* Whether STATE is of a user beyond a bound. */
static inline int sequence_state_coarse(const struct sequence_state *state)
{
    return state->has_edge || state->frozen.dropped;
}

/* From so many events on what they came to is kept too. */
#define SEQUENCE_LIVE_FROM 9

/* Make live of STATE anew from all the rest. */
void sequence_state_replay(struct sequence_state *state,
                           const struct feature *feature);

/* Only settled and live of STATE get what ITEM of USER holds. */
void sequence_state_ask(const struct user *user, const struct feature *feature,
                        const struct item *item, struct sequence_state *state);

/* STATE gets what ITEM of USER holds; no item: nothing. Live may be missing. */
void sequence_state_read(const struct user *user, const struct feature *feature,
                         const struct item *item, struct sequence_state *state);

/* STATE becomes the item of FEATURE of *USER, which *ITEM is, as it was when
 * STATE was read from it. Returns 0,
 * SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int sequence_state_write(struct store *store, struct user **user,
                         const struct feature *feature,
                         struct sequence_state *state, struct item *item);

/* Append ITEM to a record, and read it back: see feature_ops. */
void sequence_state_encode(const struct user *user,
                           const struct feature *feature,
                           const struct item *item, struct buf *buf,
                           const uint8_t places[FEATURE_TOPICS]);
int sequence_state_decode(struct store *store, struct user **user,
                          const struct feature *feature, struct reader *reader,
                          const uint8_t topics[FEATURE_TOPICS]);

#endif
