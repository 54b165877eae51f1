/* adopt.c with its rules breakable, see check_mutants.c and outside.h. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/mutation.h"
#include "lib/engine/engine.h"
#include "tests/mutant/outside.h"

static int judge_some(struct seg_engine *engine, struct user **user,
                      int64_t now_ms, const struct cause *cause)
{
    return MUTATED(RETIRED_STAY) ? 0
                                 : judge_retired(engine, user, now_ms, cause);
}

#define judge_retired   judge_some
#define observed_settle outside_settle
#include "lib/engine/adopt.c"
