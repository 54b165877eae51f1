/* adopt.c: from one catalogue to the next.
 *
 * A running partition changes its catalogue in two strides. Its users *move*
 * into an engine of the new one, each written as a record and read back: what
 * the new catalogue reads by the same text comes along, the rest is left or
 * begins anew (observed.h). That takes some microseconds a user, in slices
 * during which nothing is applied. Nobody is judged: memberships stay as they
 * are.
 *
 *     old engine ── record, user by user ──> new engine ── sweep ──> changes
 *
 * The *sweep* then judges everybody, also those whom no event touches, in
 * slices between which life goes on: an event or a timer may come first and
 * finds the same truth. Judging is idempotent, so a sweep that was cut short by
 * a crash simply begins again. Both go by index; users who are born meanwhile
 * are judged when they are born, and again here, which changes nothing.
 *
 * Indexes stay the same, and with them the queue of dirty users. */
#include <stdlib.h>
#include <string.h>

#include "lib/engine/engine.h"
#include "lib/user/member.h"
#include "lib/user/published.h"

/* ---- moving ------------------------------------------------------------- */

static int move_user(struct seg_engine *engine, struct seg_engine *from,
                     uint32_t index)
{
    static const int64_t positions[SEG_TOPICS_MAX];
    const struct user *old = store_user(&from->store, index);
    struct buf *record = &engine->observed.record;
    int64_t row[ENGINE_ROW(SEG_TOPICS_MAX)];
    struct user *user;
    buf_reset(record);
    snapshot_encode(from, old, positions, record);
    if (buf_failed(record))
        return SEG_ERR_NOMEM;
    int ret =
        snapshot_decode(engine, (struct seg_text){record->bytes, record->len},
                        &user, row, NULL);
    /* A record may doubt what was published (snapshot_encode.c): we know. */
    const struct published published = published_read(old);
    if (ret < 0 || published_write(&engine->store, &user, &published) < 0)
        return SEG_ERR_NOMEM;
    return observed_forget(engine, &user, from->observed.epoch);
}

static int begin_move(struct seg_engine *engine, struct seg_engine *from,
                      const int64_t *positions)
{
    struct seg_text record;
    int ret = seg_engine_catalogue_record(from, &record);
    if (ret == 0)
        ret = observed_continue(engine, record, positions, NULL);
    engine->wall_ms = from->wall_ms;
    observed_note(&engine->observed, from->observed.latest_ms);
    return ret < 0 ? SEG_ERR_NOMEM : 0;
}

static int settle_moved(struct seg_engine *engine, struct user *user)
{
    arena_reset(&engine->scratch);
    count_members(engine, user, 1);
    engine->publishing.held = 1;
    int ret = timer_renew(engine, user, engine_now(engine, user));
    engine->publishing.held = 0;
    return ret;
}

/* Who is dirty is known only in the end: until then FROM's users are flushed.
 */
static void take_dirty(struct seg_engine *engine, struct seg_engine *from)
{
    engine->dirty = from->dirty;
    engine->dirty_head = from->dirty_head;
    engine->dirty_count = from->dirty_count;
    engine->dirty_cap = from->dirty_cap;
    engine->generation = from->generation;
    for (uint32_t i = 0; i < engine->dirty_count; i++) {
        uint32_t at = (engine->dirty_head + i) & (engine->dirty_cap - 1);
        store_at(&engine->store, engine->dirty[at].user)->flags |= USER_DIRTY;
    }
    from->dirty = NULL;
    from->dirty_count = from->dirty_cap = 0;
}

/* First all users are moved: since when the new catalogue watches is known only
 * then, as is when their timers are due. */
int seg_engine_adopt(struct seg_engine *engine, struct seg_engine *from,
                     const int64_t *positions, int work_max)
{
    struct observed *observed = &engine->observed;
    uint32_t next = engine->store.user_count, count = from->store.user_count;
    int ret = next ? 0 : begin_move(engine, from, positions), work = 0;
    for (; ret == 0 && next < count; work++) {
        if (work == work_max)
            return 1;
        ret = move_user(engine, from, next++);
    }
    if (ret == 0 && !observed->swept_users)
        ret = observed_settle(engine);
    for (; ret == 0 && observed->swept_users < count; work++) {
        if (work == work_max)
            return 1;
        ret = settle_moved(engine,
                           store_user(&engine->store, observed->swept_users++));
    }
    if (ret < 0)
        return ret;
    observed->swept_users = 0;
    engine->stats = from->stats;
    take_dirty(engine, from);
    return 0;
}

/* ---- the sweep ---------------------------------------------------------- */

static int judge_swept(struct seg_engine *engine, struct user **user)
{
    const struct cause cause = {.cause = engine->observed.backfilled
                                             ? SEG_CAUSE_BACKFILL
                                             : SEG_CAUSE_CATALOGUE};
    int64_t now_ms = engine_now(engine, *user);
    int ret = judge_retired(engine, user, now_ms, &cause);
    candidates_add_all_of(engine, *user);
    if (ret == 0)
        ret = judge(engine, user, now_ms, &cause);
    if (ret == 0)
        ret = publish(engine, user, now_ms, &cause);
    return ret < 0 ? ret : timer_renew(engine, *user, now_ms);
}

static int sweep_user(struct seg_engine *engine, uint32_t index)
{
    struct user *user = store_user(&engine->store, index);
    size_t outputs = engine->output_count;
    int ret = dirty_reserve(engine);
    touch_begin(engine, user);
    if (ret < 0 || !engine->saved.used)
        return SEG_ERR_NOMEM;
    ret = judge_swept(engine, &user);
    if (ret < 0)
        touch_fail(engine, &user);
    else if (engine->output_count > outputs)
        dirty_mark(engine, user);
    return ret;
}

int seg_engine_sweep(struct seg_engine *engine, int work_max)
{
    struct observed *observed = &engine->observed;
    for (int work = 0; !observed->swept; work++) {
        if (observed->swept_users >= engine->store.user_count) {
            observed->swept = 1;
            observed->retired_count = 0;
            break;
        }
        if (work == work_max)
            return 1;
        int ret = sweep_user(engine, observed->swept_users);
        if (ret < 0)
            return ret;
        observed->swept_users++;
    }
    return 0;
}

int seg_engine_swept(const struct seg_engine *engine)
{
    return engine->observed.swept;
}

int64_t seg_engine_latest(const struct seg_engine *engine)
{
    return engine->observed.latest_ms;
}

int seg_engine_catalogue_record(struct seg_engine *engine,
                                struct seg_text *record)
{
    struct buf *buf = &engine->observed.record;
    buf_reset(buf);
    observed_encode(engine, buf);
    *record = (struct seg_text){buf->bytes, buf->len};
    return buf_failed(buf) ? SEG_ERR_NOMEM : 0;
}
