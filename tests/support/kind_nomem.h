/* kind_nomem.h: folding while memory runs out.
 *
 * For programs that are linked with fail_alloc.h. */
#ifndef TESTS_SUPPORT_KIND_NOMEM_H
#define TESTS_SUPPORT_KIND_NOMEM_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "tests/support/fail_alloc.h"
#include "tests/support/kind.h"

#define FILLER 60000 /* An item that fills the block. */

/* Leave no byte free in the block, which is one of malloc's. */
static inline void kind_brim(struct one_user *one)
{
    struct item item = user_item(one->user, FILLER);
    uint32_t len = SLAB_CLASS_MAX;
    int ret = user_resize(&one->store, &one->user, FILLER, len, &item);
    store_fit(&one->store, &one->user);
    item = user_item(one->user, FILLER);
    len += (uint32_t)slab_size(one->user->class) - one->user->used;
    if (ret < 0 || user_resize(&one->store, &one->user, FILLER, len, &item) < 0)
        ck_abort_msg("no filler");
}

/* Fold an event into a user without room to spare, once with each of the
 * allocations that it needs failing, then for good. After a failure the block
 * is whole, and put back as it was, as the engine does. Returns how many
 * failed.
 */
static inline long kind_fold_nomem(struct kind *kind, int64_t time_ms,
                                   int64_t value, int64_t now_ms)
{
    const struct feature_ops *ops = feature_ops_of(kind->feature.kind);
    const struct fold fold = {.time_ms = time_ms,
                              .value = value_of_int(value),
                              .role = (uint32_t)value};
    struct one_user *one = &kind->one;
    long failures = 0;
    kind_brim(one);
    for (long n = 1;; n++, failures++) {
        uint32_t used = one->user->used;
        void *saved = malloc(used);
        if (!saved)
            abort();
        memcpy(saved, one->user, used);
        fail_alloc_begin(n, FAIL_ALLOC_ONE);
        int ret = ops->fold(&one->store, &one->user, &kind->feature, &fold,
                            now_ms, &one->folded);
        long failed = fail_alloc_end();
        if (!user_validate(one->user) ||
            (ret != 0 && !(failed && ret == SEG_ERR_NOMEM)))
            ck_abort_msg("allocation %ld: %d", n, ret);
        if (ret < 0) {
            uint8_t class = one->user->class;
            unsigned flags = one->user->flags;
            memcpy(one->user, saved, used);
            one->user->class = class;
            one->user->flags = flags & 63;
        }
        free(saved);
        if (ret == 0)
            break;
    }
    kind->events[kind->count++] = (struct kind_event){time_ms, value};
    return failures;
}

#endif
