/* restore.c with its rules breakable, see check_mutants.c and outside.h. */
#define PROTOCOL_MUTATIONS
#include "tests/mutant/outside.h"

#define seg_engine_restore_finish outside_finish
#include "daemon/protocol/restore.c"
