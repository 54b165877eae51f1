/* check_reload_run.c: segment files read anew. The workers, who get what is in
 * them, are ours. */
#include "daemon/worker/reload.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seg/catalogue.h>
#include <seg/error.h>

#include "daemon/base/conf.h"
#include "daemon/base/log.h"
#include "daemon/base/segments.h"
#include "daemon/worker/workers.h"
#include "tests/support/suite.h"

static char path[64]; /* Of the segment file. */
static struct conf conf;
static struct metrics *metrics;
static struct metric_process process;
static struct seg_catalogue *before;
static struct reload reload;
static struct buf out;
static int said, told_stopping; /* Lines in the log. */
static const struct seg_catalogue *handed;
static int times_handed;

void workers_set_catalogue(struct workers *workers,
                           const struct seg_catalogue *catalogue)
{
    (void)workers;
    handed = catalogue;
    times_handed++;
}

static void count_line(void *arg, const char *line)
{
    (void)arg;
    said += strstr(line, "said=") != NULL;
    told_stopping += strstr(line, "segmentd is stopping") != NULL;
}

/* There is one segment file, with the text TEXT. */
static void write_file(const char *text)
{
    static const char *paths[] = {path};
    strcpy(path, "/tmp/check_reload.XXXXXX.seg");
    int fd = mkstemps(path, 4);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    conf.segments.items = paths;
    conf.segments.count = 1;
}

static void setup(void)
{
    static const char text[] = "segment s0 { when everyone }\n"
                               "segment s1 { when everyone }\n";
    struct seg_source source = {"x.seg", text, sizeof(text) - 1};
    struct seg_diagnostics *diagnostics;
    said = told_stopping = times_handed = 0;
    handed = NULL;
    log_capture(count_line, NULL);
    buf_init(&out);
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&before, &source, 1, diagnostics),
                     0);
    seg_diagnostics_free(diagnostics);
    ck_assert_int_eq(metrics_new(&metrics, before), 0);
    process = (struct metric_process){0};
    reload = (struct reload){.conf = &conf,
                             .metrics = metrics,
                             .process = &process,
                             .catalogue = before};
}

static void teardown(void)
{
    unlink(path);
    metrics_free(metrics);
    seg_catalogue_free(before);
    buf_done(&out);
    log_capture(NULL, NULL);
}

/* Files that mean what they meant are handed out all the same. */
START_TEST(what_means_the_same_is_handed_out_again)
{
    write_file("segment s0 { when everyone }\n"
               "segment s1 { when everyone }\n");
    for (int n = 1; n <= 3; n++) {
        ck_assert_int_eq(reload_run(&reload, &out), 0);
        ck_assert_ptr_eq(reload.catalogue, before);
        ck_assert_ptr_eq(handed, before);
        ck_assert_int_eq(times_handed, n);
        ck_assert_int_eq(metric_get(&process.reloads), n);
    }
}
END_TEST

/* Whether by SIGHUP or by POST: it ends with the catalogue that it has. */
START_TEST(who_is_stopping_reads_nothing_anew)
{
    write_file("segment other { when everyone }\n");
    reload.stopping = 1;
    ck_assert_int_lt(reload_run(&reload, &out), 0);
    ck_assert_str_eq(buf_string(&out), "segmentd is stopping.\n");
    ck_assert_int_eq(told_stopping, 1);
    ck_assert_ptr_eq(reload.catalogue, before);
    ck_assert_int_eq(times_handed, 0);
    /* Nothing is wrong with the files. */
    ck_assert_int_eq(metric_get(&process.reload_failures), 0);
    ck_assert_int_eq(metric_get(&process.reload_failed), 0);
}
END_TEST

/* As one line each, without the excerpts that stand below it. */
START_TEST(every_diagnostic_is_in_the_log)
{
    struct buf text;
    buf_init(&text);
    for (int i = 0; i < 30; i++)
        buf_printf(&text, "segment s%d { when in segment nobody%d }\n", i, i);
    write_file(buf_string(&text));
    buf_done(&text);
    int diagnostics = 0;
    ck_assert_int_lt(reload_run(&reload, &out), 0);
    for (const char *at = buf_string(&out); (at = strstr(at, ": error: "));
         at++)
        diagnostics++;
    ck_assert_int_ge(diagnostics, 20);
    ck_assert_int_eq(said, diagnostics);
    ck_assert_ptr_eq(reload.catalogue, before);
}
END_TEST

SUITE("reload_run", setup, teardown,
      TEST(what_means_the_same_is_handed_out_again),
      TEST(who_is_stopping_reads_nothing_anew),
      TEST(every_diagnostic_is_in_the_log))
