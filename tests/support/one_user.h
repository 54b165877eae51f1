/* one_user.h: a store with one user in it, and features folded into him.
 *
 * For the tests of lib/user, which see nothing of engines and segments. Every
 * call fails the test if what it does fails, or leaves the block broken. */
#ifndef TESTS_SUPPORT_ONE_USER_H
#define TESTS_SUPPORT_ONE_USER_H

#include "lib/base/arena.h"
#include "lib/user/feature.h"

struct one_user {
    struct store store;
    struct user *user;
    struct arena arena;
    struct folded folded; /* Of the last fold. */
};

/* A new user of times around NOW_MS. */
void one_user_begin(struct one_user *one, int64_t now_ms);
void one_user_end(struct one_user *one);

/* Fold an event at TIME_MS into FEATURE at NOW_MS. */
void one_user_fold(struct one_user *one, const struct feature *feature,
                   int64_t time_ms, uint64_t stamp, struct seg_value value,
                   int64_t now_ms);

/* The same with all that an event may be to a feature: its roles, say. */
void one_user_fold_event(struct one_user *one, const struct feature *feature,
                         const struct fold *fold, int64_t now_ms);

/* What FEATURE measures at NOW_MS; lists live until the end. */
struct seg_value one_user_measure(struct one_user *one,
                                  const struct feature *feature,
                                  int64_t now_ms);

int64_t one_user_next(struct one_user *one, const struct feature *feature,
                      int64_t now_ms);

static inline struct seg_value value_of_int(int64_t integer)
{
    return (struct seg_value){.type = SEG_INT, .as.integer = integer};
}

#endif
