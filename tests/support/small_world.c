/* small_world.c: see small_world.h. */
#include "tests/support/small_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"

const char small_world_text[] =
    "list plans = [\"pro\", \"team\"]\n"
    "list all_plans = [\"free\", \"pro\", \"team\", \"a\", \"b\", \"c\","
    " \"d\", \"e\"]\n"
    "segment exporters {\n"
    "  when did \"Report Exported\" at least 3 times in 7d\n"
    "  on enter trigger \"upgrade\" { offer = \"pro\", goal.id = 7 }"
    " once per 30d\n"
    "  on exit trigger \"come_back\" once\n"
    "  on enter trigger \"hello\"\n"
    "}\n"
    "segment ever { when did \"Report Exported\" at least 2 times }\n"
    "segment lapsed { when did any at least 2 times from 4d to 2d ago }\n"
    "segment quiet { when did not \"Visited\" in 1d }\n"
    "segment paying { when user.plan in @plans }\n"
    "segment beta { when user.tags has any (\"beta\", \"alpha\") }\n"
    "segment shouting { when user.nick contains \"LOUD\" ignoring case }\n"
    "segment oslo { when user.address.city = \"Oslo\" }\n"
    "segment health {\n"
    "  when account.industry = \"health\" and account.size > 10\n"
    "}\n"
    "segment trial { when user.trial_ends_at within next 3d }\n"
    "segment unhappy { when last(\"Answered\", score) <= 6 }\n"
    "segment from_ad { when first(\"Visited\", ref) in 7d = \"ad\" }\n"
    "segment by_mail {\n"
    "  when last(\"Visited\", ref) from 7d to 1d ago = \"mail\"\n"
    "}\n"
    "segment ads {\n"
    "  when did \"Visited\" where ref contains \"AD\" ignoring case\n"
    "}\n"
    "segment fresh { when days_since(first \"Visited\") < 3 }\n"
    "segment stale { when days_since(last \"Visited\") >= 2 }\n"
    "segment busy_free {\n"
    "  when in segment exporters and not in segment paying\n"
    "}\n"
    "segment friends {\n"
    "  when in segment paying or count(\"Visited\") in 2d >= 4\n"
    "  include (\"fay\")\n"
    "  exclude (\"eve\")\n"
    "}\n"
    "segment visits_by_mail {\n"
    "  when did \"Visited\" where ref = \"mail\" in 3d\n"
    "}\n"
    "segment visits_somehow {\n"
    "  when did \"Visited\" where (ref = \"ad\" and not page is set\n"
    "    or ref in (\"mail\", \"x\")) at least 2 times\n"
    "}\n"
    "segment well_known_plan { when user.plan in @all_plans ignoring case }\n";

#define TRACK(user, id, event, rest)                                  \
    "{\"type\":\"track\",\"userId\":\"" user "\",\"messageId\":\"" id \
    "\",\"event\":\"" event "\"" rest "}"
#define IDENTIFY(user, id, traits)                                       \
    "{\"type\":\"identify\",\"userId\":\"" user "\",\"messageId\":\"" id \
    "\",\"traits\":{" traits "}}"
#define VISIT(user, id, ref) \
    TRACK(user, id, "Visited", ",\"properties\":{\"ref\":\"" ref "\"}")
#define EXPORT(user, id) TRACK(user, id, "Report Exported", "")

const struct small_step small_world_steps[] = {
    {0, 0,
     IDENTIFY("ada", "1",
              "\"plan\":\"free\",\"tags\":[\"beta\",\"Loud\",3,2.5,true,null],"
              "\"address\":{\"city\":\"Oslo\"},\"age\":36,\"rate\":0.25,"
              "\"vip\":true,\"nick\":\"Loud\",\"deep\":{\"x\":1}")},
    {1, 1, VISIT("ada", "1", "ad")},
    {2, 0, EXPORT("ada", "2")},
    {3, 1, EXPORT("ada", "3")},
    {3, 1, EXPORT("ada", "3")},
    {4, 0,
     "{\"type\":\"group\",\"userId\":\"ada\",\"groupId\":\"acme\","
     "\"traits\":{\"industry\":\"health\",\"size\":11,\"town\":\"Bergen\"}}"},
    {5, 0, EXPORT("bob", "4")},
    {20, 0,
     TRACK("ada", "5", "Visited",
           ",\"timestamp\":\"2024-01-01T10:00:00Z\","
           "\"properties\":{\"ref\":\"mail\"}")},
    {26, 0, EXPORT("ada", "6")},
    {30, 1, TRACK("ada", "7", "Answered", ",\"properties\":{\"score\":4.5}")},
    {31, 1, VISIT("cid", "8", "Adwords")},
    {32, 1, IDENTIFY("dan", "9", "\"plan\":\"pro\",\"nick\":null")},
    {33, 1, IDENTIFY("eve", "10", "\"plan\":\"team\"")},
    {34, 0, VISIT("fay", "11", "x")},
    {40, 0,
     IDENTIFY("ada", "12",
              "\"trial_ends_at\":\"2024-01-06T00:00:00Z\",\"nick\":null")},
    {41, 0, VISIT("ada", "13", "mail")},
    {42, 0, VISIT("bob", "14", "mail")},
    {43, 1, VISIT("bob", "15", "mail")},
    {44, 1, VISIT("ada", "16", "")},
    {52, 1, IDENTIFY("ada", "17", "\"plan\":\"team\",\"new\":[1]")},
    {53, 0, VISIT("ada", "18", "future")},
    {53, 0,
     "{\"type\":\"group\",\"userId\":\"ada\",\"groupId\":\"later\","
     "\"traits\":{\"industry\":\"mines\",\"odd\":false}}"},
};
const int small_world_step_count =
    sizeof(small_world_steps) / sizeof(small_world_steps[0]);

/* Messages from here on are ahead of the clock and are parked. */
#define CLOCK_STOPS_HOURS 52.5

struct seg_catalogue *small_world_compile(const char *text)
{
    const struct seg_source source = {"world.seg", text, strlen(text)};
    struct seg_diagnostics *diagnostics;
    struct seg_catalogue *catalogue = NULL;
    if (seg_diagnostics_new(&diagnostics) < 0)
        abort();
    if (seg_catalogue_compile(&catalogue, &source, 1, diagnostics) < 0) {
        char *said = seg_diagnostic_text(seg_diagnostics_at(diagnostics, 0));
        fputs(said, stderr);
        abort();
    }
    seg_diagnostics_free(diagnostics);
    return catalogue;
}

struct seg_catalogue *small_world_catalogue(void)
{
    return small_world_compile(small_world_text);
}

struct seg_engine_options
small_world_options(const struct seg_catalogue *catalogue)
{
    static const char *const topics[] = {"app", "web"};
    return (struct seg_engine_options){.catalogue = catalogue,
                                       .topic_count = 2,
                                       .topics = topics,
                                       .hash_seed = 1,
                                       .clock_ms = SMALL_WORLD_START_MS};
}

struct seg_engine *small_world_engine(const struct seg_catalogue *catalogue)
{
    struct seg_engine_options options = small_world_options(catalogue);
    struct seg_engine *engine;
    if (seg_engine_new(&engine, &options) < 0)
        abort();
    return engine;
}

static int64_t instant_of(double hours)
{
    return SMALL_WORLD_START_MS + (int64_t)(hours * (double)HOUR_MS);
}

int64_t small_world_clock(const struct small_step *step)
{
    return instant_of(step->hours < CLOCK_STOPS_HOURS ? step->hours
                                                      : CLOCK_STOPS_HOURS);
}

int small_world_apply(struct seg_engine *engine, struct seg_decoder *decoder,
                      const struct small_step *step, int64_t offset)
{
    struct seg_event event;
    const struct seg_origin origin = {step->topic, offset,
                                      instant_of(step->hours)};
    int ret = seg_decode(decoder, step->json, strlen(step->json), &event, NULL);
    if (ret == 0) {
        seg_engine_prefetch(engine, &event);
        ret = seg_engine_advance(engine, small_world_clock(step), 1000);
    }
    if (ret == 0) {
        seg_engine_prefetch_user(engine, &event);
        ret = seg_engine_apply(engine, &event, &origin);
    }
    seg_decoder_reset(decoder);
    return ret;
}

void small_world_run(struct seg_engine *engine,
                     const struct seg_catalogue *catalogue)
{
    struct seg_decoder *decoder;
    if (seg_decoder_new(&decoder, catalogue) < 0)
        abort();
    for (int i = 0; i < small_world_step_count; i++)
        if (small_world_apply(engine, decoder, &small_world_steps[i], i) < 0)
            abort();
    seg_decoder_free(decoder);
}

void small_world_send(struct seg_engine *engine,
                      const struct seg_catalogue *catalogue, double hours,
                      const char *json, int64_t offset)
{
    const struct seg_origin origin = {0, offset, instant_of(hours)};
    struct seg_decoder *decoder;
    struct seg_event event;
    if (seg_decoder_new(&decoder, catalogue) < 0 ||
        seg_decode(decoder, json, strlen(json), &event, NULL) < 0 ||
        seg_engine_advance(engine, origin.timestamp_ms, 1000) != 0 ||
        seg_engine_apply(engine, &event, &origin) < 0)
        abort();
    seg_decoder_free(decoder);
}

const struct user *small_world_user(const struct seg_engine *engine,
                                    const char *id)
{
    return (const struct user *)seg_user_find(engine, text_of(id));
}

void small_world_record(struct seg_engine *engine, const struct user *user,
                        struct buf *buf)
{
    static const int64_t positions[] = {1000, 1000};
    snapshot_encode(engine, user, positions, buf);
}

void small_world_keep(const struct buf *record, const char *name)
{
    const char *folder = getenv("RECORDS");
    char path[512];
    if (!folder)
        return;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(record->bytes, 1, record->len, file) != record->len ||
        fclose(file) != 0)
        abort();
}

void small_world_traits(const struct seg_output *output, struct buf *buf)
{
    buf_char(buf, '=');
    for (uint32_t i = 0; i < output->trait_count; i++) {
        buf_str(buf, i ? " " : "");
        buf_text(buf, output->traits[i].name);
        buf_char(buf, ' ');
        buf_json_value(buf, &output->traits[i].value);
    }
}

void small_world_outputs(const struct seg_engine *engine,
                         const struct seg_catalogue *catalogue, struct buf *buf)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    for (size_t i = 0; i < count; i++) {
        const struct seg_output *output = &outputs[i];
        struct seg_segment_info segment;
        buf_printf(buf, "%.1f %.*s ",
                   (double)(output->at_ms - SMALL_WORLD_START_MS) /
                       (double)HOUR_MS,
                   (int)output->user_id.len, output->user_id.bytes);
        if (output->kind == SEG_OUTPUT_TRIGGER) {
            struct seg_trigger_info trigger;
            seg_catalogue_trigger(catalogue, output->trigger, &trigger);
            buf_printf(buf, "!%s %u\n", trigger.name, output->seq);
        } else if (output->kind == SEG_OUTPUT_TRAITS) {
            small_world_traits(output, buf);
            buf_char(buf, '\n');
        } else {
            seg_catalogue_segment(catalogue, output->segment, &segment);
            buf_printf(buf, "%c%s %s %u\n", output->member ? '+' : '-',
                       segment.key, seg_cause_name(output->cause), output->seq);
        }
    }
}
