/* feature.c: what all kinds of features share. */
#include "lib/user/feature.h"

static const struct {
    const struct feature_ops *ops;
    int code;
    int counts;
} kinds[] = {
#define X(name, ops, code, counts) {&ops, code, counts},
    FEATURE_TABLE(X)
#undef X
};

#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

const struct feature_ops *feature_ops_of(enum feature_kind kind)
{
    return kinds[kind].ops;
}

int feature_code(enum feature_kind kind)
{
    return kinds[kind].code;
}

int feature_kind_of_code(int code)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].code == code)
            return i;
    return -1;
}

int feature_counts(enum feature_kind kind)
{
    return kinds[kind].counts;
}

#define CODE_SUM   7
#define CODE_SCORE 13
#define CODE_HABIT 14

uint64_t feature_empty(const struct feature *feature)
{
    return feature_code(feature->kind) == CODE_HABIT && !feature->of.habit->low
               ? (uint64_t)feature->of.habit->periods
               : 0;
}

int feature_is_zero(enum feature_kind kind)
{
    return feature_code(kind) == CODE_SUM || feature_code(kind) == CODE_SCORE;
}

uint64_t feature_count(const struct user *user, const struct feature *feature,
                       int64_t now_ms)
{
    struct seg_value value;
    kinds[feature->kind].ops->measure(user, feature, now_ms, NULL, &value);
    return (uint64_t)value.as.integer;
}

uint32_t feature_region(const struct feature *feature, uint64_t count)
{
    uint32_t region = 0;
    while (region < feature->flip_count && feature->flips[region] <= count)
        region++;
    return region;
}

struct feature_bounds feature_bounds(const struct feature *feature,
                                     uint64_t count)
{
    uint32_t i = feature_region(feature, count);
    if (feature->every)
        return (struct feature_bounds){count, count + 1};
    return (struct feature_bounds){i ? feature->flips[i - 1] : 0,
                                   i < feature->flip_count ? feature->flips[i]
                                                           : UINT64_MAX};
}

int64_t feature_bucket_ms(const struct feature *feature)
{
    int64_t width = feature->from_ms / FEATURE_BUCKETS;
    return width > 0 ? width : 1;
}
