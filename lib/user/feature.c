/* feature.c: what all kinds of features share. */
#include "lib/user/feature.h"

static const struct {
    const struct feature_ops *ops;
    int code;
} kinds[] = {
#define X(name, ops, code) {&ops, code},
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

int64_t feature_bucket_ms(const struct feature *feature)
{
    int64_t width = feature->from_ms / FEATURE_BUCKETS;
    return width > 0 ? width : 1;
}
