/* sim_traits.c: see sim_traits.h. */
#include "tests/support/sim_traits.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <seg/query.h>

#include "lib/base/buf.h"
#include "lib/base/instant.h"

static struct sim_told *add(struct sim_traits *traits)
{
    assert(traits->count < TRAITS_MAX);
    return memset(&traits->items[traits->count++], 0, sizeof(struct sim_told));
}

static void add_trait(void *arg, const struct seg_trait *trait)
{
    struct buf *buf = arg;
    buf_str(buf, buf->len > 1 ? "," : "");
    buf_json_text(buf, trait->name);
    buf_char(buf, ':');
    if (trait->value.type == SEG_MISSING)
        buf_str(buf, "null");
    else
        buf_json_value(buf, &trait->value);
}

static void begin(struct buf *buf)
{
    buf_init(buf);
    buf_char(buf, '{');
}

static void end(struct buf *buf, char text[96])
{
    buf_char(buf, '}');
    snprintf(text, 96, "%s", buf_string(buf));
    buf_done(buf);
}

int sim_traits_take(struct sim_traits *traits, const struct seg_output *output)
{
    struct sim_told *told;
    struct buf buf;

    if (output->kind != SEG_OUTPUT_TRAITS)
        return 0;
    told = add(traits);
    snprintf(told->user, sizeof(told->user), "%.*s", (int)output->user_id.len,
             output->user_id.bytes);
    told->at_ms = output->at_ms;
    begin(&buf);
    for (uint32_t i = 0; i < output->trait_count; i++)
        add_trait(&buf, &output->traits[i]);
    end(&buf, told->text);
    return 1;
}

/* What stands in VALUE from behind NAME up to STOP, with it if WHOLE. */
static struct seg_text part(const char *value, const char *name, char stop,
                            int whole)
{
    const char *at = strstr(value, name);
    const char *to = at ? strchr(at + strlen(name), stop) : NULL;

    if (!to)
        return (struct seg_text){"", 0};
    at += strlen(name);
    return (struct seg_text){at, (size_t)(to - at) + (size_t)whole};
}

void sim_traits_read(struct world *w, int p, struct sim_traits *traits)
{
    const struct sim_log *log = &w->sim.logs[BROKER_TRAITS][p];
    char value[1024];

    for (int64_t i = log->low; i < sim_end(log); i++) {
        const struct sim_entry *entry = &log->entries[i];
        if (entry->is_marker || entry->status != SIM_COMMITTED)
            continue;
        snprintf(value, sizeof(value), "%.*s", (int)entry->value_len,
                 entry->value);
        struct seg_text user = part(value, "\"userId\":\"", '"', 0);
        struct seg_text at = part(value, "\"timestamp\":\"", '"', 0);
        struct seg_text text = part(value, "\"traits\":", '}', 1);
        struct sim_told *told = add(traits);
        snprintf(told->user, sizeof(told->user), "%.*s", (int)user.len,
                 user.bytes);
        snprintf(told->text, sizeof(told->text), "%.*s", (int)text.len,
                 text.bytes);
        if (!user.len || !text.len || instant_parse(at, &told->at_ms) < 0)
            world_bad(w, "traits of partition %d at %d: %s", p, (int)i, value);
    }
}

/* The one of USER before the END-th of TRAITS; NULL. */
static const struct sim_told *before(const struct sim_traits *traits, int last,
                                     const char *user)
{
    while (last--)
        if (!strcmp(traits->items[last].user, user))
            return &traits->items[last];
    return NULL;
}

int sim_traits_restores(const struct world *w)
{
    int restores = (int)w->restores - w->sim.partitions;

    for (int i = 0; i < w->worker_count; i++)
        for (int p = 0; p < w->sim.partitions; p++) {
            struct partition_stats stats = {0};
            if (w->workers[i].partitions[p])
                partition_stats(w->workers[i].partitions[p], &stats);
            restores += (int)stats.restores;
        }
    return restores;
}

void sim_traits_check(struct world *w, int p, const struct sim_traits *log)
{
    int excused = sim_traits_restores(w), early = 0;

    for (int i = 0; i < log->count; i++) {
        const struct sim_told *x = &log->items[i];
        const struct sim_told *y = before(log, i, x->user);
        /* With some timers of an instant to fire the clock is the one before. */
        if (y && x->at_ms < y->at_ms - (excused > 0))
            world_bad(w, "traits of %s in partition %d go back by %lld ms",
                      x->user, p, (long long)(y->at_ms - x->at_ms));
        early +=
            y && (x->at_ms - y->at_ms < w->ledger.engine.trait_interval_ms ||
                  !strcmp(x->text, y->text));
        if (early > excused * WORLD_USERS)
            world_bad(w, "traits of %s in partition %d at %+lld: %s, too early",
                      x->user, p, (long long)(x->at_ms - WORLD_START_MS),
                      x->text);
    }
    w->traits += (uint64_t)log->count;
}

/* Whether TEXT says nothing of a user: all is 0 or null. */
static int is_empty(const char *text)
{
    for (const char *at = text; (at = strchr(at, ':')); at++)
        if (at[1] != 'n' && at[1] != '0')
            return 0;
    return 1;
}

void sim_traits_check_last(struct world *w, int p, const char *what,
                           const struct sim_traits *log,
                           const struct sim_traits *future,
                           const struct seg_engine *engine)
{
    char user[16], text[96];

    for (int u = 0; u < WORLD_USERS; u++) {
        snprintf(user, sizeof(user), "u%d.%d", p, u);
        const struct seg_user *of =
            seg_user_find(engine, (struct seg_text){user, strlen(user)});
        const struct sim_told *last = before(future, future->count, user);
        struct buf buf;
        if (!last)
            last = before(log, log->count, user);
        if (!of)
            continue;
        begin(&buf);
        seg_user_traits(engine, of, add_trait, &buf);
        end(&buf, text);
        /* {} is said and forgotten; nor is it known, when there are no traits
         * any more, what was said after the last flush. */
        if (!strcmp(text, "{}"))
            continue;
        if (last && strcmp(last->text, "{}") ? strcmp(last->text, text)
                                             : !is_empty(text))
            world_bad(w, "%s traits of %s are %s; published was %s", what, user,
                      text, last ? last->text : "nothing");
    }
}

void sim_traits_compare(struct world *w, int p, const struct sim_traits *log,
                        const struct sim_traits *want)
{
    for (int i = 0; i < log->count || i < want->count; i++) {
        const struct sim_told *x = i < log->count ? &log->items[i] : NULL;
        const struct sim_told *y = i < want->count ? &want->items[i] : NULL;
        if (x && y && !memcmp(x, y, sizeof(*x)))
            continue;
        world_bad(w,
                  "traits of partition %d, number %d: got %s %+lld %s, want "
                  "%s %+lld %s",
                  p, i, x ? x->user : "nothing",
                  x ? (long long)(x->at_ms - WORLD_START_MS) : 0,
                  x ? x->text : "", y ? y->user : "nothing",
                  y ? (long long)(y->at_ms - WORLD_START_MS) : 0,
                  y ? y->text : "");
        return;
    }
    w->traits_exact += (uint64_t)want->count;
}
