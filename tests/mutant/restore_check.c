/* restore_check.c with its rules breakable, see check_mutants.c. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/restore_check.c"
