/* plan_state.c: who enters and leaves of the users in the state topic.
 *
 * Every partition's users are read as a restore reads them, by the old
 * catalogue, and go over to the new one as in a running segmentd. Users are
 * written lazily: of who was busy when segmentd ran last some events and changes
 * are missing, which `segmentctl inspect offsets` shows. Nothing is written. */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/plan.h"
#include "daemon/protocol/meta.h"

#define WAIT_MS       1000
#define WORK_PER_STEP 10000

/* Behind every event: whoever is in the topic was there before. */
#define POSITION_LAST ((INT64_C(1) << 55) - 1)

/* What a partition's records say. */
struct place {
    struct buf record; /* Of its catalogue; empty: there is none. */
    struct seg_engine *engine;
};

struct reading {
    struct plan *plan;
    struct brokers brokers;
    struct place *places; /* By partition. */
    int place_count;
    int64_t positions[CONF_INPUTS_MAX];
};

static int new_engine(const struct reading *reading, struct seg_engine **ret,
                      const struct seg_catalogue *catalogue, int64_t clock_ms)
{
    const struct conf *conf = reading->brokers.conf;
    const char *topics[CONF_INPUTS_MAX];
    for (int i = 0; i < conf->input_count; i++)
        topics[i] = conf->inputs[i].topic;
    const struct seg_engine_options options = {
        .catalogue = catalogue,
        .topic_count = conf->input_count,
        .topics = topics,
        .clock_ms = clock_ms,
        .user_bytes_max = (uint32_t)conf->user_bytes,
        .attribute_bytes = (uint32_t)conf->attribute_bytes};
    return seg_engine_new(ret, &options);
}

/* ---- reading ------------------------------------------------------------- */

/* The place of PARTITION; NULL: no memory. */
static struct place *place_of(struct reading *reading, int partition)
{
    int count = partition + 1;
    if (reading->place_count < count) {
        struct place *places =
            realloc(reading->places, (size_t)count * sizeof(*places));
        if (!places)
            return NULL;
        reading->places = places;
    }
    for (; reading->place_count < count; reading->place_count++) {
        struct place *place = &reading->places[reading->place_count];
        place->engine = NULL;
        buf_init(&place->record);
        if (new_engine(reading, &place->engine, reading->plan->old_catalogue,
                       0) < 0)
            place->engine = NULL;
    }
    return reading->places[partition].engine ? &reading->places[partition]
                                             : NULL;
}

static int take(struct reading *reading, const struct scan_record *record)
{
    struct seg_text id;
    struct place *place = place_of(reading, record->partition);
    if (!place)
        return SEG_ERR_NOMEM;
    if (!record->key || !record->value)
        return 0;
    switch (meta_key_read(record->key, record->key_len, &id)) {
    case META_KEY_IS_CATALOGUE:
        buf_reset(&place->record);
        buf_add(&place->record, record->value, record->len);
        return buf_failed(&place->record) ? SEG_ERR_NOMEM : 0;
    case META_KEY_IS_USER:
        return seg_engine_restore_user(place->engine, record->value,
                                       record->len, NULL);
    case META_KEY_IS_META:
    case META_KEY_IS_UNKNOWN:
        break;
    }
    return 0;
}

static int read_topic(struct reading *reading)
{
    struct brokers_range range = {.topic = reading->plan->state.topic,
                                  .partition = -1};
    struct scan_record record;
    int answer = SCAN_NOTHING, status = brokers_add(&reading->brokers, &range);
    while (status == CTL_GOOD && answer != SCAN_END) {
        answer = brokers_next(&reading->brokers, WAIT_MS, &record);
        int got = answer == SCAN_RECORD ? take(reading, &record) : 0;
        if (answer < 0)
            status = CTL_FAILED;
        else if (got < 0)
            status = ctl_fail("%s, partition %d, offset %lld: %s", range.topic,
                              record.partition, (long long)record.offset,
                              seg_error_sentence(got));
    }
    return status;
}

/* ---- going over ---------------------------------------------------------- */

/* As at the end of a restore; what a timer did meanwhile is done. */
static int finish(struct reading *reading, struct place *place)
{
    int more = 0;
    if (place->record.len)
        more = seg_engine_restore_catalogue(
            place->engine, place->record.bytes, place->record.len,
            reading->positions, INT64_MIN, NULL);
    if (more == 0)
        more = 1;
    while (more > 0) {
        more = seg_engine_restore_finish(place->engine, reading->plan->at_ms,
                                         WORK_PER_STEP);
        seg_engine_outputs_clear(place->engine);
    }
    if (more == 0)
        more = 1;
    while (more > 0) {
        more = seg_engine_sweep(place->engine, WORK_PER_STEP);
        seg_engine_outputs_clear(place->engine);
    }
    return more;
}

static void count_members(struct plan *plan, const struct place *place)
{
    const struct seg_catalogue *catalogue = plan->old_catalogue;
    plan->state.users += seg_engine_user_count(place->engine);
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        struct seg_segment_info info;
        seg_catalogue_segment(catalogue, i, &info);
        plan->segments[plan_find_segment(plan, info.key)].state_before +=
            seg_engine_segment_size(place->engine, i);
    }
}

static void count_outputs(struct plan *plan, struct seg_engine *engine)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    for (size_t i = 0; i < count; i++) {
        int row = plan_find_changed(plan, &outputs[i]);
        if (row < 0)
            continue;
        plan->segments[row].state_enter += outputs[i].member;
        plan->segments[row].state_leave += !outputs[i].member;
    }
    seg_engine_outputs_clear(engine);
}

static int go_over(struct reading *reading, struct place *place)
{
    struct seg_engine *engine = NULL;
    int more = finish(reading, place);
    if (more == 0) {
        count_members(reading->plan, place);
        more = new_engine(reading, &engine, reading->plan->new_catalogue,
                          seg_engine_clock(place->engine));
    }
    if (more == 0)
        more = 1;
    while (more > 0)
        more = seg_engine_adopt(engine, place->engine, reading->positions,
                                WORK_PER_STEP);
    if (more == 0)
        more = 1;
    while (more > 0) {
        more = seg_engine_sweep(engine, WORK_PER_STEP);
        count_outputs(reading->plan, engine);
    }
    seg_engine_free(engine);
    return more;
}

static int read_and_go_over(struct reading *reading)
{
    int status = read_topic(reading);
    for (int p = 0; status == CTL_GOOD && p < reading->place_count; p++) {
        int got = go_over(reading, &reading->places[p]);
        if (got < 0)
            status =
                ctl_fail("%s, partition %d: %s", reading->plan->state.topic, p,
                         seg_error_sentence(got));
    }
    return status;
}

int plan_read_state(struct plan *plan, const char *conf)
{
    struct reading reading = {.plan = plan};
    for (int i = 0; i < CONF_INPUTS_MAX; i++)
        reading.positions[i] = POSITION_LAST;
    int status = brokers_open(&reading.brokers, conf);
    if (status == CTL_GOOD) {
        client_topic(reading.brokers.conf, BROKER_STATE, plan->state.topic);
        status = read_and_go_over(&reading);
    }
    for (int p = 0; p < reading.place_count; p++) {
        seg_engine_free(reading.places[p].engine);
        buf_done(&reading.places[p].record);
    }
    free(reading.places);
    brokers_close(&reading.brokers);
    plan->state.read = status == CTL_GOOD;
    return status;
}
