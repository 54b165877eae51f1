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

#include "lib/base/arena.h"
#include "lib/user/feature_table.h"
#include "lib/user/user.h"

#define FEATURE_EXACT_MAX 256 /* (time, value) pairs kept exactly. */
#define FEATURE_KEPT_MAX \
    (FEATURE_EXACT_MAX + 1) /* `at most 256` asks for 257. */
#define FEATURE_BUCKETS  64 /* In a window that went beyond. */
#define BUCKET_WORDS     3  /* Start (2 words), number. */
#define BUCKET_BYTES     (BUCKET_WORDS * WORD_BYTES)
#define FEATURE_LIFETIME INT64_MAX
#define FEATURE_KEEP_ALL UINT32_MAX

enum feature_kind {
#define X(name, ops, code) FEATURE_##name,
    FEATURE_TABLE(X)
#undef X
};

struct feature {
    enum feature_kind kind;
    uint32_t item;   /* Its item in a user's block. */
    uint64_t key;    /* Hash of its canonical text. */
    int64_t from_ms; /* Ages to_ms <= a < from_ms count; */
    int64_t to_ms;   /* from_ms may be FEATURE_LIFETIME. */
    uint32_t keep;   /* Newest events that are needed; FEATURE_KEEP_ALL. */
    uint32_t path;   /* FIRST, LAST: the seg_field whose value is kept. */
    /* Counts at which some test of the feature changes, ascending: the truth of
     * all of them is the same for all counts between two. */
    uint32_t flip_count;
    const uint32_t *flips;
};

/* One event as a feature sees it. */
struct fold {
    int64_t time_ms;
    uint64_t stamp; /* Topic (8 bits), offset (56): order at one time. */
    struct seg_value value;
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
    int64_t next_ms;        /* As feature_ops.next, after the fold. */
    int coarse;             /* It became coarse. */
};

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
};

#define X(name, ops, code) extern const struct feature_ops ops;
FEATURE_TABLE(X)
#undef X

const struct feature_ops *feature_ops_of(enum feature_kind kind);

/* The code of KIND in user records, and back (-1: none). */
int feature_code(enum feature_kind kind);
int feature_kind_of_code(int code);

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

/* How many of the feature's flips lie at or below COUNT. */
uint32_t feature_region(const struct feature *feature, uint64_t count);

/* Width of the buckets of FEATURE's window once it is coarse. */
int64_t feature_bucket_ms(const struct feature *feature);

#endif
