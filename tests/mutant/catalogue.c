/* catalogue.c with its rules breakable, see check_mutants.c and outside.h. */
#define PROTOCOL_MUTATIONS
#include "tests/mutant/outside.h"

#define seg_engine_adopt outside_adopt
#include "daemon/protocol/catalogue.c"
