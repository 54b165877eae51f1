/* sim_spy.h: a simulated broker's client that remembers what it was told.
 *
 * All that a process knows it has from the answers to its calls, and it does
 * the same when it is told the same. So what is in its memory need not be
 * looked at: two processes with one `history` are in one state. */
#ifndef TESTS_SUPPORT_SIM_SPY_H
#define TESTS_SUPPORT_SIM_SPY_H

#include "tests/support/sim_broker.h"

struct sim_spy {
    struct broker broker; /* To be given to the code under test. */
    struct sim_client client;
    uint64_t history;
    int moved;       /* Something new was heard since spy_note. */
    uint64_t waited; /* Calls that were told to come again, since then. */
    uint64_t draws;
};

/* SPY is a process with the transactional id ID that was started STARTS times
 * before. */
void sim_spy_init(struct sim_spy *spy, struct sim *sim, int id, int starts);

/* SPY's process has done WHAT, and got VALUE by it. */
void sim_spy_note(struct sim_spy *spy, int what, int64_t value);

#endif
