/* warming.h: what is not known yet, because it was not watched from the start.
 *
 * A catalogue that comes later asks for features and attributes that nobody
 * kept before. Each change of catalogue in a partition begins an *epoch*: an
 * instant and a position of each input. A source (plan.h) is *observed* since
 * the epoch in which some catalogue began to read it, without a gap until now;
 * of a user born before that, a part of his past is missing.
 *
 *           epoch 2 begins: since, positions
 *                  |
 *     . . x . x . .|. . . x . . x . .     x   events that the feature selects
 *         not seen |   seen         ^ now
 *
 * What lies before `since` may have been anything. A predicate that comes out
 * the same whatever it was is *decided*; else it is unknown (Kleene's third
 * value, see eval.h), and unknown changes no membership:
 *
 *   a count             decided once what was seen has passed its last flip:
 *                       from there on more events do not matter
 *   a window            decided for good when it reaches back no further than
 *                       `since`, at the *end* of its warming; for a user of
 *                       whom so few events were kept that none was left out,
 *                       always
 *   age of the last     decided if that was seen after `since`; or when even an
 *                       event at `since` would be too old; or by one seen late,
 *                       than which the last is no older
 *   attributes          known if kept as spare ones (lib/user/attribute.h); what
 *                       was set but could not be kept there is not
 *
 * A feature of which more events are kept than before (`at least 3` was edited
 * to `at least 5`) is observed anew, but for what was kept: the newest so many.
 *
 * Every end is an instant at which time alone changes what is known: the engine
 * has a timer there for every user it concerns. */
#ifndef SEGMENT_WARMING_H
#define SEGMENT_WARMING_H

#include <stdint.h>

#include "lib/segment/plan.h"
#include "lib/user/user.h"

struct view;

struct warming {
    uint32_t epoch_count; /* 0: all is known. */
    struct warming_epoch {
        uint32_t number; /* Of the partition, from 1; ascending. */
        int64_t since_ms;
        int64_t *positions; /* Of each input. */
    } * epochs;
    uint32_t
        *of_source; /* By source: 1 + index of its epoch; 0: from the start. */
    uint32_t *kept; /* By source: so many of the newest events before that; 0:
                       none, or all that is kept are not events. */
    uint64_t bits;  /* Numbers of these features modulo 64, as in user_bits. */
    uint32_t end_count;
    struct warming_end {
        int64_t at_ms;
        uint32_t source;
        uint32_t epoch; /* Index. */
    } * ends;           /* Ascending. */
};

/* Set the bits of WARMING, whose of_source is there. */
void warming_set_bits(struct warming *warming, const struct plan *plan);

/* Find the ends of a WARMING whose epochs and of_source are there. Returns 0 or
 * SEG_ERR_NOMEM. */
int warming_find_ends(struct warming *warming, const struct plan *plan);
void warming_done(struct warming *warming);

/* When what lies before SINCE_MS has left the window of FEATURE; SEG_NEVER if
 * it does not, or has none. */
int64_t warming_end_of(const struct feature *feature, int64_t since_ms);

/* The epoch of SOURCE, if USER was born before it; NULL: he is known from the
 * start. */
const struct warming_epoch *warming_epoch_of(const struct warming *warming,
                                             const struct user *user,
                                             uint32_t source);

/* Whether what STAMP (feature.h) names was read after the epoch of SOURCE
 * began. */
int warming_observes(const struct warming *warming, uint32_t source,
                     uint64_t stamp);

/* The truth of PREDICATE, which is TRUTH going by what was seen, for the user
 * of VIEW, whom it concerns; of a count, COUNT was seen. */
int warming_truth(const struct view *view, const struct predicate *predicate,
                  int truth, int64_t count);

/* Whether what SOURCE, a feature, measures of the user of VIEW is known,
 * whatever it is tested for. */
int warming_is_known(const struct view *view, uint32_t source);

/* When PREDICATE is decided at the latest for the user of VIEW, *SINCE_MS gets
 * since when its source is observed; SEG_NEVER if that cannot be told. */
int64_t warming_decides(const struct view *view,
                        const struct predicate *predicate, int64_t *since_ms);

/* When SOURCE, some events of which were kept, is decided for USER for good, as
 * things stand at NOW_MS; INT64_MIN: it is. */
int64_t warming_kept_end(const struct warming *warming, const struct plan *plan,
                         const struct user *user, uint32_t source,
                         int64_t now_ms);

/* The first end after NOW_MS that concerns USER; SEG_NEVER. */
int64_t warming_next(const struct warming *warming, const struct plan *plan,
                     const struct user *user, int64_t now_ms);

#endif
