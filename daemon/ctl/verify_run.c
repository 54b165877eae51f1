/* verify_run.c: segmentctl topics verify, asking: first what the brokers say of
 * each topic, then, of the inputs, the last records of each partition: do their
 * users belong there? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/catalogue.h>
#include <seg/error.h>
#include <seg/event.h>

#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/verify.h"

#define WAIT_MS 1000
#define OURS    VERIFY_INPUT /* Rows before the inputs. */

/* ---- sampling ---------------------------------------------------------- */

/* The user of a record; bytes = NULL if there is none. */
static struct seg_text user_of(struct seg_decoder *decoder,
                               const struct scan_record *record)
{
    struct seg_event event;
    if (!record->value ||
        seg_decode(decoder, record->value, record->len, &event, NULL) < 0)
        return (struct seg_text){NULL, 0};
    return event.user_id;
}

/* The last SAMPLES records of every partition of TOPIC. */
static int add_samples(struct brokers *brokers, const char *topic, int count,
                       int64_t samples)
{
    char why[CLIENT_WHY_BYTES] = "";
    int r = 0;
    for (int p = 0; p < count && r >= 0; p++) {
        int64_t low, high;
        r = scan_bounds(brokers->scan, topic, p, &low, &high, why);
        if (r >= 0)
            r = scan_add(brokers->scan, topic, p,
                         high - samples > low ? high - samples : low, high);
    }
    return r < 0 ? ctl_fail("%s", *why ? why : seg_error_sentence(r))
                 : CTL_GOOD;
}

static int sample(struct brokers *brokers, struct seg_decoder *decoder,
                  struct fit *fits)
{
    const struct conf *conf = brokers->conf;
    struct scan_record record;
    int answer;
    while ((answer = brokers_next(brokers, WAIT_MS, &record)) != SCAN_END) {
        if (answer < 0)
            return CTL_FAILED;
        for (int i = 0; i < conf->input_count && answer == SCAN_RECORD; i++)
            if (!strcmp(conf->inputs[i].topic, record.topic))
                fit_add(&fits[i], record.partition, user_of(decoder, &record));
    }
    return CTL_GOOD;
}

/* Users are found without regard to segments. */
static int decoder_new(struct seg_decoder **decoder,
                       struct seg_catalogue **catalogue)
{
    static const char text[] = "segment all { when everyone }\n";
    struct seg_source source = {"all.seg", text, sizeof(text) - 1};
    struct seg_diagnostics *diagnostics = NULL;
    int r = seg_diagnostics_new(&diagnostics);
    if (r >= 0)
        r = seg_catalogue_compile(catalogue, &source, 1, diagnostics);
    if (r >= 0)
        r = seg_decoder_new(decoder, *catalogue);
    seg_diagnostics_free(diagnostics);
    return r < 0 ? ctl_fail("%s", seg_error_sentence(r)) : CTL_GOOD;
}

static int verify_inputs(struct verify *verify, struct brokers *brokers,
                         const struct topics_info *inputs, int64_t samples)
{
    const struct conf *conf = brokers->conf;
    struct fit fits[CONF_INPUTS_MAX] = {{0}};
    struct seg_decoder *decoder = NULL;
    struct seg_catalogue *catalogue = NULL;
    int status = decoder_new(&decoder, &catalogue);
    for (int i = 0; i < conf->input_count && status == CTL_GOOD; i++) {
        fits[i].partitions = inputs[i].partitions;
        status = add_samples(brokers, conf->inputs[i].topic,
                             inputs[i].partitions, samples);
    }
    if (status == CTL_GOOD)
        status = sample(brokers, decoder, fits);
    for (int i = 0; i < conf->input_count && status == CTL_GOOD; i++)
        if (inputs[i].partitions)
            verify_fit(verify, &conf->inputs[i], &fits[i]);
    seg_decoder_free(decoder);
    seg_catalogue_free(catalogue);
    return status;
}

/* ---- all of it --------------------------------------------------------- */

/* Names of all topics, ours first. Returns how many there are. */
static int name_rows(const struct conf *conf, struct topics_info *rows)
{
    static const char *const names[OURS] = {
        [VERIFY_CHANGES] = "changes",
        [VERIFY_TRIGGERS] = "triggers",
        [VERIFY_TRAITS] = "traits",
        [VERIFY_STATE] = "state",
        [VERIFY_DEAD_LETTERS] = "dead-letters",
    };
    for (int i = 0; i < OURS; i++)
        snprintf(rows[i].name, sizeof(rows[i].name), "%s.%s", conf->app,
                 names[i]);
    for (int i = 0; i < conf->input_count; i++)
        snprintf(rows[OURS + i].name, sizeof(rows[i].name), "%s",
                 conf->inputs[i].topic);
    return OURS + conf->input_count;
}

static int verify_all(struct verify *verify, struct brokers *brokers,
                      struct topics_info *rows, int64_t samples)
{
    char why[CLIENT_WHY_BYTES] = "";
    int count = name_rows(brokers->conf, rows);
    int r = topics_describe(&brokers->client, rows, count, why);
    if (r < 0)
        return ctl_fail("%s", *why ? why : seg_error_sentence(r));
    for (int i = OURS; i < count && !verify->partitions; i++)
        verify->partitions = rows[i].partitions;
    for (int i = 0; i < count; i++)
        verify_topic(verify, i < OURS ? (enum verify_role)i : VERIFY_INPUT,
                     &rows[i]);
    return verify_inputs(verify, brokers, rows + OURS, samples);
}

int verify_run(const char *conf, int64_t samples)
{
    struct brokers brokers;
    struct topics_info *rows = calloc(OURS + CONF_INPUTS_MAX, sizeof(*rows));
    int status =
        rows ? brokers_open(&brokers, conf) : ctl_fail("out of memory");
    if (!rows)
        return status;
    struct verify verify = {.conf = brokers.conf};
    buf_init(&verify.out);
    if (status == CTL_GOOD)
        status = verify_all(&verify, &brokers, rows, samples);
    fputs(buf_string(&verify.out), stdout);
    if (status == CTL_GOOD && verify.problems)
        status = ctl_fail("%d problem%s", verify.problems,
                          verify.problems == 1 ? "" : "s");
    buf_done(&verify.out);
    brokers_close(&brokers);
    free(rows);
    return status;
}
