/* backfill.c with its rules breakable, see check_mutants.c. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/backfill.c"
