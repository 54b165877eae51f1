/* embed.c: libseg in one small program, with nothing else.
 *
 *     cc -std=c11 -Iinclude tests/example/embed.c build/libseg.a \
 *        -ljansson -lsimdjson -lutf8proc -lxxhash -lstdc++ -lm
 *
 * It does what the daemon does for one partition, without Kafka, in the order
 * in which you will want to know it:
 *
 *   1  compile a catalogue from the text of a segment file, and run its tests
 *   2  make an engine; decode messages and apply them
 *   3  advance the clock, so that people leave by time alone
 *   4  ask about a user: his segments, his attributes, and why
 *   5  write the user to bytes and read them into another engine
 *
 * The library keeps no clock, opens no file, starts no thread and prints
 * nothing: instants come in as numbers, changes go out as structs. What this
 * program expects stands beside each step; it exits 1 if anything differs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/seg.h>

/* Two segments, each with a test under a virtual clock. The second asks for the
 * first, so it follows it at once. */
static const char segments[] =
    "segment weekly_exporters {\n"
    "  title \"Exports three reports a week\"\n"
    "  when did \"Report Exported\" at least 3 times in 7d\n"
    "}\n"
    "segment outgrown_free {\n"
    "  when user.plan = \"free\" and in segment weekly_exporters\n"
    "  on enter trigger \"upgrade_modal\" { offer = \"pro_annual\" } once per "
    "30d\n"
    "}\n"
    "test weekly_exporters \"the third enters; a week after the first, exit\" "
    "{\n"
    "  at 1d event \"Report Exported\"\n"
    "  at 2d event \"Report Exported\"\n"
    "  at 3d event \"Report Exported\"\n"
    "  at 3d expect enter\n"
    "  at 8d expect exit\n"
    "}\n"
    "test outgrown_free \"the plan alone is not enough\" {\n"
    "  set user.plan = \"free\"\n"
    "  at 1d expect out\n"
    "}\n";

#define DAY_MS   INT64_C(86400000)
#define START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z, day 0. */

/* What a product sends, one JSON message each (the spec of Segment). The fourth
 * is a message that was sent twice. */
static const char *const messages[] = {
    "{\"type\":\"identify\",\"userId\":\"ada\",\"messageId\":\"m1\","
    "\"timestamp\":\"2026-01-01T00:00:00Z\",\"traits\":{\"plan\":\"free\"}}",
    "{\"type\":\"track\",\"userId\":\"ada\",\"messageId\":\"m2\","
    "\"timestamp\":\"2026-01-02T00:00:00Z\",\"event\":\"Report Exported\"}",
    "{\"type\":\"track\",\"userId\":\"ada\",\"messageId\":\"m3\","
    "\"timestamp\":\"2026-01-03T00:00:00Z\",\"event\":\"Report Exported\"}",
    "{\"type\":\"track\",\"userId\":\"ada\",\"messageId\":\"m3\","
    "\"timestamp\":\"2026-01-03T00:00:00Z\",\"event\":\"Report Exported\"}",
    "{\"type\":\"track\",\"userId\":\"ada\",\"messageId\":\"m4\","
    "\"timestamp\":\"2026-01-04T00:00:00Z\",\"event\":\"Report Exported\"}",
};
#define MESSAGES ((int)(sizeof(messages) / sizeof(messages[0])))

/* The third export, on day 3, makes her enter both; on day 8 the first of them
 * is seven days old and she leaves, though nothing was sent. */
static const char *const entries[] = {
    "day 3: ada enters weekly_exporters (event)",
    "day 3: ada enters outgrown_free (event)",
    "day 3: ada is shown upgrade_modal",
};
static const char *const exits[] = {
    "day 8: ada exits weekly_exporters (timer)",
    "day 8: ada exits outgrown_free (timer)",
};
#define LINES(a) (a), (int)(sizeof(a) / sizeof((a)[0]))

/* ---- what is not about libseg ---------------------------------------- */

static void expect(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "embed: not as expected: %s\n", what);
    exit(EXIT_FAILURE);
}

static struct seg_text text(const char *string)
{
    return (struct seg_text){string, strlen(string)};
}

/* ---- 1: a catalogue -------------------------------------------------- */

/* The caller ends it with seg_catalogue_free, after all that was made of it. */
static struct seg_catalogue *compile(const char *file, const char *source_text)
{
    const struct seg_source source = {file, source_text, strlen(source_text)};
    struct seg_diagnostics *said;
    struct seg_catalogue *catalogue = NULL;

    expect(seg_diagnostics_new(&said) == 0, "room for diagnostics");
    int err = seg_catalogue_compile(&catalogue, &source, 1, said);
    for (int i = 0; i < seg_diagnostics_count(said); i++) {
        char *lines = seg_diagnostic_text(seg_diagnostics_at(said, i));
        fputs(lines ? lines : "", stderr); /* file:line:column, a caret. */
        free(lines);
    }
    seg_diagnostics_free(said);
    expect(err == 0, seg_error_sentence(err));
    return catalogue;
}

static void report(void *arg, const struct seg_test_result *result)
{
    int *count = arg;

    ++*count;
    expect(result->passed, result->message);
}

static void run_tests(const struct seg_catalogue *catalogue)
{
    int count = 0;

    expect(seg_catalogue_test(catalogue, report, &count) == 0, "tests pass");
    expect(count == 2, "two tests ran");
}

/* ---- 2: messages ----------------------------------------------------- */

/* An engine holds the users of one partition of its input topics. */
static struct seg_engine *make_engine(const struct seg_catalogue *catalogue)
{
    static const char *const topics[] = {"product-events"};
    const struct seg_engine_options options = {
        .catalogue = catalogue,
        .topic_count = 1,
        .topics = topics,
        .hash_seed = 1, /* From a random source, if strangers choose ids. */
        .clock_ms = START_MS,
    };
    struct seg_engine *engine;
    int err = seg_engine_new(&engine, &options);

    expect(err == 0, seg_error_sentence(err));
    return engine;
}

/* One line about OUTPUT, as the tables above have them. */
static void describe(char *line, size_t size,
                     const struct seg_catalogue *catalogue,
                     const struct seg_output *output)
{
    struct seg_segment_info segment;
    struct seg_trigger_info trigger;
    int day = (int)((output->at_ms - START_MS) / DAY_MS);

    seg_catalogue_segment(catalogue, output->segment, &segment);
    if (output->kind == SEG_OUTPUT_TRIGGER) {
        seg_catalogue_trigger(catalogue, output->trigger, &trigger);
        snprintf(line, size, "day %d: %.*s is shown %s", day,
                 (int)output->user_id.len, output->user_id.bytes, trigger.name);
        return;
    }
    snprintf(line, size, "day %d: %.*s %s %s (%s)", day,
             (int)output->user_id.len, output->user_id.bytes,
             output->member ? "enters" : "exits", segment.key,
             seg_cause_name(output->cause));
}

/* Print what happened since the last time and see that it is LINES. */
static void take_outputs(struct seg_engine *engine,
                         const struct seg_catalogue *catalogue,
                         const char *const *lines, int line_count)
{
    char line[256];
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);

    expect(count == (size_t)line_count, "number of changes and triggers");
    for (size_t i = 0; i < count; i++) {
        describe(line, sizeof(line), catalogue, &outputs[i]);
        puts(line);
        expect(strcmp(line, lines[i]) == 0, lines[i]);
    }
    seg_engine_outputs_clear(engine);
}

static void apply_all(struct seg_engine *engine,
                      const struct seg_catalogue *catalogue)
{
    struct seg_decoder *decoder;
    struct seg_event event;
    struct seg_error detail;

    expect(seg_decoder_new(&decoder, catalogue) == 0, "room for a decoder");
    for (int i = 0; i < MESSAGES; i++) {
        int err = seg_decode(decoder, messages[i], strlen(messages[i]), &event,
                             &detail);
        expect(err == 0, seg_error_sentence(err));
        /* Where the message was read, and when it arrived there. Timers that
         * are due by then come first: advance, then apply. */
        const struct seg_origin origin = {0, i, event.time_ms};
        expect(seg_engine_advance(engine, origin.timestamp_ms, 1000) == 0,
               "fewer than 1000 timers are due");
        int applied = seg_engine_apply(engine, &event, &origin);
        expect(applied == (i == 3 ? SEG_APPLIED_DUPLICATE : SEG_APPLIED),
               "only the fourth message is a duplicate");
        seg_decoder_reset(decoder); /* EVENT is not needed any more. */
    }
    seg_decoder_free(decoder);
}

/* ---- 4: questions ---------------------------------------------------- */

static void print_attribute(void *arg, const struct seg_attribute *attribute)
{
    int *count = arg;

    ++*count;
    expect(attribute->value.type == SEG_TEXT, "the plan is a text");
    printf("  %s.%.*s = %.*s\n", attribute->account ? "account" : "user",
           (int)attribute->name.len, attribute->name.bytes,
           (int)attribute->value.len, attribute->value.as.text);
}

/* All answers about USER_ID as one text, for people and for comparing. The
 * caller frees it. */
static char *ask(const struct seg_engine *engine,
                 const struct seg_catalogue *catalogue, const char *user_id)
{
    const struct seg_user *user = seg_user_find(engine, text(user_id));
    struct seg_user_info info;
    int segment_count = seg_catalogue_segment_count(catalogue);
    size_t size = 4096, used;
    char *answer = malloc(size);

    expect(answer != NULL, "memory");
    expect(user != NULL, "she is known");
    seg_user_info(engine, user, &info);
    used = (size_t)snprintf(answer, size,
                            "changes %" PRIu32 ", triggers %" PRIu32 "\n",
                            info.seq, info.trigger_seq);
    for (int i = 0; i < segment_count; i++) {
        struct seg_explanation *why;
        struct seg_segment_info segment;
        expect(seg_explain(&why, engine, user, i) == 0, "room to explain");
        char *tree = seg_explanation_text(why);
        expect(tree != NULL, "memory");
        seg_catalogue_segment(catalogue, i, &segment);
        used += (size_t)snprintf(answer + used, size - used, "%s: %s",
                                 segment.key, tree);
        expect(used < size, "an answer of ordinary length");
        free(tree);
        seg_explanation_free(why);
    }
    return answer;
}

static void look_at_ada(const struct seg_engine *engine,
                        const struct seg_catalogue *catalogue)
{
    const struct seg_user *ada = seg_user_find(engine, text("ada"));
    struct seg_membership in[2];
    int attributes = 0;
    char *answer = ask(engine, catalogue, "ada");

    fputs(answer, stdout);
    seg_user_attributes(engine, ada, print_attribute, &attributes);
    expect(attributes == 1, "one attribute");
    expect(seg_user_memberships(engine, ada, in, 2) == 2, "two memberships");
    expect(in[0].entered_at_ms == START_MS + 3 * DAY_MS, "since the third day");
    expect(strstr(answer, "did \"Report Exported\" at least 3 times in 7d"
                          "  -- is 3, needs at least 3") != NULL,
           "the explanation says what was counted and what is needed");
    expect(seg_user_find(engine, text("eve")) == NULL, "nobody else is known");
    free(answer);
}

/* ---- 5: to bytes and back -------------------------------------------- */

/* A copy of the record of the one user who changed since he was last written.
 * Besides the user it holds how far the input was read. */
static char *export_user(struct seg_engine *engine, int64_t position,
                         size_t *len)
{
    struct seg_text id, record;

    expect(seg_engine_dirty_count(engine) == 1, "one user is to be written");
    int err = seg_engine_dirty_record(engine, 0, &position, &id, &record);
    expect(err == 0, seg_error_sentence(err));
    expect(id.len == 3 && memcmp(id.bytes, "ada", 3) == 0, "it is ada");
    char *copy = malloc(record.len);
    expect(copy != NULL, "memory");
    memcpy(copy, record.bytes, record.len); /* It borrows from the engine. */
    *len = record.len;
    seg_engine_flushed(engine, 1); /* As soon as it is safely stored. */
    expect(seg_engine_dirty_count(engine) == 0, "nobody is to be written");
    return copy;
}

static void import_user(struct seg_engine *engine, const char *record,
                        size_t len, int64_t clock_ms)
{
    struct seg_error detail = {0};
    size_t count;

    expect(seg_engine_restore_user(engine, record, len, &detail) == 0,
           detail.message);
    /* Here the daemon reads what happened since the record was written. */
    expect(seg_engine_restore_finish(engine, clock_ms, 1000) == 0,
           "fewer than 1000 users");
    seg_engine_outputs(engine, &count);
    expect(count == 0, "a restore finds nothing to change");
}

int main(void)
{
    struct seg_catalogue *catalogue = compile("exporters.seg", segments);
    struct seg_engine *engine = make_engine(catalogue);
    struct seg_engine *other = make_engine(catalogue);
    size_t len;

    run_tests(catalogue);
    printf("catalogue %s\n", seg_catalogue_hash(catalogue));
    apply_all(engine, catalogue);
    take_outputs(engine, catalogue, LINES(entries));
    look_at_ada(engine, catalogue);

    char *record = export_user(engine, MESSAGES, &len);
    printf("ada is %zu bytes\n", len);
    import_user(other, record, len, seg_engine_clock(engine));
    char *here = ask(engine, catalogue, "ada");
    char *there = ask(other, catalogue, "ada");
    expect(strcmp(here, there) == 0, "both engines give the same answers");

    /* Step 3, in both: the clock jumps to day 30; the exits say day 8. */
    int64_t due_ms = seg_engine_next_due(engine);
    expect(due_ms <= START_MS + 8 * DAY_MS, "something is due by day 8");
    expect(seg_engine_advance(engine, START_MS + 30 * DAY_MS, 1000) == 0 &&
               seg_engine_advance(other, START_MS + 30 * DAY_MS, 1000) == 0,
           "fewer than 1000 timers are due");
    take_outputs(engine, catalogue, LINES(exits));
    take_outputs(other, catalogue, LINES(exits));

    free(here);
    free(there);
    free(record);
    seg_engine_free(other);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
    return EXIT_SUCCESS;
}
