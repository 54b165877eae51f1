/* replay.c: segmentctl replay.
 *
 * The file is partition 0 of an input topic called like the file, a line is a
 * record, its number less one the offset. The daemon does the same with what it
 * reads from Kafka under `clock records`: advance to the record, apply it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <seg/seg.h>

#include "daemon/base/clock.h"
#include "daemon/base/version.h"
#include "daemon/ctl/arrival.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"
#include "daemon/ctl/progress.h"
#include "daemon/protocol/record.h"
#include "lib/base/instant.h"

#define TIMERS_PER_STEP  10000        /* Bounds the outputs held at a time. */
#define LINES_PER_LOOK   1024         /* Between two looks at the clock. */
#define OUT_BYTES        (256 * 1024) /* Of standard output's buffer. */
#define PATHS_MAX        64           /* --segments. */
#define ERRORS_OF_EVENTS (SEG_ERR_END_ - SEG_ERR_FIRST_)

struct options {
    char *segments[PATHS_MAX];
    int segment_count;
    const char *app;
    int traits;       /* Are written, too. */
    int64_t until_ms; /* SEG_NEVER: not given. */
    const char *path;
    const char *name; /* Of the file, without its folder. */
};

struct replay {
    const struct options *options;
    const struct seg_catalogue *catalogue;
    struct seg_engine *engine;
    struct seg_decoder *decoder;
    struct record_names names;
    struct record record;
    struct progress progress;
    FILE *in;
    int64_t clock_ms; /* Latest arrival. */
    int64_t lines, bytes, bad;
    int64_t bad_by_error[ERRORS_OF_EVENTS];
    int64_t began_us;
};

/* ---- the run ----------------------------------------------------------- */

static int write_outputs(struct replay *replay)
{
    size_t count;
    const struct seg_output *out = seg_engine_outputs(replay->engine, &count);
    for (size_t i = 0; i < count; i++) {
        if (out[i].shadow ||
            (out[i].kind == SEG_OUTPUT_TRAITS && !replay->options->traits))
            continue;
        int got = record_output(&replay->record, &replay->names, &out[i]);
        if (got < 0)
            return got;
        fwrite(replay->record.bytes.bytes, 1, replay->record.value_len, stdout);
        putchar('\n');
    }
    seg_engine_outputs_clear(replay->engine);
    return 0;
}

static int advance(struct replay *replay, int64_t to_ms)
{
    int more = 1;
    while (more > 0) {
        more = seg_engine_advance(replay->engine, to_ms, TIMERS_PER_STEP);
        int got = more < 0 ? more : write_outputs(replay);
        if (got < 0)
            return got;
    }
    return 0;
}

/* Count the line that was read last among the bad ones. */
static void bad_line(struct replay *replay, int error,
                     const struct seg_error *detail)
{
    replay->bad++;
    replay->bad_by_error[error - SEG_ERR_FIRST_]++;
    progress_clear(&replay->progress);
    fprintf(stderr, "%s:%" PRId64 ": %s: %s\n", replay->options->name,
            replay->lines, seg_error_name(error),
            *detail->message ? detail->message : seg_error_sentence(error));
}

/* One line. Returns 0, bad or not, or SEG_ERR_NOMEM. */
static int apply(struct replay *replay, struct seg_text line)
{
    struct seg_event event;
    struct seg_error detail = {0};
    int got =
        seg_decode(replay->decoder, line.bytes, line.len, &event, &detail);
    if (got >= 0) {
        struct seg_origin origin = {
            .offset = replay->lines - 1,
            .timestamp_ms = arrival_of(&event, line, replay->clock_ms),
        };
        if (origin.timestamp_ms > replay->clock_ms)
            replay->clock_ms = origin.timestamp_ms;
        got = advance(replay, replay->clock_ms);
        if (got >= 0)
            got = seg_engine_apply(replay->engine, &event, &origin);
        if (got >= 0)
            got = write_outputs(replay);
    }
    seg_decoder_reset(replay->decoder);
    if (got >= 0 || got == SEG_ERR_NOMEM)
        return got < 0 ? got : 0;
    bad_line(replay, got, &detail);
    return 0;
}

static double rate(const struct replay *replay, int64_t now_us)
{
    double seconds = (double)(now_us - replay->began_us) / 1e6;
    return seconds > 0 ? (double)replay->lines / seconds : 0;
}

/* All lines, then the time up to --until. */
static int run(struct replay *replay)
{
    char *line = NULL;
    size_t cap = 0;
    int got = 0;
    for (ssize_t len;
         got >= 0 && (len = getline(&line, &cap, replay->in)) > 0;) {
        replay->lines++;
        replay->bytes += len;
        len -= line[len - 1] == '\n';
        got = apply(replay, (struct seg_text){line, (size_t)len});
        if (replay->lines % LINES_PER_LOOK)
            continue;
        int64_t now_us = clock_monotonic_us();
        progress_show(&replay->progress, now_us, replay->bytes, replay->lines,
                      rate(replay, now_us));
    }
    free(line);
    progress_clear(&replay->progress);
    if (got >= 0 && replay->options->until_ms != SEG_NEVER)
        got = advance(replay, replay->options->until_ms);
    if (got < 0)
        return ctl_fail("%s", seg_error_sentence(got));
    if (ferror(replay->in))
        return ctl_fail("%s: cannot be read", replay->options->path);
    return CTL_GOOD;
}

/* ---- what came of it --------------------------------------------------- */

static void print_bad(const struct replay *replay)
{
    fprintf(stderr, "bad messages: %" PRId64 "\n", replay->bad);
    for (int i = 0; i < ERRORS_OF_EVENTS; i++)
        if (replay->bad_by_error[i])
            fprintf(stderr, "  %8" PRId64 "  %s\n", replay->bad_by_error[i],
                    seg_error_name(SEG_ERR_FIRST_ + i));
}

static void print_sizes(const struct replay *replay)
{
    fputs("members of each segment:\n", stderr);
    for (int i = 0; i < seg_catalogue_segment_count(replay->catalogue); i++) {
        struct seg_segment_info info;
        seg_catalogue_segment(replay->catalogue, i, &info);
        fprintf(stderr, "  %8" PRIu32 "  %s\n",
                seg_engine_segment_size(replay->engine, i), info.key);
    }
}

static void print_summary(const struct replay *replay)
{
    int64_t now_us = clock_monotonic_us();
    struct seg_engine_stats stats;
    char clock[25];
    seg_engine_stats(replay->engine, &stats);
    instant_string(clock, seg_engine_clock(replay->engine));
    fprintf(stderr, "%s: %" PRId64 " message%s in %.2f s, %.0f/s\n",
            replay->options->name, replay->lines, replay->lines == 1 ? "" : "s",
            (double)(now_us - replay->began_us) / 1e6, rate(replay, now_us));
    fprintf(stderr, "clock: %s\n", clock);
    fprintf(stderr, "users: %" PRIu32 ", in %.1f MiB\n",
            seg_engine_user_count(replay->engine),
            (double)seg_engine_bytes(replay->engine) / (1 << 20));
    fprintf(stderr,
            "changes: %" PRIu64 " entered, %" PRIu64 " exited; %" PRIu64
            " timer%s fired\n",
            stats.entered, stats.exited, stats.timers,
            stats.timers == 1 ? "" : "s");
    fprintf(stderr, "triggers: %" PRIu64 ", %" PRIu64 " in their cooldown\n",
            stats.triggers, stats.triggers_cooling);
    fprintf(stderr, "traits: %" PRIu64 " times of a user\n", stats.traits);
    fprintf(stderr,
            "duplicates: %" PRIu64 ", late: %" PRIu64 ", dated ahead: %" PRIu64
            ", without a readable time: %" PRIu64 "\n",
            stats.duplicates, stats.late_events, stats.future_events,
            stats.time_missing);
    print_bad(replay);
    print_sizes(replay);
}

/* ---- set up ------------------------------------------------------------ */

static int replay_file(struct replay *replay)
{
    struct stat file;
    int64_t size = 0;
    int got = seg_decoder_new(&replay->decoder, replay->catalogue);
    if (got >= 0)
        got = seg_engine_new(&replay->engine,
                             &(struct seg_engine_options){
                                 .catalogue = replay->catalogue,
                                 .topic_count = 1,
                                 .topics = &replay->options->name,
                             });
    if (got < 0)
        return ctl_fail("%s", seg_error_sentence(got));
    if (!fstat(fileno(replay->in), &file) && S_ISREG(file.st_mode))
        size = file.st_size;
    progress_init(&replay->progress, size);
    replay->began_us = clock_monotonic_us();
    int status = run(replay);
    if (status == CTL_GOOD)
        print_summary(replay);
    return status;
}

/* With standard input or the file open. */
static int replay(const struct options *options, FILE *in)
{
    struct segment_files files;
    struct seg_catalogue *catalogue = NULL;
    int status = files_read(&files, options->segments, options->segment_count);
    if (status == CTL_GOOD)
        status = files_compile(&catalogue, &files);
    if (status == CTL_GOOD) {
        struct replay it = {
            .options = options,
            .catalogue = catalogue,
            .names = {.app = options->app,
                      .version = SEGMENTD_VERSION,
                      .catalogue = catalogue,
                      .trigger_max_age_ms = 5 * 60 * 1000},
            .in = in,
        };
        record_init(&it.record);
        status = replay_file(&it);
        record_done(&it.record);
        seg_engine_free(it.engine);
        seg_decoder_free(it.decoder);
    }
    seg_catalogue_free(catalogue);
    segment_files_done(&files);
    return status;
}

static int read_option(struct options *options, int option)
{
    if (option == 's' && options->segment_count == PATHS_MAX)
        return ctl_usage("replay", "--segments: at most %d times", PATHS_MAX);
    if (option == 's')
        options->segments[options->segment_count++] = optarg;
    if (option == 'a')
        options->app = optarg;
    if (option == 'i') {
        options->traits = 1;
        return CTL_GOOD;
    }
    struct seg_text text = {optarg, strlen(optarg)};
    if (option == 'u' && instant_parse(text, &options->until_ms) < 0)
        return ctl_usage("replay",
                         "--until: %s is no instant such as "
                         "2026-01-31T12:00Z",
                         optarg);
    return CTL_GOOD;
}

int ctl_replay(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"segments", required_argument, NULL, 's'},
        {"until", required_argument, NULL, 'u'},
        {"app", required_argument, NULL, 'a'},
        {"traits", no_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.app = "segmentd", .until_ms = SEG_NEVER};
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;)
        if (option == '?' || read_option(&options, option) != CTL_GOOD)
            return CTL_USAGE;
    if (!options.segment_count)
        return ctl_usage("replay", "which --segments?");
    if (argc - optind != 1)
        return ctl_usage("replay", "one file of events, or -");
    options.path = argv[optind];
    int standard = !strcmp(options.path, "-");
    const char *slash = strrchr(options.path, '/');
    options.name = standard ? "stdin" : slash ? slash + 1 : options.path;
    FILE *in = standard ? stdin : fopen(options.path, "r");
    if (!in)
        return ctl_fail("%s: cannot be read", options.path);
    clock_open();
    setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
    int status = replay(&options, in);
    if (!standard)
        fclose(in);
    return status;
}
