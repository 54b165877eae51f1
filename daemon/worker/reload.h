/* reload.h: segment files read anew while the daemon runs.
 *
 *     SIGHUP, POST /-/reload
 *         |   read all, check all, compile           main thread
 *         |      an error: the catalogue before stays, each diagnostic is said
 *         |   traits: their topic must be there
 *         v
 *     metrics know the segments, workers get the catalogue
 *         |   each partition goes over by itself    daemon/protocol/catalogue.c
 *         v   and sweeps
 *
 * Only segments are read anew; another segmentd.conf needs a restart. */
#ifndef WORKER_RELOAD_H
#define WORKER_RELOAD_H

#include "daemon/base/metric.h"
#include "lib/base/buf.h"

struct conf;
struct seg_catalogue;
struct workers;

struct reload {
    const struct conf *conf;
    struct metrics *metrics;
    struct metric_process *process;
    struct workers *workers;
    struct seg_catalogue *catalogue; /* In force; an owner of it. */
    int stopping;                    /* Nothing is read anew any more. */
    int embedded;                    /* Its broker has all topics. */
    /* In the labels of segmentd_catalogue_info. */
    struct metric_catalogue info;
    char *label;
};

/* Make the catalogue of RELOAD, which its caller compiled, known to the
 * metrics. Returns 0 or SEG_ERR_NOMEM. */
int reload_open(struct reload *reload);

/* Read the segment files anew. Returns 1 when another catalogue is in force, 0
 * when it is the same, with warnings in SAID; negative when it was refused:
 * SAID gets what is wrong, as people read it, the log a line for each. While the
 * daemon is stopping nothing is read, and that is said. */
int reload_run(struct reload *reload, struct buf *said);

/* Before the metrics end. */
void reload_close(struct reload *reload);

#endif
