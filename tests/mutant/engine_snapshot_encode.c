/* snapshot_encode.c with a rule breakable, see check_mutants.c and outside.h. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/mutation.h"
#include "lib/user/dedupe.h"

static uint32_t count_kept(const struct user *user)
{
    return MUTATED(DEDUPE_NOT_PERSISTED) ? 0 : dedupe_count(user);
}

#define dedupe_count count_kept
#include "lib/engine/snapshot_encode.c"
