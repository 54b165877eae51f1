/* restore.c of the engine with its rules breakable, see check_mutants.c and
 * outside.h. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/mutation.h"
#include "lib/engine/engine.h"
#include "tests/mutant/outside.h"

/* When USER is due who was read back; never, if nobody is to look. */
static int64_t due_at(const struct seg_engine *engine, const struct user *user)
{
    return MUTATED(STEP5_ONLY_REDO_USERS) ? SEG_NEVER : timer_at(engine, user);
}

static int renew_some(struct seg_engine *engine, struct user *user,
                      int64_t now_ms)
{
    return MUTATED(SWEPT_KEEP_OLD_TIMERS) && !(user->flags & USER_TOUCHED) &&
                   timer_at(engine, user) > now_ms
               ? 0
               : timer_renew(engine, user, now_ms);
}

#define timer_at        due_at
#define timer_renew     renew_some
#define observed_settle outside_settle
#define dedupe_hash     outside_hash
#define dedupe_seen     outside_seen
#include "lib/engine/restore.c"
