/* check.h: the parts of segmentctl check.
 *
 *     check.c         options; what is wrong with the files
 *     check_seen.c    which events a running segmentd has seen
 *     check_cost.c    what the files cost */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include <stdint.h>

#include <seg/cost.h>

#include "daemon/ctl/ask.h"
#include "lib/base/intern.h"

/* Names of events that have come in. */
struct check_seen {
    struct intern names;
    char since[40];      /* Instant from which on all are there; "". */
    int full;            /* Some process had to leave names out. */
    int64_t here, total; /* Partitions whose names these are, of all. */
};

/* Add to SEEN what the segmentd of OPTIONS has, and all others of its group.
 * Returns an exit status; what is wrong is said. */
int check_ask_seen(struct check_seen *seen, const struct ask_options *options);

/* Why a name that is not in SEEN may have come in all the same; NULL: it has
 * not. */
const char *check_not_all(const struct check_seen *seen);

/* Print what COST says: a line for each segment and each event. */
void check_print_cost(const struct seg_cost *cost);

#endif
