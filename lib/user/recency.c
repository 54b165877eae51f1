/* recency.c: when the first or the last event was.
 *
 * The item is that instant, 64 bits. The measure is its age in days, a fraction
 * included: age / 24 h as the nearest double. It grows all the time, so when a
 * test on it flips is the test's affair (lib/segment/value_test.c). */
#include <seg/error.h>

#include "lib/base/instant.h"
#include "lib/user/codec.h"
#include "lib/user/feature.h"

static int fold_time(struct store *store, struct user **user,
                     const struct feature *feature, const struct fold *fold,
                     int64_t now_ms, struct folded *folded)
{
    struct item item = user_item(*user, feature->item);
    (void)now_ms;
    *folded = (struct folded){.next_ms = SEG_NEVER};
    if (!item.words) {
        int ret = user_resize(store, user, feature->item, 8, &item);
        if (ret < 0)
            return ret;
        codec_put_i64(item.words, fold->time_ms);
    }
    int64_t old = codec_get_i64(item.words);
    if (feature->kind == FEATURE_FIRST_TIME ? fold->time_ms < old
                                            : fold->time_ms > old)
        codec_put_i64(item.words, fold->time_ms);
    return 0;
}

static int measure_days(const struct user *user, const struct feature *feature,
                        int64_t now_ms, struct arena *arena,
                        struct seg_value *value)
{
    struct item item = user_item(user, feature->item);
    (void)arena;
    *value = (struct seg_value){.type = SEG_MISSING};
    if (item.words) {
        value->type = SEG_DOUBLE;
        value->as.number =
            (double)(now_ms - codec_get_i64(item.words)) / (double)DAY_MS;
    }
    return 0;
}

static int64_t next_time(const struct user *user, const struct feature *feature,
                         int64_t now_ms)
{
    (void)user;
    (void)feature;
    (void)now_ms;
    return SEG_NEVER;
}

static void time_events(const struct user *user, const struct feature *feature,
                        int64_t now_ms, struct feature_events *events)
{
    struct item item = user_item(user, feature->item);
    (void)now_ms;
    if (item.words)
        feature_events_add(events, codec_get_i64(item.words));
}

const struct feature_ops first_time_ops = {.fold = fold_time,
                                           .measure = measure_days,
                                           .next = next_time,
                                           .events = time_events};
const struct feature_ops last_time_ops = {.fold = fold_time,
                                          .measure = measure_days,
                                          .next = next_time,
                                          .events = time_events};
