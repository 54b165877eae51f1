/* plan_events.c: who is where by the old catalogue, and by the new one.
 *
 * Two engines read the same file side by side, as `segmentctl replay` would:
 * what differs in the end is what the new catalogue changes in the long run.
 * Then a third one takes the old one's place, as in a running segmentd: what
 * differs at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/arrival.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/plan.h"

#define WORK_PER_STEP  10000 /* Bounds the outputs held at a time. */
#define USERS_PER_STEP 10000

static const char *const topics[] = {"events"};

struct side {
    const struct seg_catalogue *catalogue;
    struct seg_engine *engine;
    struct seg_decoder *decoder;
    int *rows; /* By segment of the catalogue: its place in the plan. */
};

struct running {
    struct plan *plan;
    struct side old, new;
    int64_t clock_ms; /* Latest arrival. */
};

static int new_engine(struct seg_engine **ret,
                      const struct seg_catalogue *catalogue, int64_t clock_ms)
{
    const struct seg_engine_options options = {.catalogue = catalogue,
                                               .topic_count = 1,
                                               .topics = topics,
                                               .clock_ms = clock_ms};
    return seg_engine_new(ret, &options);
}

static int side_init(struct side *side, const struct plan *plan,
                     const struct seg_catalogue *catalogue)
{
    int count = seg_catalogue_segment_count(catalogue);
    side->catalogue = catalogue;
    side->rows = calloc((size_t)count + 1, sizeof(*side->rows));
    if (!side->rows)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < count; i++) {
        struct seg_segment_info info;
        seg_catalogue_segment(catalogue, i, &info);
        side->rows[i] = plan_find_segment(plan, info.key);
    }
    int ret = seg_decoder_new(&side->decoder, catalogue);
    return ret < 0 ? ret : new_engine(&side->engine, catalogue, 0);
}

static void side_done(struct side *side)
{
    seg_engine_free(side->engine);
    seg_decoder_free(side->decoder);
    free(side->rows);
}

/* ---- both read the file -------------------------------------------------- */

static int advance(struct side *side, int64_t to_ms)
{
    int more = 1;
    while (more > 0) {
        more = seg_engine_advance(side->engine, to_ms, WORK_PER_STEP);
        seg_engine_outputs_clear(side->engine);
    }
    return more;
}

/* LINE, number OFFSET, by one of them. A message is bad for both or for none. */
static int apply(struct running *run, struct side *side, struct seg_text line,
                 int64_t offset)
{
    struct seg_event event;
    int got = seg_decode(side->decoder, line.bytes, line.len, &event, NULL);
    if (got >= 0) {
        struct seg_origin origin = {
            .offset = offset,
            .timestamp_ms = arrival_of(&event, line, run->clock_ms)};
        int64_t clock_ms = origin.timestamp_ms > run->clock_ms
                               ? origin.timestamp_ms
                               : run->clock_ms;
        got = advance(side, clock_ms);
        if (got >= 0)
            got = seg_engine_apply(side->engine, &event, &origin);
        seg_engine_outputs_clear(side->engine);
        if (side == &run->new)
            run->clock_ms = clock_ms;
    }
    seg_decoder_reset(side->decoder);
    return got;
}

static int read_lines(struct running *run, FILE *in)
{
    struct plan_users *users = &run->plan->users;
    char *line = NULL;
    size_t cap = 0;
    int got = 0;
    for (ssize_t len;
         got != SEG_ERR_NOMEM && (len = getline(&line, &cap, in)) > 0;) {
        len -= line[len - 1] == '\n';
        struct seg_text text = {line, (size_t)len};
        got = apply(run, &run->old, text, users->messages);
        if (got != SEG_ERR_NOMEM)
            got = apply(run, &run->new, text, users->messages);
        users->messages++;
        users->bad += got < 0;
    }
    free(line);
    if (users->until_ms != SEG_NEVER && users->until_ms > run->clock_ms)
        run->clock_ms = users->until_ms;
    if (got != SEG_ERR_NOMEM)
        got = advance(&run->old, run->clock_ms);
    return got < 0 ? got : advance(&run->new, run->clock_ms);
}

/* ---- in the long run ----------------------------------------------------- */

struct comparing {
    struct running *run;
    struct seg_membership *members; /* Room for those of one user. */
    int64_t *seen;                  /* By row: the last user who was in. */
    int max;
    int64_t user; /* From 1. */
};

static int compare_user(void *arg, const struct seg_user *user)
{
    struct comparing *at = arg;
    struct running *run = at->run;
    struct seg_user_info info;
    seg_user_info(run->new.engine, user, &info);
    const struct seg_user *old = seg_user_find(run->old.engine, info.id);
    int count =
        old ? seg_user_memberships(run->old.engine, old, at->members, at->max)
            : 0;
    at->user++;
    for (int i = 0; i < count; i++) {
        int row = run->old.rows[at->members[i].segment];
        at->seen[row] = at->user;
        run->plan->segments[row].before++;
        run->plan->segments[row].leave++;
    }
    count = seg_user_memberships(run->new.engine, user, at->members, at->max);
    for (int i = 0; i < count; i++) {
        int row = run->new.rows[at->members[i].segment];
        struct plan_segment *segment = &run->plan->segments[row];
        segment->after++;
        segment->enter += at->seen[row] != at->user;
        segment->leave -= at->seen[row] == at->user;
    }
    return 0;
}

static int compare_users(struct running *run)
{
    size_t count = (size_t)run->plan->segment_count + 1;
    struct comparing at = {.run = run,
                           .members = calloc(count, sizeof(*at.members)),
                           .seen = calloc(count, sizeof(*at.seen)),
                           .max = run->plan->segment_count};
    int ret = at.members && at.seen ? 0 : SEG_ERR_NOMEM;
    uint64_t cursor = 0;
    while (ret == 0 && seg_engine_users(run->new.engine, &cursor,
                                        USERS_PER_STEP, compare_user, &at))
        ;
    run->plan->users.users = at.user;
    for (int i = 0; i < run->plan->segment_count; i++) {
        struct plan_segment *of = &run->plan->segments[i];
        if (plan_is_turned(of)) {
            of->enter = of->was_shadow ? of->after : 0;
            of->leave = of->is_shadow ? of->before : 0;
        }
    }
    free(at.members);
    free(at.seen);
    return ret;
}

/* ---- at once ------------------------------------------------------------- */

static void count_outputs(struct running *run, struct seg_engine *engine)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    for (size_t i = 0; i < count; i++) {
        int row = plan_find_changed(run->plan, &outputs[i]);
        if (row < 0)
            continue;
        run->plan->segments[row].enter_at_once += outputs[i].member;
        run->plan->segments[row].leave_at_once += !outputs[i].member;
    }
    seg_engine_outputs_clear(engine);
}

static int take_over(struct running *run)
{
    const int64_t positions[] = {run->plan->users.messages};
    struct seg_engine *engine = NULL;
    int more = new_engine(&engine, run->new.catalogue,
                          seg_engine_clock(run->old.engine));
    if (more == 0)
        more = 1;
    while (more > 0)
        more =
            seg_engine_adopt(engine, run->old.engine, positions, WORK_PER_STEP);
    if (more == 0)
        more = 1;
    while (more > 0) {
        more = seg_engine_sweep(engine, WORK_PER_STEP);
        count_outputs(run, engine);
    }
    seg_engine_free(engine);
    return more;
}

int plan_run_events(struct plan *plan)
{
    const char *path = plan->users.path;
    struct running run = {.plan = plan};
    FILE *in = strcmp(path, "-") ? fopen(path, "r") : stdin;
    if (!in)
        return ctl_fail("%s: cannot be read", path);
    int ret = side_init(&run.old, plan, plan->old_catalogue);
    if (ret == 0)
        ret = side_init(&run.new, plan, plan->new_catalogue);
    if (ret == 0)
        ret = read_lines(&run, in);
    if (ret >= 0)
        ret = compare_users(&run);
    if (ret == 0 && strcmp(seg_catalogue_hash(plan->old_catalogue),
                           seg_catalogue_hash(plan->new_catalogue)) != 0)
        ret = take_over(&run);
    plan->users.clock_ms = run.clock_ms;
    side_done(&run.old);
    side_done(&run.new);
    int bad = ferror(in);
    if (in != stdin)
        fclose(in);
    if (ret < 0)
        return ctl_fail("%s", seg_error_sentence(ret));
    return bad ? ctl_fail("%s: cannot be read", path) : CTL_GOOD;
}
