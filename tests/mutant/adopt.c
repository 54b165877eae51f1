/* adopt.c with a rule breakable, see check_mutants.c: libseg knows nothing of
 * the protocol, so it is broken from outside. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/mutation.h"
#include "lib/engine/engine.h"

static int judge_some(struct seg_engine *engine, struct user **user,
                      int64_t now_ms, const struct cause *cause)
{
    return MUTATED(RETIRED_STAY) ? 0
                                 : judge_retired(engine, user, now_ms, cause);
}

#define judge_retired judge_some
#include "lib/engine/adopt.c"
