/* apply.c with its rules breakable, see check_mutants.c and outside.h. */
#define PROTOCOL_MUTATIONS
#include "tests/mutant/outside.h"

#define dedupe_hash outside_hash
#define dedupe_seen outside_seen
#include "lib/engine/apply.c"
