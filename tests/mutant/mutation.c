/* mutation.c with its table, see check_mutants.c. */
#define PROTOCOL_MUTATIONS
#include "daemon/protocol/mutation.c"
