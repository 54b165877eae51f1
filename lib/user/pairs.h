/* pairs.h: rows of (time, hash), what distinct.c keeps of values.
 *
 * In an item, 16 bytes each, ascending by time, then hash; whatever stands
 * behind them there is another's. */
#ifndef USER_PAIRS_H
#define USER_PAIRS_H

#include "lib/base/buf.h"
#include "lib/base/reader.h"
#include "lib/user/feature.h"
#include "lib/user/marks.h"

#define PAIR_BYTES 16u

struct pair {
    int64_t time_ms;
    uint64_t hash;
};

/* A feature's item while something is done to it. */
struct slot {
    struct store *store;
    struct user **user;
    const struct feature *feature;
    struct item item;
};

static inline int slot_splice(struct slot *to, uint32_t at, int32_t len)
{
    return user_splice(to->store, to->user, to->feature->item, at, len,
                       &to->item);
}

static inline struct marks slot_marks(struct slot *to)
{
    return (struct marks){to->store, to->user, to->feature->item, &to->item};
}

/* How many there are, if nothing stands behind them. */
static inline uint32_t pair_count(const struct item *item)
{
    return item->bytes ? item->len / PAIR_BYTES : 0;
}

static inline struct pair pair_at(const struct item *item, uint32_t i)
{
    return (struct pair){codec_get_i64(item->words + 4 * i),
                         codec_get_u64(item->words + 4 * i + 2)};
}

static inline void pair_put(struct item *item, uint32_t i,
                            const struct pair *pair)
{
    codec_put_i64(item->words + 4 * i, pair->time_ms);
    codec_put_u64(item->words + 4 * i + 2, pair->hash);
}

static inline int pair_before(const struct pair *a, const struct pair *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms
                                    : a->hash < b->hash;
}

/* The first of COUNT pairs that does not come before PAIR; that is later than
 * TIME_MS. */
uint32_t pairs_find(const struct item *item, uint32_t count,
                    const struct pair *pair);
uint32_t pairs_after(const struct item *item, uint32_t count, int64_t time_ms);

/* Put PAIR before the one at I. Returns 0, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM.
 */
int pairs_insert(struct slot *to, uint32_t i, const struct pair *pair);

/* Take the pair at I out, which cannot fail. */
void pairs_remove(struct slot *to, uint32_t i);

/* How many values there are among the pairs from FROM to below TO, at most
 * FEATURE_EXACT_MAX. */
uint64_t pairs_values(const struct item *item, uint32_t from, uint32_t to);

/* Take out each of the first END pairs whose value comes again below END. */
void pairs_keep_newest(struct slot *to, uint32_t end);

/* In records: n, then n times ms, u64 hash. There must be LEAST to MOST.
 * pairs_read returns 0, SEG_ERR_RECORD, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
void pairs_write(const struct item *item, uint32_t count, struct buf *buf);
int pairs_read(struct slot *to, uint32_t least, uint32_t most,
               struct reader *reader);

/* ---- a window that ends now (newest.c) ---------------------------------- */

/* Fold PAIR, which is in the window. Returns 0, SEG_ERR_USER_BYTES or
 * SEG_ERR_NOMEM, like newest_prune, which drops what is not later than
 * BEGIN_MS. */
int newest_add(struct slot *to, const struct pair *pair, struct folded *folded);
int newest_prune(struct slot *to, int64_t begin_ms);
uint64_t newest_count(const struct item *item, const struct feature *feature,
                      int64_t begin_ms);
int64_t newest_next(const struct item *item, const struct feature *feature,
                    int64_t now_ms);
void newest_write(const struct item *item, struct buf *buf);
int newest_read(struct slot *to, int coarse, struct reader *reader);

/* ---- a window that ends in the past (past.c) --------------------------------
 * Likewise; past_fold does all that a fold does. */

int past_fold(struct slot *to, const struct pair *pair, int64_t now_ms,
              struct folded *folded);
uint64_t past_values(const struct item *item, int64_t begin_ms, int64_t end_ms);
int64_t past_next(const struct item *item, const struct feature *feature,
                  int64_t now_ms);

#endif
