/* feature.h: an incrementally kept aggregate of one user's events.
 *
 * A feature is kind × events selected × window. Its state is one item of the
 * user's block, absent until an event is selected. Folding commutes: for events
 * up to `lateness` behind the clock the state depends on which events
 * were folded, not on their order; late ones are inserted at their own time.
 * Events dated in the future are never folded early: the engine parks them. */
#ifndef USER_FEATURE_H
#define USER_FEATURE_H

#include <stdint.h>

#include <seg/engine.h>
#include <seg/query.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/reader.h"
#include "lib/user/feature_table.h"
#include "lib/user/user.h"

#define FEATURE_EXACT_MAX 256 /* (time, value) pairs kept exactly. */
#define FEATURE_KEPT_MAX \
    (FEATURE_EXACT_MAX + 1)      /* `at most 256` asks for 257. */
#define FEATURE_BUCKETS       64 /* In a window that went beyond. */
#define BUCKET_WORDS          3  /* Start (2 words), number. */
#define BUCKET_BYTES          (BUCKET_WORDS * WORD_BYTES)
#define FEATURE_LIFETIME      INT64_MAX
#define SEQUENCE_ATTEMPTS_MAX 64 /* Open ones that are surely followed. */
#define SEQUENCE_TAIL_MAX     64 /* Events within lateness; sequence.c. */
#define FEATURE_KEEP_ALL      UINT32_MAX
#define FEATURE_ROLES         32 /* In one sequence. */
#define FEATURE_NO_ROLE       UINT32_MAX
#define FEATURE_NO_PATH       UINT32_MAX
#define FEATURE_TOPICS        256 /* Places of topics in a record, and numbers. */

enum feature_kind {
#define X(name, ops, code, counts) FEATURE_##name,
    FEATURE_TABLE(X)
#undef X
};

/* Of a SCORE: the event of role r adds weights[r]. */
struct feature_score {
    int64_t half_life_ms;
    uint32_t weight_count;
    const int64_t *weights;
};

/* Of a HABIT: each of the last PERIODS blocks of PERIOD_MS has LOW to HIGH
 * events (HIGH may be INT64_MAX). */
struct feature_habit {
    int64_t period_ms;
    int64_t periods;
    int64_t low, high;
};

/* Of a SEQUENCE: step 0 is the first event, a step's number is its role. The
 * window of the feature, dates included, limits step 0 only. */
struct feature_sequence {
    uint32_t step_count;
    const struct feature_step {
        int without; /* `without E within D`: within_ms is set. */
        int directly;
        int64_t after_ms;  /* 0: not there. */
        int64_t within_ms; /* 0: not there. */
        /* Of a step that is matched, by sequence_link: */
        uint32_t next;    /* The next such step; step_count: none. */
        int64_t quiet_ms; /* The longest `without` in between. */
        int64_t least_ms; /* The next one comes no earlier after it. */
    } * steps;
    int64_t all_within_ms; /* 0: not there. */
    uint32_t no_between; /* Role of `with no E between`, or FEATURE_NO_ROLE. */
    uint32_t activity; /* Role of any event at all, if some step is `directly`,
                            or FEATURE_NO_ROLE. */
    int same;          /* `for the same p`: fold.same counts. */
};

struct feature {
    enum feature_kind kind;
    uint32_t item;   /* Its item in a user's block. */
    uint64_t key;    /* Hash of its canonical text. */
    int64_t from_ms; /* Ages to_ms <= a < from_ms count; */
    int64_t to_ms;   /* from_ms may be FEATURE_LIFETIME. */
    uint32_t keep;   /* Newest events that are needed; FEATURE_KEEP_ALL. */
    /* Only events of these times count at all: `since`, `before` and `between`
     * dates, both included. INT64_MIN, INT64_MAX: no date. With dates the window
     * is a lifetime. The engine leaves the others out before they are folded,
     * but for a SEQUENCE, whose role 0 it takes away from them. */
    int64_t after_ms;
    int64_t before_ms;
    uint32_t path; /* The seg_field whose value is folded (FIRST, LAST, SUM,
                        AVG, MIN, MAX, DISTINCT) or must be the same (SEQUENCE);
                        else FEATURE_NO_PATH. */
    int every;     /* Every change of a count matters, not only its flips: it is
                  compared with something that changes too, or a trait. keep is
                  FEATURE_KEEP_ALL then. */
    union {
        const struct feature_score *score;
        const struct feature_habit *habit;
        const struct feature_sequence *sequence;
    } of; /* Parameters of these kinds. */
    /* Counts at which some test of the feature changes, ascending: the truth of
     * all of them is the same for all counts between two. */
    uint32_t flip_count;
    const uint32_t *flips;
};

/* One event as a feature sees it. */
struct fold {
    int64_t time_ms;
    uint64_t stamp; /* Topic (8 bits), offset (56): order at one time. */
    struct seg_value value; /* Of feature.path; else SEG_MISSING. */
    uint32_t role; /* SCORE: which of its lines selects the event. An event that
                       several select is folded for each of them. */
    uint32_t roles; /* SEQUENCE: bit r: the event plays role r. */
    uint64_t same;  /* SEQUENCE: value_hash of what must be the same; 0: the
                       event lacks it. */
};

static inline uint64_t fold_stamp(int topic, int64_t offset)
{
    return (uint64_t)topic << 56 | (uint64_t)offset;
}

static inline int stamp_topic(uint64_t stamp)
{
    return (int)(stamp >> 56);
}

static inline int64_t stamp_offset(uint64_t stamp)
{
    return (int64_t)(stamp & ((UINT64_C(1) << 56) - 1));
}

/* What folding an event did to a feature. */
struct folded {
    uint64_t before, after; /* What it counted; 0 if it is no counting one. */
    int rough; /* These only lie between the right flips: ask for the count. */
    int64_t next_ms; /* As feature_ops.next, after the fold. */
    int coarse;      /* It became coarse. */
    int mismatch; /* The event's value is of no use to it and was left out. */
};

/* The newest of the events that make up what a feature measures, newest first;
 * and whether there are more. */
#define FEATURE_EVENTS_MAX SEG_REASON_EVENTS_MAX
struct feature_events {
    int count;
    int more;
    int64_t times_ms[FEATURE_EVENTS_MAX];
};

/* Add one that is older than those before. Returns 0 if there is no room. */
static inline int feature_events_add(struct feature_events *events,
                                     int64_t time_ms)
{
    if (events->count == FEATURE_EVENTS_MAX) {
        events->more = 1;
        return 0;
    }
    events->times_ms[events->count++] = time_ms;
    return 1;
}

struct feature_ops {
    /* Fold an event of age >= 0 at NOW_MS. Returns 0, SEG_ERR_USER_BYTES or
     * SEG_ERR_NOMEM. */
    int (*fold)(struct store *store, struct user **user,
                const struct feature *feature, const struct fold *fold,
                int64_t now_ms, struct folded *folded);
    /* What it measures of USER at NOW_MS. Text borrows from the block, lists
     * are put in ARENA. */
    int (*measure)(const struct user *user, const struct feature *feature,
                   int64_t now_ms, struct arena *arena,
                   struct seg_value *value);
    /* The first instant after NOW_MS at which the measure changes by time alone
     * so that some test may, or a lower bound; SEG_NEVER. */
    int64_t (*next)(const struct user *user, const struct feature *feature,
                    int64_t now_ms);
    /* Fill *EVENTS, which is empty, as of NOW_MS. Where no times are kept, or only
     * those of buckets, it stays so. NULL: none ever are. */
    void (*events)(const struct user *user, const struct feature *feature,
                   int64_t now_ms, struct feature_events *events);
    /* Append what ITEM of USER holds to a record; a topic t is written as
     * PLACES[t]. NULL: of the first kinds, which lib/engine/snapshot.h knows. */
    void (*write)(const struct user *user, const struct feature *feature,
                  const struct item *item, struct buf *buf,
                  const uint8_t places[FEATURE_TOPICS]);
    /* Read that back into USER, who has no such item: a place p means topic
     * TOPICS[p]. READER ends where it ends. Nothing that stands there is to be
     * believed. Returns 0, SEG_ERR_RECORD, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM.
     */
    int (*read)(struct store *store, struct user **user,
                const struct feature *feature, struct reader *reader,
                const uint8_t topics[FEATURE_TOPICS]);
};

#define X(name, ops, code, counts) extern const struct feature_ops ops;
FEATURE_TABLE(X)
#undef X

const struct feature_ops *feature_ops_of(enum feature_kind kind);

/* The code of KIND in user records, and back (-1: none). */
int feature_code(enum feature_kind kind);
int feature_kind_of_code(int code);

/* Whether KIND is a counting one: what it measures is a number of something, 0
 * of a user who has no such item. */
int feature_counts(enum feature_kind kind);

/* What a counting FEATURE counts of a user who has no such item: 0, but for a
 * habit of doing nothing. */
uint64_t feature_empty(const struct feature *feature);

/* Whether KIND, not a counting one, measures 0 of such a user: the others
 * measure nothing. */
int feature_is_zero(enum feature_kind kind);

/* What a counting feature counts at NOW_MS, up to what is kept. */
uint64_t feature_count(const struct user *user, const struct feature *feature,
                       int64_t now_ms);

/* Of a WINDOW feature that ends now: the time of the RANK-th newest event (from
 * 0) among those kept that are in the window at NOW_MS and not after UNTIL_MS.
 * Returns 0 if there are not so many. */
int window_newest(const struct user *user, const struct feature *feature,
                  int64_t now_ms, int64_t until_ms, uint64_t rank,
                  int64_t *time_ms);

/* Let USER have no more than the MOST newest events of a WINDOW feature that
 * ends now; a coarse one stays as it is. Returns 0 or SEG_ERR_NOMEM. */
int window_trim(struct store *store, struct user **user,
                const struct feature *feature, uint32_t most);

/* Fill next, quiet_ms and least_ms of COUNT steps of a SEQUENCE (attempts.c). */
void sequence_link(struct feature_step *steps, uint32_t count);

/* How many of the feature's flips lie at or below COUNT. */
uint32_t feature_region(const struct feature *feature, uint64_t count);

/* Where COUNT lies: tests of FEATURE change when it falls below LOW (0: never)
 * or comes to HIGH (UINT64_MAX: never). */
struct feature_bounds {
    uint64_t low, high;
};
struct feature_bounds feature_bounds(const struct feature *feature,
                                     uint64_t count);

/* Bytes of FEATURE's item at most (feature_size.c); and whether it holds a text
 * of an event, as long as that is. */
uint64_t feature_bytes_max(const struct feature *feature);
int feature_holds_text(const struct feature *feature);

/* Width of the buckets of FEATURE's window once it is coarse. */
int64_t feature_bucket_ms(const struct feature *feature);

#endif
