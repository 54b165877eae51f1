/* share.c with its rules breakable, see check_mutants.c and outside.h. */
#define PROTOCOL_MUTATIONS
#include "tests/mutant/outside.h"

#define seg_engine_catalogue_record outside_catalogue_record
#include "daemon/protocol/share.c"
