/* tally.c: how many events there were, ever.
 *
 * The item is one 64-bit number. */
#include <seg/error.h>

#include "lib/user/codec.h"
#include "lib/user/feature.h"

static int fold_tally(struct store *store, struct user **user,
                      const struct feature *feature, const struct fold *fold,
                      int64_t now_ms, struct folded *folded)
{
    struct item item = user_item(*user, feature->item);
    (void)fold;
    (void)now_ms;
    uint64_t count = item.words ? codec_get_u64(item.words) : 0;
    if (!item.words) {
        int ret = user_resize(store, user, feature->item, 8, &item);
        if (ret < 0)
            return ret;
    }
    codec_put_u64(item.words, count + 1);
    *folded = (struct folded){
        .before = count, .after = count + 1, .next_ms = SEG_NEVER};
    return 0;
}

static int measure_tally(const struct user *user, const struct feature *feature,
                         int64_t now_ms, struct arena *arena,
                         struct seg_value *value)
{
    struct item item = user_item(user, feature->item);
    (void)now_ms;
    (void)arena;
    *value = (struct seg_value){.type = SEG_INT,
                                .as.integer =
                                    item.words ? codec_get_i64(item.words) : 0};
    return 0;
}

static int64_t next_tally(const struct user *user,
                          const struct feature *feature, int64_t now_ms)
{
    (void)user;
    (void)feature;
    (void)now_ms;
    return SEG_NEVER;
}

const struct feature_ops tally_ops = {
    .fold = fold_tally, .measure = measure_tally, .next = next_tally};
