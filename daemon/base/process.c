/* process.c: what the kernel and we ourselves know of this process.
 *
 * What /proc does not tell stays as it was. */
#include "daemon/base/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"

static int64_t cpu_us(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return 0;
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void measure_memory(struct metric *resident)
{
    long pages;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm)
        return;
    if (fscanf(statm, "%*d %ld", &pages) == 1)
        metric_set(resident, (int64_t)pages * sysconf(_SC_PAGESIZE));
    fclose(statm);
}

static void measure_files(struct metric *open_files)
{
    int64_t count = -1; /* The folder itself. */
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    metric_set(open_files, count);
}

void process_measure(struct metric_process *metrics)
{
    struct log_counts counts = log_counts();
    metric_set(&metrics->log_errors, counts.errors);
    metric_set(&metrics->log_warnings, counts.warnings);
    metric_set(&metrics->log_suppressed, counts.suppressed);
    metric_set(&metrics->uptime_ms, clock_uptime_ms());
    metric_set(&metrics->cpu_us, cpu_us());
    measure_memory(&metrics->resident_bytes);
    measure_files(&metrics->open_files);
}
