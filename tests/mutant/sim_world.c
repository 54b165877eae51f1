/* sim_world.c for the same build. */
#define PROTOCOL_MUTATIONS
#include "tests/support/sim_world.c"
