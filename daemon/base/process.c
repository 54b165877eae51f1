/* process.c: what the kernel and we ourselves know of this process.
 *
 * What /proc does not tell stays as it was. */
#include "daemon/base/process.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
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

/* The group that the file at MEMBER names, into PATH; "" if there is none. */
static void read_group(const char *member, char path[PATH_MAX])
{
    char line[PATH_MAX];
    FILE *file = fopen(member, "re");
    path[0] = '\0';
    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, "0::/", 4)) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(path, PATH_MAX, "%s", line + 3);
        }
    if (file)
        fclose(file);
}

/* memory.max of one group; 0: none ("max" is no number). */
static int64_t group_memory_max(const char *root, const char *path)
{
    char name[2 * PATH_MAX];
    long long bytes = 0;
    snprintf(name, sizeof(name), "%s%s/memory.max", root, path);
    FILE *file = fopen(name, "re");
    if (!file || fscanf(file, "%lld", &bytes) != 1)
        bytes = 0;
    if (file)
        fclose(file);
    return bytes;
}

int64_t process_memory_max(const char *member, const char *root)
{
    char path[PATH_MAX];
    int64_t least = 0;
    read_group(member, path);
    for (char *slash; (slash = strrchr(path, '/')); *slash = '\0') {
        int64_t bytes = group_memory_max(root, path);
        if (bytes > 0 && (!least || bytes < least))
            least = bytes;
        if (slash == path && !path[1])
            break; /* It was the uppermost one. */
    }
    int64_t bytes = group_memory_max(root, "");
    return bytes > 0 && (!least || bytes < least) ? bytes : least;
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

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define LOOKED_INTO 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LOOKED_INTO 1
#endif

void process_set_dumpable(int dumpable)
{
#ifndef LOOKED_INTO
    prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
#else
    (void)dumpable;
#endif
}
