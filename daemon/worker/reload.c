/* reload.c: see reload.h. */
#include "daemon/worker/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/catalogue.h>
#include <seg/error.h>

#include "daemon/base/conf.h"
#include "daemon/base/log.h"
#include "daemon/base/segments.h"
#include "daemon/kafka/admin.h"
#include "daemon/worker/workers.h"

#define FIND_TOPIC_MS 2000 /* The main thread waits for it. */

/* ---- what is in force, for the metrics ----------------------------------- */

/* The label of a catalogue; NULL: no memory. */
static char *label_of(const struct seg_catalogue *catalogue)
{
    struct buf label;
    buf_init(&label);
    metric_label(&label, "hash", seg_catalogue_hash(catalogue));
    char *text = buf_take(&label);
    buf_done(&label);
    return text;
}

static int show(struct reload *reload, char *label)
{
    free(reload->label);
    reload->label = label;
    metric_set(&reload->info.one, 1);
    return metrics_add(reload->metrics, METRIC_CATALOGUE, &reload->info, 1,
                       (const char *const *)&reload->label);
}

int reload_open(struct reload *reload)
{
    char *label = label_of(reload->catalogue);
    return label ? show(reload, label) : SEG_ERR_NOMEM;
}

void reload_close(struct reload *reload)
{
    if (reload->metrics)
        metrics_remove(reload->metrics, &reload->info);
    free(reload->label);
    reload->label = NULL;
}

/* ---- reading anew -------------------------------------------------------- */

/* CATALOGUE, which is taken, comes into force. */
static int put_in_force(struct reload *reload, struct seg_catalogue *catalogue)
{
    struct seg_catalogue *before = reload->catalogue;
    char *label = label_of(catalogue);
    if (!label || metrics_add_segments(reload->metrics, catalogue) < 0) {
        free(label);
        seg_catalogue_free(catalogue);
        return SEG_ERR_NOMEM;
    }
    log_info("another catalogue is in force",
             "catalogue=%s before=%s segments=%d",
             seg_catalogue_hash(catalogue), seg_catalogue_hash(before),
             seg_catalogue_segment_count(catalogue));
    reload->catalogue = catalogue;
    metrics_remove(reload->metrics, &reload->info);
    show(reload, label);
    workers_set_catalogue(reload->workers, catalogue);
    seg_catalogue_free(before);
    return 1;
}

/* The NUMBER-th of many lines, none of which is a repeat of another. */
static void say(int number, const char *line, int len)
{
    char kind[16];
    snprintf(kind, sizeof(kind), "%d", number);
    log_kind(LOG_LEVEL_ERROR, "segments", kind, "said=\"%.*s\"", len, line);
}

static int refuse(struct reload *reload, struct buf *said, int err)
{
    int number = 0;
    if (!said->len)
        buf_printf(said, "%s\n", seg_error_sentence(err));
    log_error("the segment files are refused, the catalogue before stays",
              "catalogue=%s", seg_catalogue_hash(reload->catalogue));
    for (const char *line = buf_string(said); *line;) {
        size_t len = strcspn(line, "\n");
        if (*line != ' ') /* A line a fact: excerpts are for who asks. */
            say(number++, line, (int)len);
        line += len + (line[len] != '\0');
    }
    metric_add(&reload->process->reload_failures, 1);
    return err;
}

/* Whether there is a topic for the traits of CATALOGUE. With none before nobody
 * has looked yet. */
static int find_topic(const struct reload *reload,
                      const struct seg_catalogue *catalogue, struct buf *said)
{
    struct client client = {.conf = reload->conf, .worker = -1};
    char why[CLIENT_WHY_BYTES];
    if (reload->embedded || !seg_catalogue_trait_count(catalogue) ||
        seg_catalogue_trait_count(reload->catalogue))
        return 0;
    int ret = admin_find_traits(&client, FIND_TOPIC_MS, why);
    if (ret < 0)
        buf_printf(said, "%s\n", why);
    return ret;
}

int reload_run(struct reload *reload, struct buf *said)
{
    struct seg_catalogue *catalogue = NULL;
    struct buf warnings;
    if (reload->stopping) {
        buf_str(said, "segmentd is stopping.\n");
        log_warn("segmentd is stopping: segment files are not read anew");
        return SEG_ERR_INVALID;
    }
    buf_init(&warnings);
    int ret = segments_compile(&catalogue, reload->conf->segments.items,
                               reload->conf->segments.count, said, &warnings);
    if (ret >= 0)
        buf_add(said, warnings.bytes, warnings.len);
    buf_done(&warnings);
    if (ret >= 0 && find_topic(reload, catalogue, said) < 0) {
        seg_catalogue_free(catalogue);
        ret = SEG_ERR_INVALID;
    } else if (ret >= 0 && !strcmp(seg_catalogue_hash(catalogue),
                                   seg_catalogue_hash(reload->catalogue))) {
        log_info("the segment files mean what they meant", "catalogue=%s",
                 seg_catalogue_hash(catalogue));
        seg_catalogue_free(catalogue);
        /* Again, for a worker that had no memory for it. */
        workers_set_catalogue(reload->workers, reload->catalogue);
    } else if (ret >= 0) {
        ret = put_in_force(reload, catalogue);
    }
    if (ret < 0)
        ret = refuse(reload, said, ret);
    else
        metric_add(&reload->process->reloads, 1);
    metric_set(&reload->process->reload_failed, ret < 0);
    return ret;
}
