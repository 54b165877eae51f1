/* regime.c: see regime.h. */
#include "tests/support/regime.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

void regime_begin(struct regime *regime, const char *text)
{
    *regime = (struct regime){.catalogue = small_world_compile(text)};
    regime->engine = small_world_engine(regime->catalogue);
}

void regime_end(struct regime *regime)
{
    seg_engine_free(regime->engine);
    seg_catalogue_free(regime->catalogue);
}

struct seg_engine *regime_engine(const struct seg_catalogue *catalogue,
                                 int64_t clock_ms)
{
    struct seg_engine_options options = small_world_options(catalogue);
    struct seg_engine *engine;
    options.clock_ms = clock_ms;
    ck_assert_int_eq(seg_engine_new(&engine, &options), 0);
    return engine;
}

static int64_t instant_of(double hours)
{
    return SMALL_WORLD_START_MS + (int64_t)(hours * (double)HOUR_MS);
}

void regime_pass(struct regime *regime, double hours)
{
    int ret;
    while ((ret = seg_engine_advance(regime->engine, instant_of(hours), 1000)))
        ck_assert_int_eq(ret, 1);
}

void regime_send(struct regime *regime, double hours, double clock_hours,
                 int topic, const char *json)
{
    const struct seg_origin origin = {topic, regime->positions[topic]++,
                                      instant_of(hours)};
    struct seg_decoder *decoder;
    struct seg_event event;
    ck_assert_int_eq(seg_decoder_new(&decoder, regime->catalogue), 0);
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    regime_pass(regime, hours < clock_hours ? hours : clock_hours);
    ck_assert_int_ge(seg_engine_apply(regime->engine, &event, &origin), 0);
    seg_decoder_free(decoder);
}

void regime_did(struct regime *regime, double hours, const char *user,
                const char *event)
{
    char json[128];
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"%s\"}", user,
             event);
    regime_send(regime, hours, hours, 0, json);
}

void regime_is(struct regime *regime, double hours, const char *user,
               const char *traits)
{
    char json[256];
    snprintf(json, sizeof(json),
             "{\"type\":\"identify\",\"userId\":\"%s\",\"traits\":{%s}}", user,
             traits);
    regime_send(regime, hours, hours, 0, json);
}

void regime_adopt(struct regime *regime, const char *text, int work_max)
{
    struct seg_catalogue *catalogue = small_world_compile(text);
    struct seg_engine *engine =
        regime_engine(catalogue, seg_engine_clock(regime->engine));
    int ret;
    while ((ret = seg_engine_adopt(engine, regime->engine, regime->positions,
                                   work_max)))
        ck_assert_int_eq(ret, 1);
    regime_end(regime);
    regime->catalogue = catalogue;
    regime->engine = engine;
}

int regime_sweep(struct regime *regime, int work_max)
{
    int calls = 1, ret;
    for (; (ret = seg_engine_sweep(regime->engine, work_max)); calls++)
        ck_assert_int_eq(ret, 1);
    ck_assert(seg_engine_swept(regime->engine));
    return calls;
}

void regime_said(struct regime *regime, struct buf *buf)
{
    size_t count;
    const struct seg_output *outputs =
        seg_engine_outputs(regime->engine, &count);
    for (size_t i = 0; i < count; i++) {
        const struct seg_output *output = &outputs[i];
        struct seg_trigger_info trigger;
        buf_printf(buf, "%.1f %.*s ",
                   (double)(output->at_ms - SMALL_WORLD_START_MS) /
                       (double)HOUR_MS,
                   (int)output->user_id.len, output->user_id.bytes);
        if (output->kind == SEG_OUTPUT_TRIGGER) {
            seg_catalogue_trigger(regime->catalogue, output->trigger, &trigger);
            buf_printf(buf, "!%s %u\n", trigger.name, output->seq);
            continue;
        }
        if (output->kind == SEG_OUTPUT_TRAITS) {
            small_world_traits(output, buf);
            buf_char(buf, '\n');
            continue;
        }
        buf_printf(buf, "%c%.*s %s %u\n", output->member ? '+' : '-',
                   (int)output->segment_key.len, output->segment_key.bytes,
                   seg_cause_name(output->cause), output->seq);
        ck_assert(output->cause != SEG_CAUSE_CATALOGUE ||
                  (!output->trigger_count && !output->source_topic.bytes));
    }
    seg_engine_outputs_clear(regime->engine);
}

/* The text of BUF from the beginning of the line that ends at or behind byte
 * AT, or of the line before: what is shown of a difference. */
static struct seg_text excerpt(const struct buf *buf, size_t at)
{
    size_t from = at < buf->len ? at : buf->len, end = from;
    for (int lines = 0; from && (buf->bytes[from - 1] != '\n' || ++lines < 3);)
        from--;
    for (int lines = 0; end < buf->len && lines < 3;)
        lines += buf->bytes[end++] == '\n';
    return (struct seg_text){buf->bytes + from, end - from};
}

void regime_same(const struct buf *got, const struct buf *want)
{
    size_t at = 0;
    ck_assert(!buf_failed(got) && !buf_failed(want));
    while (at < got->len && at < want->len && got->bytes[at] == want->bytes[at])
        at++;
    if (at == got->len && at == want->len)
        return;
    struct seg_text a = excerpt(got, at), b = excerpt(want, at);
    ck_abort_msg("differs at byte %zu; got:\n%.*s\nwant:\n%.*s", at, (int)a.len,
                 a.bytes, (int)b.len, b.bytes);
}

void regime_expect(struct regime *regime, const char *want)
{
    struct buf said, wanted;
    buf_init(&said);
    buf_init(&wanted);
    regime_said(regime, &said);
    buf_str(&wanted, want);
    regime_same(&said, &wanted);
    buf_done(&said);
    buf_done(&wanted);
}

#define MEMBERSHIPS_MAX 256

static void describe_memberships(const struct seg_engine *engine,
                                 const struct seg_user *user, struct buf *buf)
{
    static struct seg_membership in[MEMBERSHIPS_MAX];
    int count = seg_user_memberships(engine, user, in, MEMBERSHIPS_MAX);
    ck_assert_int_le(count, MEMBERSHIPS_MAX);
    for (int i = 0; i < count; i++)
        buf_printf(buf, "  in %.*s since %lld\n", (int)in[i].key.len,
                   in[i].key.bytes, (long long)in[i].entered_at_ms);
}

void regime_describe(const struct seg_engine *engine, enum regime_timers timers,
                     struct buf *buf)
{
    const struct seg_catalogue *catalogue = seg_engine_catalogue(engine);
    for (uint32_t u = 0; u < engine->store.user_count; u++) {
        const struct seg_user *user =
            (const struct seg_user *)store_at(&engine->store, u);
        struct seg_user_info info;
        ck_assert(user_validate(store_at(&engine->store, u)));
        seg_user_info(engine, user, &info);
        buf_printf(buf, "%.*s %u %u %lld %lld\n", (int)info.id.len,
                   info.id.bytes, info.seq, info.trigger_seq,
                   (long long)info.last_change_ms,
                   timers == REGIME_TIMERS ? (long long)info.next_due_ms : 0);
        describe_memberships(engine, user, buf);
        for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
            struct seg_explanation *why;
            struct seg_segment_info segment;
            seg_catalogue_segment(catalogue, i, &segment);
            ck_assert_int_eq(seg_explain(&why, engine, user, i), 0);
            char *text = seg_explanation_text(why);
            ck_assert_ptr_nonnull(text);
            buf_printf(buf, "  %s: %s", segment.key, text);
            free(text);
            seg_explanation_free(why);
        }
    }
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++)
        buf_printf(buf, "%u ", seg_engine_segment_size(engine, i));
    buf_char(buf, '\n');
}
