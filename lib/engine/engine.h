/* engine.h: the insides of an engine, shared by the files of lib/engine.
 *
 *   apply.c    a message -> updates -> features, attributes
 *   touch.c    all or nothing
 *   judge.c    candidates -> memberships -> changes, triggers
 *   advance.c  timers                    publish.c   traits
 *   dirty.c    what must be written      snapshot.h  how it is written
 *   restore.c  reading it back           query.c, explain.c  looking at it
 *   observed.h the catalogues before     adopt.c  from one to the next
 *   carry.c    what was kept for them    forget.c what of it is stale
 *   backfill.c what the past still holds
 *
 * An operation on a user runs within a *touch*: touch_begin saves the block and
 * remembers the outputs, so that running out of memory or of the user's limit
 * half way leaves everything as it was (touch_fail). Segments that may have
 * changed are gathered in `candidates` by rank; judging takes them out in that
 * order, and puts in those that refer to a segment that did change. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <seg/engine.h>
#include <seg/query.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/timers.h"
#include "lib/engine/observed.h"
#include "lib/engine/ranks.h"
#include "lib/segment/catalogue.h"
#include "lib/segment/eval.h"
#include "lib/user/attribute.h"
#include "lib/user/changes.h"
#include "lib/user/update.h"
#include "lib/user/user.h"

#define ENGINE_NO_TOPIC UINT8_MAX

/* What a record says beside its user: a position for each of so many TOPICS,
 * then its epoch, then its version. */
#define ENGINE_ROW(topics) ((topics) + 2)

struct dirty_user {
    uint32_t user; /* Index. */
    uint32_t generation;
};

struct seg_engine {
    struct seg_engine_options options;
    const struct plan *plan;
    struct intern topics; /* Number = index. */
    uint64_t topic_hash[SEG_TOPICS_MAX];
    struct store store;
    struct timers timers;
    int64_t clock_ms;
    int64_t wall_ms;         /* SEG_NEVER: the clock stands for it. */
    uint32_t *segment_sizes; /* Retired ones (observed.h) follow. */
    struct observed observed;
    struct ranks candidates;
    struct eval_memo memo;
    struct seg_engine_stats stats;

    struct seg_output *outputs;
    size_t output_count, output_cap;
    struct arena output_arena; /* Their texts and evidence. */
    struct arena scratch;      /* Of one operation. */

    struct gathering {   /* Of the event under way: what sequences are told. */
        uint32_t *roles; /* By feature; 0 between events. */
        uint32_t *touched; /* Features with roles. */
        uint32_t count;
    } gathering;

    struct publishing { /* publish.c. */
        int moved;      /* An event of the touch was folded into a trait. */
        int held;       /* Users are moved or restored: what is owed to them is
                           found by the sweep. */
    } publishing;

    struct buf content; /* Of one feature in a record; of all traits. */

    struct dirty_user *dirty; /* A ring, oldest at dirty_head. */
    uint32_t dirty_head, dirty_count, dirty_cap;
    uint64_t generation;
    struct buf record; /* Of seg_engine_dirty_record. */

    struct saved { /* Of the touch under way. */
        void *block;
        size_t cap;
        size_t used;
        size_t outputs;
        int timer_moved;
        int64_t due_ms; /* Of his timer before it was moved. */
    } saved;

    struct filling {     /* Of a backfill: in both engines. */
        int shadow;      /* This is the one that reads the past. */
        uint8_t *wanted; /* By source: it is read again; NULL: no backfill. */
        int64_t starts[SEG_TOPICS_MAX];
        int64_t since_ms;
        uint32_t next;       /* Users of the shadow who have had their turn. */
        uint64_t generation; /* Of the last who became dirty by it. */
    } filling;

    struct restoring { /* Until restore is finished. */
        int active;
        uint32_t next;          /* Users judged so far. */
        uint32_t *positions_of; /* By user: index into positions; 0: none. */
        size_t positions_of_cap;
        int gaps;           /* What is read back may leave some. */
        int unjudged;       /* Nobody is judged. */
        int64_t clock_ms;   /* The latest record that was read again. */
        int64_t *positions; /* Rows of ENGINE_ROW. */
        size_t positions_count, positions_cap;
    } restoring;
};

/* Where what happens comes from. */
struct cause {
    enum seg_cause cause;
    struct seg_text source_topic; /* bytes = NULL: a timer. */
    int64_t source_offset;
    struct seg_text message_id;
};

static inline struct view engine_view(struct seg_engine *engine,
                                      const struct user *user, int64_t now_ms)
{
    const struct warming *warming = &engine->observed.warming;
    return (struct view){engine->plan,
                         user,
                         now_ms,
                         &engine->scratch,
                         &engine->stats.type_mismatches,
                         NULL,
                         warming->epoch_count ? warming : NULL};
}

/* The instant at which USER is judged: per user `at` never decreases. */
static inline int64_t engine_now(const struct seg_engine *engine,
                                 const struct user *user)
{
    int64_t last_ms = changes_last(user);
    return last_ms > engine->clock_ms ? last_ms : engine->clock_ms;
}

/* ---- touch.c ------------------------------------------------------------ */

void touch_begin(struct seg_engine *engine, const struct user *user);

/* What is measured and tested in a touch may put lists and folded texts into
 * the scratch arena. Where there is no memory for them nothing says so, and
 * what was found is not to be believed: SEG_ERR_NOMEM then, else 0. */
static inline int scratch_error(const struct seg_engine *engine)
{
    return arena_failed(&engine->scratch) ? SEG_ERR_NOMEM : 0;
}

/* Put *USER and the outputs back as they were. */
void touch_fail(struct seg_engine *engine, struct user **user);

/* ---- apply.c ------------------------------------------------------------ */

/* Let UPDATE happen to *USER at NOW_MS, the instant at which he is judged then;
 * segments that it may change become candidates. *NEXT_MS gets when a feature's
 * measure may change by time alone. Returns 0, SEG_ERR_USER_BYTES or
 * SEG_ERR_NOMEM. */
int update_apply(struct seg_engine *engine, struct user **user,
                 const struct update *update, int64_t now_ms, int64_t *next_ms);

/* The user of EVENT, made if he is not known yet (then *BORN is 1). */
int engine_user(struct seg_engine *engine, const struct seg_event *event,
                const struct seg_origin *origin, struct user **user, int *born);

/* Whether EVENT is, at NOW_MS, one that USER sent before. */
int engine_is_duplicate(const struct seg_engine *engine,
                        const struct user *user, const struct seg_event *event,
                        const struct seg_origin *origin, int64_t now_ms);

/* USER was made by what failed: he is the last one, and goes. */
void engine_forget_newborn(struct seg_engine *engine, struct user *user);

/* Fold EVENT into *USER. JUDGED is 0 in a restore: nothing becomes a
 * candidate. */
int engine_fold(struct seg_engine *engine, struct user **user,
                const struct seg_event *event, const struct seg_origin *origin,
                int judged);

/* ---- judge.c ------------------------------------------------------------ */

void candidates_add(struct seg_engine *engine,
                    const struct number_list *segments);

/* Those that a count of source SOURCE of USER, going from BEFORE to AFTER,
 * concerns. */
void candidates_add_crossed(struct seg_engine *engine, const struct user *user,
                            uint32_t source, uint64_t before, uint64_t after);

/* All segments that a user may be in of whom nothing else is known. */
void candidates_add_born(struct seg_engine *engine, const struct user *user);

/* All segments that a user put together from pieces may be in, or is in. */
void candidates_add_all_of(struct seg_engine *engine, const struct user *user);

/* A new output about USER; NULL: no memory. Texts that the last output has too
 * are shared with it. */
struct seg_output *output_add(struct seg_engine *engine,
                              const struct user *user, int64_t now_ms,
                              const struct cause *cause);

/* The last output, which could not be made, is no output; it must not be undone
 * either. Returns ERROR. */
int output_drop(struct seg_engine *engine, int error);

/* End the memberships of *USER in segments that are retired. */
int judge_retired(struct seg_engine *engine, struct user **user, int64_t now_ms,
                  const struct cause *cause);

/* Judge the candidates for *USER at NOW_MS and emit what changes. */
int judge(struct seg_engine *engine, struct user **user, int64_t now_ms,
          const struct cause *cause);

/* ---- publish.c ---------------------------------------------------------- */

/* Publish the traits of *USER at NOW_MS, if that is owed and not too early.
 * Returns 0 or SEG_ERR_NOMEM, SEG_ERR_USER_BYTES. */
int publish(struct seg_engine *engine, struct user **user, int64_t now_ms,
            const struct cause *cause);

/* The same after an event that was folded into a trait; if it is too early a
 * timer is set. */
int publish_moved(struct seg_engine *engine, struct user **user,
                  const struct cause *cause);

/* What was published last of *USER, of whom an event was read again that was
 * folded into a trait, is not known. Returns as publish. */
int publish_doubt(struct seg_engine *engine, struct user **user);

/* The same of *USER, who is restored, if by NOW_MS time has changed something, if
 * something is owed, or if he is in DOUBT: another catalogue may have said
 * something else. */
int publish_restored(struct seg_engine *engine, struct user **user,
                     int64_t now_ms, int doubt);

/* The first instant after NOW_MS at which traits of USER are to be published
 * though no measure changes then; SEG_NEVER. */
int64_t publish_next(struct seg_engine *engine, const struct user *user,
                     int64_t now_ms);

/* ---- advance.c ---------------------------------------------------------- */

/* The first instant after NOW_MS at which something of USER may change. */
int64_t user_next_due(struct seg_engine *engine, const struct user *user,
                      int64_t now_ms);

/* Let parked updates due by NOW_MS happen. Returns how many, or an error. */
int user_unpark(struct seg_engine *engine, struct user **user, int64_t now_ms);

/* When the timer of USER is due; SEG_NEVER. */
int64_t timer_at(const struct seg_engine *engine, const struct user *user);

/* Set the timer of USER to AT_MS; SEG_NEVER clears it. */
void timer_set(struct seg_engine *engine, const struct user *user,
               int64_t at_ms);

/* Set the timer of USER to where it must be, NOW_MS being over. Returns 0 or
 * SEG_ERR_NOMEM. */
int timer_renew(struct seg_engine *engine, const struct user *user,
                int64_t now_ms);

/* Set the timer of USER to the earlier of what it is and AT_MS. */
void timer_lower(struct seg_engine *engine, const struct user *user,
                 int64_t at_ms);

/* ---- dirty.c ------------------------------------------------------------ */

/* Make room for one more dirty user, so that dirty_mark cannot fail. */
int dirty_reserve(struct seg_engine *engine);
void dirty_mark(struct seg_engine *engine, struct user *user);

/* ---- snapshot_encode.c, snapshot_decode.c ------------------------------- */

/* Append the record of USER to BUF. */
void snapshot_encode(struct seg_engine *engine, const struct user *user,
                     const int64_t *positions, struct buf *buf);

/* Read RECORD into a user of ENGINE, replacing what was known of him; his
 * row (ENGINE_ROW) into ROW. */
int snapshot_decode(struct seg_engine *engine, struct seg_text record,
                    struct user **user, int64_t *row, struct seg_error *detail);

/* The state of feature ID, ITEM of USER, alone; and back into *USER, who has no
 * such item. Both engines have the same catalogue and topics. */
void snapshot_feature_encode(struct seg_engine *engine, const struct user *user,
                             uint32_t id, const struct item *item,
                             struct buf *buf);
int snapshot_feature_decode(struct seg_engine *engine, struct user **user,
                            struct seg_text bytes);

/* ---- carry.c ------------------------------------------------------------ */

/* The attribute of PATH; PLAN_NONE. */
uint32_t carry_find(const struct plan *plan, const struct path *path);

/* SPARE, attribute EXACT of the catalogue (PLAN_NONE: none), all of a top-level
 * name if WHOLE, stood in a record: let *USER have what the catalogue reads
 * under that name; a spare attribute if it reads nothing. */
int carry_attribute(struct seg_engine *engine, struct user **user,
                    uint32_t exact, int whole, struct spare *spare);

/* UPDATE, of an attribute all of a top-level name if WHOLE, was parked in a
 * record: park what this catalogue may want of it. */
int carry_parked(struct seg_engine *engine, struct user **user,
                 const struct update *update, int account, int whole);

/* UPDATE is not parked any more: let happen what this catalogue wants of it. */
int carry_update(struct seg_engine *engine, struct user **user,
                 struct update *update, int64_t now_ms);

/* ---- restore.c ---------------------------------------------------------- */

/* Add BY to the sizes of all segments that USER is in. */
void count_members(struct seg_engine *engine, const struct user *user, int by);

#endif
