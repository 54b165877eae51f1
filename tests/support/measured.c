/* measured.c: see measured.h. */
#include "tests/support/measured.h"

#include "lib/base/instant.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

void measured_begin(struct kind *kind, enum feature_kind of, int64_t from_ms,
                    int64_t to_ms, int64_t now_ms)
{
    kind->feature = (struct feature){
        .kind = of,
        .item = 3,
        .from_ms = from_ms,
        .to_ms = to_ms,
        .keep = FEATURE_KEEP_ALL,
        .every = 1,
    };
    kind->edges = kind_window_edges;
    kind_begin(kind, now_ms);
}

static const int64_t starts[] = {0, -40 * DAY_MS, INT64_C(1764112000000),
                                 INSTANT_MIN};

static int64_t span_of(const struct measured *measured)
{
    return measured->from_ms == FEATURE_LIFETIME
               ? 1000
               : measured->from_ms * 5 / 4 + 2;
}

/* Small ones, money, those around what fits 32 and 64 bits; some are no
 * numbers. */
static int64_t random_code(struct random *random)
{
    static const int64_t sizes[] = {3, 100, 100000, INT64_C(1) << 33,
                                    INT64_MAX / 2 - 8};
    int64_t size = RANDOM_OF(random, sizes);
    int64_t code = random_between(random, -size, size);
    return random_chance(random, 4)   ? INT64_MIN
           : random_chance(random, 4) ? INT64_MAX - 7
                                      : code;
}

void measured_at_every_edge(struct kind *kind, const struct measured *measured,
                            measured_begin_fn begin, measured_fold_fn fold)
{
    for (uint64_t seed = 0; seed < EFFORT(12); seed++) {
        struct random random = {seed};
        int64_t now_ms = starts[seed % COUNT(starts)], span = span_of(measured);
        begin(measured->kind, measured->from_ms, measured->to_ms, now_ms);
        for (int i = 0; i < 40; i++) {
            now_ms += random_below(&random, span / 16 + 2);
            int64_t age_ms = random_chance(&random, 40)
                                 ? random_below(&random, span)
                                 : random_below(&random, 3);
            fold(now_ms - age_ms, random_code(&random), now_ms);
            if (i % 10 == 0)
                kind_compare(kind, now_ms);
        }
        kind_compare(kind, now_ms);
        if (user_item(kind->one.user, 3).bytes)
            kind_check_record(kind, now_ms);
        kind_end(kind);
    }
}

/* ---- order -------------------------------------------------------------- */

enum { EVENTS = 60 };

void measured_in_any_order(struct kind *kind, const struct measured *measured,
                           measured_begin_fn begin, measured_fold_fn fold)
{
    struct buf first, other;
    buf_init(&first);
    buf_init(&other);
    for (uint64_t seed = 0; seed < EFFORT(16); seed++) {
        struct random random = {seed};
        struct kind_event events[EVENTS];
        int64_t end_ms = starts[seed % COUNT(starts)];
        for (int i = 0; i < EVENTS; i++)
            events[i] = (struct kind_event){
                end_ms - random_below(&random, span_of(measured)) / 7 * 7,
                random_code(&random)};
        for (int round = 0; round < 6; round++) {
            int64_t now_ms = INT64_MIN;
            begin(measured->kind, measured->from_ms, measured->to_ms, end_ms);
            for (int i = 0; i < EVENTS; i++) {
                now_ms =
                    events[i].time_ms > now_ms ? events[i].time_ms : now_ms;
                fold(events[i].time_ms, events[i].value,
                     round % 2 ? end_ms : now_ms);
            }
            fold(end_ms, 2, end_ms);
            buf_reset(&other);
            kind_write(kind, round ? &other : &first);
            if (round) {
                ck_assert_uint_eq(other.len, first.len);
                ck_assert_mem_eq(other.bytes, first.bytes, first.len);
            }
            kind_end(kind);
            random_shuffle(&random, events, EVENTS, sizeof(*events));
        }
        buf_reset(&first);
    }
    buf_done(&first);
    buf_done(&other);
}
