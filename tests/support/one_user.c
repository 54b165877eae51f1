/* one_user.c: a store with one user in it, and features folded into him. */
#include "tests/support/one_user.h"

#include <check.h>

#include "lib/base/text.h"

void one_user_begin(struct one_user *one, int64_t now_ms)
{
    struct seg_text id = text_of("user");
    *one = (struct one_user){0};
    store_init(&one->store, 1);
    arena_init(&one->arena);
    ck_assert_int_eq(store_add(&one->store, id, store_hash(&one->store, id),
                               now_ms, &one->user),
                     0);
}

void one_user_end(struct one_user *one)
{
    store_done(&one->store);
    arena_done(&one->arena);
}

void one_user_fold(struct one_user *one, const struct feature *feature,
                   int64_t time_ms, uint64_t stamp, struct seg_value value,
                   int64_t now_ms)
{
    const struct fold fold = {
        .time_ms = time_ms, .stamp = stamp, .value = value};
    one_user_fold_event(one, feature, &fold, now_ms);
}

void one_user_fold_event(struct one_user *one, const struct feature *feature,
                         const struct fold *fold, int64_t now_ms)
{
    ck_assert_int_le(fold->time_ms, now_ms);
    ck_assert_int_eq(feature_ops_of(feature->kind)
                         ->fold(&one->store, &one->user, feature, fold, now_ms,
                                &one->folded),
                     0);
    ck_assert(user_validate(one->user));
    ck_assert_int_eq(one->folded.next_ms, one_user_next(one, feature, now_ms));
}

struct seg_value one_user_measure(struct one_user *one,
                                  const struct feature *feature, int64_t now_ms)
{
    struct seg_value value;
    ck_assert_int_eq(
        feature_ops_of(feature->kind)
            ->measure(one->user, feature, now_ms, &one->arena, &value),
        0);
    return value;
}

int64_t one_user_next(struct one_user *one, const struct feature *feature,
                      int64_t now_ms)
{
    return feature_ops_of(feature->kind)->next(one->user, feature, now_ms);
}
