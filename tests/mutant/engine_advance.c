/* advance.c with a rule breakable, see check_mutants.c and outside.h. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/mutation.h"
#include "lib/engine/engine.h"

static void mark_some(struct seg_engine *engine, struct user *user)
{
    if (!MUTATED(TIMER_NOT_DIRTY))
        dirty_mark(engine, user);
}

#define dirty_mark mark_some
#include "lib/engine/advance.c"
