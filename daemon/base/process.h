/* process.h: what the kernel and we ourselves know of this process. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "daemon/base/metric.h"

/* Bring CPU time, memory, open files, uptime and the counts of the log in
 * METRICS up to date. Costs some 50 µs; the thread that owns METRICS. */
void process_measure(struct metric_process *metrics);

/* Bytes that the control group of this process (version 2) and those above it
 * leave it, memory.max of systemd.resource-control(5) and of containers; 0:
 * there is no limit, or it is not told. MEMBER is /proc/self/cgroup, ROOT where
 * the groups are: /sys/fs/cgroup. */
int64_t process_memory_max(const char *member, const char *root);

/* Whether a crash may leave a core dump, and others of the same user may look
 * into the memory of this process (ptrace, /proc/PID/mem, /proc/PID/environ).
 * Builds with AddressSanitizer always allow it: its search for leaks looks. */
void process_set_dumpable(int dumpable);

#endif
