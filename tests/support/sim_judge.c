/* sim_judge.c: comparing a settled run with an engine that was never
 * interrupted.
 *
 *   outputs    per user: seq from 1 without a gap, entered and exited alternate,
 *              `at` never goes back, no message id twice; dead letters: each bad
 *              record once. With `clock records`: exactly the expected list.
 *              With `clock wall`: every change by timer was true at its instant.
 *   state      memberships of the live engine, of one restored from Kafka now,
 *              and of the oracle are the same, and so is what happens to them in
 *              the twenty seconds that follow: by that, forgotten or doubled
 *              events show themselves.
 *   traits     see sim_traits.h.
 *   catalogues changed meanwhile: changes name one and were true by it, a sweep
 *              fires no trigger, all changes together make the memberships there
 *              are. The oracle knows the last catalogue only, from the start: it
 *              is believed once that has been observed for long enough. */
#include "tests/support/sim_judge.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/query.h>

#include "daemon/protocol/record.h"
#include "lib/engine/engine.h"
#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_traits.h"

enum { LIST_MAX = 1024, USER_BYTES = 16, AHEAD_MS = 20000 };

/* A change or trigger, as far as it is compared. */
struct row {
    char user[USER_BYTES];
    int kind, member, cause, catalogue;
    char segment[12];
    uint32_t seq;
    int64_t at_ms;
    char trigger[16];
};

struct list {
    struct row items[LIST_MAX];
    int count;
};

static struct row *add(struct list *list)
{
    assert(list->count < LIST_MAX);
    return memset(&list->items[list->count++], 0, sizeof(struct row));
}

static void copy_text(char *out, size_t size, struct seg_text text)
{
    snprintf(out, size, "%.*s", (int)text.len, text.bytes);
}

static void take_outputs(struct list *list, struct sim_traits *traits,
                         struct seg_engine *engine)
{
    const struct seg_catalogue *catalogue = seg_engine_catalogue(engine);
    struct seg_trigger_info info;
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);

    for (size_t i = 0; i < count; i++) {
        if (sim_traits_take(traits, &outputs[i]))
            continue;
        struct row *item = add(list);
        copy_text(item->user, sizeof(item->user), outputs[i].user_id);
        item->kind = outputs[i].kind;
        copy_text(item->segment, sizeof(item->segment), outputs[i].segment_key);
        item->seq = outputs[i].seq;
        item->at_ms = outputs[i].at_ms;
        if (outputs[i].kind == SEG_OUTPUT_TRIGGER) {
            seg_catalogue_trigger(catalogue, outputs[i].trigger, &info);
            snprintf(item->trigger, sizeof(item->trigger), "%s", info.name);
        } else {
            item->member = outputs[i].member;
        }
    }
    seg_engine_outputs_clear(engine);
}

static int by_user(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int user = strcmp(x->user, y->user);

    if (user)
        return user;
    if (x->kind != y->kind)
        return x->kind - y->kind;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return strcmp(x->segment, y->segment);
}

static void describe(char *out, size_t size, const struct row *item)
{
    if (!item) {
        snprintf(out, size, "nothing");
        return;
    }
    snprintf(out, size, "%s %s%s%s seq %u at %+lld", item->user,
             item->kind == SEG_OUTPUT_TRIGGER ? "trigger "
             : item->member                   ? "+"
                                              : "-",
             item->trigger, item->segment, item->seq,
             (long long)(item->at_ms - WORLD_START_MS));
}

/* Compare two lists; both are sorted. */
static void compare(struct world *w, const char *what, int p, struct list *got,
                    struct list *want)
{
    char a[128], b[128];
    int n = got->count > want->count ? got->count : want->count;

    qsort(got->items, (size_t)got->count, sizeof(struct row), by_user);
    qsort(want->items, (size_t)want->count, sizeof(struct row), by_user);
    for (int i = 0; i < n; i++) {
        const struct row *x = i < got->count ? &got->items[i] : NULL;
        const struct row *y = i < want->count ? &want->items[i] : NULL;
        if (x && y && !memcmp(x, y, sizeof(*x)))
            continue;
        describe(a, sizeof(a), x);
        describe(b, sizeof(b), y);
        world_bad(w, "%s of partition %d, number %d: got %s, want %s", what, p,
                  i, a, b);
        return;
    }
}

/* ---- the oracle --------------------------------------------------------- */

static struct seg_engine *new_engine(const struct world *w)
{
    struct seg_engine_options options = w->ledger.engine;
    const char *topics[SIM_INPUTS_MAX];
    struct seg_engine *engine;

    for (int i = 0; i < w->sim.inputs; i++)
        topics[i] = w->inputs[i].topic;
    options.user_bytes_max = 0;
    options.catalogue = w->ledger.catalogue;
    options.topic_count = w->sim.inputs;
    options.topics = topics;
    options.trigger_max_age_ms = w->ledger.trigger_max_age_ms;
    if (seg_engine_new(&engine, &options))
        abort();
    return engine;
}

static void advance(struct seg_engine *engine, int64_t to_ms)
{
    int more;

    do
        more = seg_engine_advance(engine, to_ms, 1000);
    while (more > 0);
    assert(more == 0);
}

/* The least committed record at or after the positions, by (time, topic). */
static const struct sim_entry *next_entry(const struct world *w, int p,
                                          int64_t *positions, int *input)
{
    const struct sim_entry *least = NULL;

    for (int i = 0; i < w->sim.inputs; i++) {
        const struct sim_log *log = &w->sim.logs[BROKER_INPUT(i)][p];
        const struct sim_entry *entry;
        while (positions[i] < sim_end(log) &&
               (log->entries[positions[i]].is_marker ||
                log->entries[positions[i]].status != SIM_COMMITTED))
            positions[i]++;
        if (positions[i] == sim_end(log))
            continue;
        entry = &log->entries[positions[i]];
        if (!least || entry->timestamp_ms < least->timestamp_ms) {
            least = entry;
            *input = i;
        }
    }
    return least;
}

/* How many committed dead letters are about OFFSET of INPUT; *TOO_LARGE: and
 * say that its user had no room for it. */
static int letters(const struct world *w, int p, int input, int64_t offset,
                   int *too_large)
{
    const struct sim_log *log = &w->sim.logs[BROKER_DEAD_LETTERS][p];
    int count = 0;

    *too_large = 0;
    for (int64_t i = 0; i < sim_end(log); i++) {
        const struct sim_entry *entry = &log->entries[i];
        if (entry->is_marker || entry->status != SIM_COMMITTED ||
            entry->offset != offset ||
            strcmp(entry->topic, w->inputs[input].topic))
            continue;
        count++;
        *too_large |=
            !strcmp(entry->reason, seg_error_name(SEG_ERR_USER_BYTES));
    }
    return count;
}

/* Apply all of P's input to a fresh engine, save what was refused for the size
 * of its user, which has no limit here; what it puts out goes to LIST. */
static struct seg_engine *oracle(struct world *w, int p, struct list *list,
                                 struct sim_traits *traits)
{
    struct seg_engine *engine = new_engine(w);
    struct seg_decoder *decoder;
    int64_t positions[SIM_INPUTS_MAX] = {0};
    const struct sim_entry *entry;
    struct seg_event event;
    int input = 0, err, told, too_large;

    if (seg_decoder_new(&decoder, w->ledger.catalogue))
        abort();
    while ((entry = next_entry(w, p, positions, &input))) {
        struct seg_origin origin = {input, positions[input]++,
                                    entry->timestamp_ms};
        if (entry->timestamp_ms > seg_engine_clock(engine))
            advance(engine, entry->timestamp_ms);
        seg_decoder_reset(decoder);
        err = seg_decode(decoder, entry->value, entry->value_len, &event, NULL);
        told = letters(w, p, input, origin.offset, &too_large);
        w->refused += (uint64_t)too_large;
        if (!err && too_large)
            err = SEG_ERR_USER_BYTES;
        else if (!err)
            err = seg_engine_apply(engine, &event, &origin);
        if (told != (err < 0))
            world_bad(w, "%d dead letters for offset %d of input %d, error %d",
                      told, (int)origin.offset, input, err);
        take_outputs(list, traits, engine);
    }
    seg_decoder_free(decoder);
    return engine;
}

/* ---- the outputs -------------------------------------------------------- */

/* What a restore does not need of a change: its cause, if time or a catalogue
 * made it, and the catalogue that it was decided by. */
static void read_rest(struct world *w, const char *value, struct row *item)
{
    const char *hash = strstr(value, "\"catalogue\":\"");
    int sweep = strstr(value, "\"cause\":\"catalogue\"") ||
                strstr(value, "\"cause\":\"backfill\"");

    if (item->kind != SEG_OUTPUT_CHANGE)
        return;
    item->cause = sweep || strstr(value, "\"cause\":\"timer\"");
    item->catalogue = hash ? sim_catalogue_number(hash + 13) : -1;
    if (item->catalogue < 0)
        world_bad(w, "a change by no catalogue: %s", value);
    if (sweep && !strstr(value, "\"triggers\":[]"))
        world_bad(w, "a sweep has fired a trigger: %s", value);
}

static void read_log(struct world *w, int topic, int p, struct list *list)
{
    const struct sim_log *log = &w->sim.logs[topic][p];
    struct seg_error detail = {0};
    struct record_back back;

    for (int64_t i = log->low; i < sim_end(log); i++) {
        const struct sim_entry *entry = &log->entries[i];
        struct row *item;
        if (entry->is_marker || entry->status != SIM_COMMITTED)
            continue;
        if (record_read(&back, entry->value, entry->value_len, &detail))
            world_bad(w, "%s at %d: %s", broker_topic_name(topic), (int)i,
                      detail.message);
        item = add(list);
        copy_text(item->user, sizeof(item->user), back.restored.user_id);
        item->kind = back.kind;
        copy_text(item->segment, sizeof(item->segment), back.restored.segment);
        item->seq = back.restored.seq;
        item->at_ms = back.restored.at_ms;
        if (back.kind == SEG_OUTPUT_TRIGGER)
            copy_text(item->trigger, sizeof(item->trigger),
                      back.restored.trigger);
        else
            item->member = back.restored.member;
        read_rest(w, entry->value, item);
        record_back_done(&back);
    }
}

/* Sequence, alternation, time: LIST is in the order of its log. */
static void check_order(struct world *w, int p, const struct list *list)
{
    char text[128];

    for (int i = 0; i < list->count && w->sim.logs[0][p].low == 0; i++) {
        const struct row *x = &list->items[i];
        uint32_t seq = 0;
        int64_t at_ms = INT64_MIN;
        int member = 0;
        for (int j = 0; j < i; j++) {
            const struct row *y = &list->items[j];
            if (strcmp(x->user, y->user))
                continue;
            seq = y->seq;
            at_ms = y->at_ms;
            if (!strcmp(x->segment, y->segment))
                member = y->member;
        }
        describe(text, sizeof(text), x);
        if (x->seq != seq + 1)
            world_bad(w, "%s follows seq %u", text, seq);
        if (x->kind == SEG_OUTPUT_CHANGE && x->member == member)
            world_bad(w, "%s does not alternate", text);
        if (x->at_ms < at_ms)
            world_bad(w, "%s goes back in time", text);
    }
}

/* ---- truth, with `clock wall` ------------------------------------------- */

struct bounds {
    int low, high;
};

/* Whether R is in its log for good, and its user had room for it. */
static int counts(const struct world *w, const struct world_record *r)
{
    const struct sim_log *log =
        &w->sim.logs[BROKER_INPUT(r->input)][r->partition];
    int too_large;

    letters(w, r->partition, r->input, r->offset, &too_large);
    return !r->end && !too_large &&
           log->entries[r->offset].status == SIM_COMMITTED;
}

/* How many KIND of the user of ITEM lie in the WINDOW_MS before its instant:
 * at least those that stood in the input by then, at most all there ever are.
 */
static struct bounds seen(const struct world *w, int p, const struct row *item,
                          char kind, int64_t window_ms)
{
    struct bounds b = {0, 0};
    char user[USER_BYTES];

    for (int i = 0; i < w->record_count; i++) {
        const struct world_record *r = &w->records[i], *s;
        const struct sim_entry *entry =
            &w->sim.logs[BROKER_INPUT(r->input)][r->partition]
                 .entries[r->offset];
        int again = 0;
        snprintf(user, sizeof(user), "u%d.%d", r->partition, r->user);
        if (r->partition != p || r->kind != kind || strcmp(user, item->user) ||
            r->time_ms > item->at_ms || item->at_ms - r->time_ms >= window_ms ||
            !counts(w, r))
            continue;
        for (s = w->records; s < r && r->id; s++)
            again |= s->id == r->id && s->user == r->user &&
                     s->partition == p && s->input == r->input && counts(w, s);
        b.high += !again;
        b.low += !again && entry->appended_ms < item->at_ms &&
                 r->timestamp_ms < item->at_ms;
    }
    return b;
}

/* Whether the change ITEM, by timer or by a sweep, cannot have been true. */
static int is_false(const struct world *w, int p, const struct row *item)
{
    const struct sim_truth *truth =
        sim_catalogue_truth(item->catalogue, item->segment);
    int impossible = 0, certain = 1;

    for (int i = 0; truth && i < 2 && truth->terms[i].kind; i++) {
        const struct sim_term *term = &truth->terms[i];
        struct bounds b = seen(w, p, item, term->kind, term->window_ms);
        impossible |= b.high < term->least || b.low > term->most;
        certain &= b.low >= term->least && b.high <= term->most;
    }
    return truth && (item->member ? impossible : certain);
}

static void check_truth(struct world *w, int p, const struct list *list)
{
    char text[128];

    for (int i = 0; i < list->count; i++) {
        const struct row *item = &list->items[i];
        if (!item->cause || !is_false(w, p, item))
            continue;
        describe(text, sizeof(text), item);
        world_bad(w, "%s was not true at its own instant", text);
    }
}

/* ---- state -------------------------------------------------------------- */

static void copy_segment(struct row *item,
                         const struct seg_catalogue *catalogue, int segment)
{
    struct seg_segment_info info = {.key = "retired"};

    if (segment < seg_catalogue_segment_count(catalogue))
        seg_catalogue_segment(catalogue, segment, &info);
    snprintf(item->segment, sizeof(item->segment), "%s", info.key);
}

static void take_memberships(struct seg_engine *engine, int p, int with_times,
                             struct list *list)
{
    struct seg_membership memberships[16];
    struct seg_user_info info;
    char id[USER_BYTES];

    for (int u = 0; u < WORLD_USERS; u++) {
        const struct seg_user *user;
        int count;
        snprintf(id, sizeof(id), "u%d.%d", p, u);
        user = seg_user_find(engine, (struct seg_text){id, strlen(id)});
        if (!user)
            continue;
        seg_user_info(engine, user, &info);
        count = seg_user_memberships(engine, user, memberships, 16);
        for (int i = 0; i < count; i++) {
            struct row *item = add(list);
            snprintf(item->user, sizeof(item->user), "%s", id);
            copy_segment(item, seg_engine_catalogue(engine),
                         memberships[i].segment);
            item->at_ms = with_times ? memberships[i].entered_at_ms : 0;
            item->seq = with_times ? info.seq : 0;
            item->cause = with_times ? (int)info.trigger_seq : 0;
        }
    }
}

static struct seg_engine *live_engine(const struct world *w, int p)
{
    return partition_ledger(w->workers[w->owner[p]].partitions[p])->engine;
}

/* Those of the users' memberships that are left when all CHANGES are added up
 * must be the ones that ENGINE knows. */
static void check_sum(struct world *w, int p, const struct list *changes,
                      struct seg_engine *engine)
{
    static struct list sum, members;

    sum.count = members.count = 0;
    for (int i = 0; i < changes->count; i++) {
        const struct row *x = &changes->items[i];
        int left = x->member;
        for (int j = i + 1; j < changes->count; j++)
            left &= strcmp(x->user, changes->items[j].user) ||
                    strcmp(x->segment, changes->items[j].segment);
        if (!left)
            continue;
        struct row *item = add(&sum);
        memcpy(item->user, x->user, sizeof(item->user));
        memcpy(item->segment, x->segment, sizeof(item->segment));
    }
    take_memberships(engine, p, 0, &members);
    compare(w, "sum of changes", p, &sum, &members);
}

/* Whether all that the catalogue asks for was observed long enough. */
static int is_warm(struct seg_engine *engine)
{
    observed_prune(engine);
    for (uint32_t i = 0; i < engine->plan->feature_count; i++)
        if (engine->observed.warming.epoch_count &&
            engine->observed.warming.of_source[i])
            return 0;
    return 1;
}

/* Whether there are records before some of what is watched: a backfill is to
 * have read them. */
static int hides(const struct seg_engine *engine)
{
    const struct warming *warming = &engine->observed.warming;
    int hidden = 0;

    for (uint32_t i = 0; i < engine->plan->feature_count; i++)
        for (uint32_t t = 0; warming->epoch_count && warming->of_source[i] &&
                             t < engine->topics.count;
             t++)
            hidden |=
                warming->epochs[warming->of_source[i] - 1].positions[t] > 0;
    return hidden;
}

/* What an engine knows and does: memberships at one instant, what happens to
 * them in the time after, and what there is then. */
struct sight {
    struct list members, future, later;
    struct sim_traits traits; /* Put out from now on. */
    int warm, warm_later;
};

/* Drop what differs without being wrong. */
static void strip(struct sight *sight)
{
    struct list *future = &sight->future;
    int kept = 0;

    for (int i = 0; i < future->count; i++) {
        if (future->items[i].kind != SEG_OUTPUT_CHANGE)
            continue;
        future->items[kept] = future->items[i];
        future->items[kept++].seq = 0;
    }
    future->count = kept;
    for (int i = 0; i < sight->members.count; i++) {
        struct row *item = &sight->members.items[i];
        item->at_ms = item->cause = 0;
        item->seq = 0;
    }
}

static void look_ahead(struct seg_engine *engine, int p, int64_t now_ms,
                       struct sight *sight)
{
    static struct list until_now;

    until_now.count = sight->members.count = sight->future.count =
        sight->later.count = sight->traits.count = 0;
    if (now_ms > seg_engine_clock(engine))
        advance(engine, now_ms);
    take_outputs(&until_now, &sight->traits, engine);
    take_memberships(engine, p, 1, &sight->members);
    sight->warm = is_warm(engine);
    for (int64_t ms = 500; ms <= AHEAD_MS; ms += 500) {
        if (now_ms + ms > seg_engine_clock(engine))
            advance(engine, now_ms + ms);
        take_outputs(&sight->future, &sight->traits, engine);
    }
    take_memberships(engine, p, 0, &sight->later);
    sight->warm_later = is_warm(engine);
}

/* The state of P as somebody restores it who comes now. */
static struct ledger *restore_now(struct world *w, int p)
{
    struct sim_client client;
    struct restore *restore;
    struct restore_stats stats;
    struct ledger *ledger;
    enum restore_state state;
    int turns = 0;

    sim_client_init(&client, &w->sim, SIM_CLIENTS_MAX - 1);
    if (ledger_new(&ledger, &w->ledger, p) ||
        restore_new(&restore, &client.broker, ledger))
        abort();
    do
        state = restore_turn(restore, w->sim.now_ms, 3);
    while ((state == RESTORE_BUSY || state == RESTORE_WAITS) &&
           turns++ < 100000);
    restore_stats(restore, &stats);
    if (state != RESTORE_DONE)
        world_bad(w, "a restore now: state %d, step %d, %s", state, stats.step,
                  ledger->broken.message);
    if (stats.repairs)
        world_bad(w, "a restore now: %d repairs", (int)stats.repairs);
    restore_free(restore);
    return ledger;
}

/* What GOT sees of the live engine must be what TRUTH does. What a catalogue
 * that came later has not seen yet, it need not know. */
static void compare_truth(struct world *w, int p, struct sight *got,
                          struct sight *truth)
{
    if (!w->ledger.clock_records || w->deploys) {
        strip(got);
        strip(truth);
    }
    if (got->warm) {
        compare(w, "memberships", p, &got->members, &truth->members);
        compare(w, "future", p, &got->future, &truth->future);
    }
    if (got->warm_later)
        compare(w, "later memberships", p, &got->later, &truth->later);
    w->warmed += w->deploys && got->warm;
}

static void judge_state(struct world *w, int p, struct seg_engine *truth,
                        const struct sim_traits *log)
{
    static struct sight live, again, wanted;
    struct seg_engine *engine = live_engine(w, p);
    struct ledger *restored = restore_now(w, p);
    int64_t now_ms =
        w->ledger.clock_records ? seg_engine_clock(engine) : w->sim.now_ms;

    if (restored->engine) {
        if (w->fills && hides(engine))
            world_bad(w, "partition %d warms though all was read again", p);
        if (!seg_engine_swept(restored->engine))
            world_bad(w, "partition %d: a restore now has to sweep", p);
        look_ahead(engine, p, now_ms, &live);
        look_ahead(restored->engine, p, now_ms, &again);
        look_ahead(truth, p, now_ms, &wanted);
        compare(w, "restored memberships", p, &again.members, &live.members);
        compare(w, "restored future", p, &again.future, &live.future);
        if (again.warm != live.warm)
            world_bad(w, "partition %d: restored %d warm, not %d", p,
                      again.warm, live.warm);
        sim_traits_check_last(w, p, "live", log, &live.traits, engine);
        sim_traits_check_last(w, p, "restored", log, &again.traits,
                              restored->engine);
        if (live.warm_later)
            sim_traits_check_last(w, p, "true", log, &live.traits, truth);
        compare_truth(w, p, &live, &wanted);
    }
    ledger_free(restored);
}

static void judge_partition(struct world *w, int p)
{
    static struct list changes, triggers, want;
    static struct sim_traits traits, wanted;
    struct seg_engine *truth;
    int whole = w->sim.logs[BROKER_CHANGES][p].low == 0;

    changes.count = triggers.count = want.count = 0;
    traits.count = wanted.count = 0;
    truth = oracle(w, p, &want, &wanted);
    sim_traits_read(w, p, &traits);
    sim_traits_check(w, p, &traits);
    if (w->ledger.clock_records && !w->deploys && sim_traits_restores(w) <= 0)
        sim_traits_compare(w, p, &traits, &wanted);
    read_log(w, BROKER_CHANGES, p, &changes);
    read_log(w, BROKER_TRIGGERS, p, &triggers);
    check_order(w, p, &changes);
    check_order(w, p, &triggers);
    if (!w->ledger.clock_records)
        check_truth(w, p, &changes);
    if (whole)
        check_sum(w, p, &changes, live_engine(w, p));
    for (int i = 0; i < changes.count; i++)
        changes.items[i].cause = changes.items[i].catalogue = 0;
    for (int i = 0; i < triggers.count; i++) {
        triggers.items[i].cause = 0;
        *add(&changes) = triggers.items[i];
    }
    if (w->ledger.clock_records && whole && !w->deploys)
        compare(w, "outputs", p, &changes, &want);
    judge_state(w, p, truth, &traits);
    seg_engine_free(truth);
}

void sim_judge(struct world *w)
{
    w->sim.faults = (struct sim_faults){0};
    for (int p = 0; p < w->sim.partitions && !w->bad[0]; p++)
        judge_partition(w, p);
}
