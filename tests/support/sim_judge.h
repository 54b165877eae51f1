/* sim_judge.h: is what a run left behind right?
 *
 * The oracle, as far as one process can have it: an engine that
 * applied the whole input in order without any interruption. */
#ifndef TESTS_SUPPORT_SIM_JUDGE_H
#define TESTS_SUPPORT_SIM_JUDGE_H

#include "tests/support/sim_world.h"

/* Judge WORLD, settled. What is wrong goes to world_bad. */
void sim_judge(struct world *world);

#endif
