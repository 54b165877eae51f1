/* score.c: a sum of weights, each of which halves with every half-life.
 *
 *   score(now) = sum of weight * 2^(-(now - t) / H)
 *
 * Let the time of an event be t = (k + f) H, k whole, 0 <= f < 1. What it adds,
 *
 *   weight * 2^f * 2^k * 2^(-now / H),
 *
 * has one factor that is the event's and one that is now's. The former are
 * summed as integers, so the order of events does not matter, and no instant is
 * ever lost to rounding twice: 2^f in units of 2^-47 (lib/base/exp2.h), times
 * 2^(k mod 16); one 128-bit sum for each *block* of 16 half-lives. The item is
 * the sums of the newest block and the BLOCKS - 1 before, oldest first; older
 * ones are forgotten (SCORE_HALF_LIVES):
 *
 *     block       sum         block       sum         ...
 *     8 bytes     16 bytes
 *
 * To read it the sums are added up to one number at the newest block, of which
 * 63 bits are taken; that times 2^(-now / H) is the score. As time passes only
 * that factor changes, and it does not grow: neither does the score's distance
 * from 0. So the instant at which it crosses a bound is found by halving.
 *
 * The measure is the nearest multiple of 1e-9, from 8192 on the nearest number
 * of 44 binary digits. It differs from the true sum by that rounding, and by
 * less than 2^-44 of what the score would be if all weights were positive. So a
 * lone event of weight 10 measures 10 at its instant, not 9.999999999.
 *
 * Example: half-life 7d, an event of weight 10 now, one a week ago: 15. */
#include "lib/user/score.h"

#include <math.h>
#include <string.h>

#include <seg/error.h>

#include "lib/base/exp2.h"
#include "lib/user/times.h"

#define BLOCK_BITS  4 /* Half-lives of a block: 2^4. */
#define BLOCK_LIVES (1 << BLOCK_BITS)
#define BLOCKS      (SCORE_HALF_LIVES / BLOCK_LIVES + 1)
#define BLOCK_BYTES 24u
#define UNIT_BITS   47 /* Sums are in units of 2^-47. */
#define DIGITS      44
#define FINE_BITS   13 /* Below 2^13 the measure is in units of 1e-9. */
#define NANO        UINT64_C(1000000000)

typedef __int128 sum_t;
typedef unsigned __int128 wide;

#define SUM_MAX ((sum_t)(~(wide)0 >> 1))

/* ---- time in half-lives ------------------------------------------------- */

struct lives {
    int64_t whole;
    int64_t rest_ms;
};

static struct lives lives_of(int64_t time_ms, int64_t half_life_ms)
{
    int64_t whole = time_ms / half_life_ms, rest = time_ms % half_life_ms;
    return rest < 0 ? (struct lives){whole - 1, rest + half_life_ms}
                    : (struct lives){whole, rest};
}

/* REST_MS / HALF_LIFE_MS in units of 2^-64. */
static uint64_t fraction(int64_t rest_ms, int64_t half_life_ms)
{
    return (uint64_t)(((wide)rest_ms << 64) / (wide)half_life_ms);
}

/* 2^(-rest / half-life) in units of 2^-63: from above 2^62 to 2^63. */
static uint64_t decay(int64_t rest_ms, int64_t half_life_ms)
{
    return rest_ms ? exp2_fraction(-fraction(rest_ms, half_life_ms)) >> 1
                   : UINT64_C(1) << 63;
}

/* ---- sums --------------------------------------------------------------- */

static uint32_t block_count(const struct item *item)
{
    return item->bytes ? item->len / BLOCK_BYTES : 0;
}

static uint8_t *place_of(const struct item *item, uint32_t i)
{
    return item->bytes + i * BLOCK_BYTES;
}

static int64_t block_at(const struct item *item, uint32_t i)
{
    int64_t block;
    memcpy(&block, place_of(item, i), sizeof(block));
    return block;
}

static sum_t sum_at(const struct item *item, uint32_t i)
{
    sum_t sum;
    memcpy(&sum, place_of(item, i) + 8, sizeof(sum));
    return sum;
}

static void put_block(struct item *item, uint32_t i, int64_t block, sum_t sum)
{
    memcpy(place_of(item, i), &block, sizeof(block));
    memcpy(place_of(item, i) + 8, &sum, sizeof(sum));
}

/* There is room for 2^34 events of the greatest weight in one block. */
static sum_t add_up(sum_t a, sum_t b)
{
    sum_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? -SUM_MAX : SUM_MAX;
    return sum;
}

static int add(struct store *store, struct user **user,
               const struct feature *feature, int64_t block, sum_t more)
{
    struct item item = user_item(*user, feature->item);
    uint32_t count = block_count(&item), gone = 0, i = count;
    if (count && block <= block_at(&item, count - 1) - BLOCKS)
        return 0;
    while (i && block_at(&item, i - 1) >= block)
        i--;
    if (i < count && block_at(&item, i) == block) {
        put_block(&item, i, block, add_up(sum_at(&item, i), more));
        return 0;
    }
    int ret = user_splice(store, user, feature->item, i * BLOCK_BYTES,
                          BLOCK_BYTES, &item);
    if (ret < 0)
        return ret;
    put_block(&item, i, block, more);
    while (block_at(&item, gone) <= block - BLOCKS)
        gone++;
    return user_splice(store, user, feature->item, 0,
                       -(int32_t)(gone * BLOCK_BYTES), &item);
}

/* ---- the score at an instant --------------------------------------------- */

/* All sums as one number: +-head * 2^(-shift), 2^62 <= head < 2^63, as it is at
 * half-life number `at`. */
struct total {
    int negative;
    uint64_t head; /* 0: nothing. */
    int64_t shift;
    int64_t at;
    int64_t half_life_ms;
};

static struct total total_of(const struct user *user,
                             const struct feature *feature)
{
    struct item item = user_item(user, feature->item);
    uint32_t count = block_count(&item);
    struct total total = {.half_life_ms = feature->of.score->half_life_ms};
    sum_t sum = 0;
    if (!count)
        return total;
    int64_t newest = block_at(&item, count - 1);
    for (uint32_t i = 0; i < count; i++)
        sum = add_up(sum, sum_at(&item, i) >>
                              ((newest - block_at(&item, i)) << BLOCK_BITS));
    if (!sum)
        return total;
    wide size = sum < 0 ? -(wide)sum : (wide)sum;
    int top = size >> 64 ? 127 - __builtin_clzll((uint64_t)(size >> 64))
                         : 63 - __builtin_clzll((uint64_t)size);
    total.negative = sum < 0;
    total.head = (uint64_t)(top > 62 ? size >> (top - 62) : size << (62 - top));
    total.shift = UNIT_BITS + 62 - top;
    total.at = (int64_t)((uint64_t)newest << BLOCK_BITS);
    return total;
}

/* P / 2^SHIFT, 2^61 <= P < 2^63, as the measure has it. */
static double rounded(uint64_t p, int64_t shift)
{
    if (shift >= 62 - FINE_BITS + 64)
        return 0;
    if (shift > 0 && shift < 64 ? p >> shift >> FINE_BITS : shift <= 0) {
        int drop = 64 - DIGITS - __builtin_clzll(p);
        uint64_t digits = (p + (UINT64_C(1) << (drop - 1))) >> drop;
        return ldexp((double)digits, (int)(drop - shift));
    }
    wide nano = ((wide)p * NANO + ((wide)1 << (shift - 1))) >> shift;
    return (double)(uint64_t)nano / (double)NANO;
}

/* How far from 0 TOTAL is at NOW_MS. */
static double size_at(const struct total *total, int64_t now_ms)
{
    struct lives now = lives_of(now_ms, total->half_life_ms);
    if (!total->head)
        return 0;
    if (now.whole < total->at) /* Before the events it sums up. */
        now = (struct lives){total->at, 0};
    uint64_t p = (uint64_t)((wide)total->head *
                                decay(now.rest_ms, total->half_life_ms) >>
                            63);
    return rounded(p, total->shift + (now.whole - total->at));
}

static int fold_score(struct store *store, struct user **user,
                      const struct feature *feature, const struct fold *fold,
                      int64_t now_ms, struct folded *folded)
{
    const struct feature_score *score = feature->of.score;
    struct lives at = lives_of(fold->time_ms, score->half_life_ms);
    uint64_t factor = exp2_fraction(fraction(at.rest_ms, score->half_life_ms));
    uint64_t units =
        (factor >> (63 - UNIT_BITS)) + (factor >> (62 - UNIT_BITS) & 1);
    sum_t more = (sum_t)score->weights[fold->role] * (sum_t)units *
                 ((sum_t)1 << (at.whole & (BLOCK_LIVES - 1)));
    (void)now_ms;
    *folded = (struct folded){.next_ms = SEG_NEVER};
    return add(store, user, feature, at.whole >> BLOCK_BITS, more);
}

static int measure_score(const struct user *user, const struct feature *feature,
                         int64_t now_ms, struct arena *arena,
                         struct seg_value *value)
{
    struct total total = total_of(user, feature);
    double size = size_at(&total, now_ms);
    (void)arena;
    *value = (struct seg_value){.type = SEG_DOUBLE,
                                .as.number =
                                    total.negative && size > 0 ? -size : size};
    return 0;
}

/* It changes all the time: when some test of it does is for score_reaches. */
static int64_t next_score(const struct user *user,
                          const struct feature *feature, int64_t now_ms)
{
    (void)user;
    (void)feature;
    (void)now_ms;
    return SEG_NEVER;
}

/* ---- crossing ----------------------------------------------------------- */

static int is_reached(const struct total *total, double bound, int past,
                      int64_t now_ms)
{
    double size = size_at(total, now_ms);
    return past ? size < bound : size <= bound;
}

int64_t score_reaches(const struct user *user, const struct feature *feature,
                      double bound, int past, int64_t now_ms)
{
    struct total total = total_of(user, feature);
    int64_t low = now_ms, high = 1;
    bound = total.negative ? -bound : bound;
    if (!(bound >= 0) || (past && bound == 0) ||
        is_reached(&total, bound, past, now_ms))
        return SEG_NEVER;
    /* In whole half-lives first: it ends at 0. */
    while (
        !is_reached(&total, bound, past, now_ms + high * total.half_life_ms)) {
        low = now_ms + high * total.half_life_ms;
        high *= 2;
    }
    high = now_ms + high * total.half_life_ms;
    while (high - low > 1) { /* Not at LOW, but at HIGH. */
        int64_t middle = low + (high - low) / 2;
        if (is_reached(&total, bound, past, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* ---- records ----------------------------------------------------------------
 *
 *   n blocks: ms block, u64 low half of the sum, u64 high half; in order */

static void write_score(const struct user *user, const struct feature *feature,
                        const struct item *item, struct buf *buf,
                        const uint8_t places[FEATURE_TOPICS])
{
    (void)user;
    (void)feature;
    (void)places;
    buf_varint(buf, block_count(item));
    for (uint32_t i = 0; i < block_count(item); i++) {
        wide sum = (wide)sum_at(item, i);
        buf_u64(buf, (uint64_t)block_at(item, i));
        buf_u64(buf, (uint64_t)sum);
        buf_u64(buf, (uint64_t)(sum >> 64));
    }
}

/* Whether an event's time can be in BLOCK. */
static int is_in_time(int64_t block, int64_t half_life_ms)
{
    return block >= lives_of(-TIMES_MS_MAX, half_life_ms).whole >> BLOCK_BITS &&
           block <= lives_of(TIMES_MS_MAX, half_life_ms).whole >> BLOCK_BITS;
}

static int read_score(struct store *store, struct user **user,
                      const struct feature *feature, struct reader *reader,
                      const uint8_t topics[FEATURE_TOPICS])
{
    struct item item = user_item(*user, feature->item);
    uint64_t count = reader_varint(reader);
    (void)topics;
    if (count > BLOCKS)
        return SEG_ERR_RECORD;
    for (uint32_t i = 0; i < count; i++) {
        int64_t block = times_read_ms(reader);
        wide low = reader_u64(reader), high = reader_u64(reader);
        sum_t sum = (sum_t)(high << 64 | low);
        if (reader_failed(reader) || sum < -SUM_MAX ||
            !is_in_time(block, feature->of.score->half_life_ms) ||
            (i && (block <= block_at(&item, i - 1) ||
                   block - block_at(&item, 0) >= BLOCKS)))
            return SEG_ERR_RECORD;
        int ret = user_resize(store, user, feature->item, (i + 1) * BLOCK_BYTES,
                              &item);
        if (ret < 0)
            return ret;
        put_block(&item, i, block, sum);
    }
    return reader_failed(reader) ? SEG_ERR_RECORD : 0;
}

const struct feature_ops score_ops = {.fold = fold_score,
                                      .measure = measure_score,
                                      .next = next_score,
                                      .write = write_score,
                                      .read = read_score};
