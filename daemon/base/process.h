/* process.h: what the kernel and we ourselves know of this process. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "daemon/base/metric.h"

/* Bring CPU time, memory, open files, uptime and the counts of the log in
 * METRICS up to date. Costs some 50 µs; the thread that owns METRICS. */
void process_measure(struct metric_process *metrics);

#endif
