/* small_world.h: a catalogue with one of everything, and what some users did.
 *
 * For tests of engines and their users' records: every kind of feature, window
 * and attribute, triggers with and without cooldowns, include and exclude, one
 * segment that asks for another. After the last message ("ada" and five more
 * from two topics, with duplicates, late ones and one of the future) every
 * section of ada's record has something in it. */
#ifndef TESTS_SUPPORT_SMALL_WORLD_H
#define TESTS_SUPPORT_SMALL_WORLD_H

#include <seg/seg.h>

#include "lib/base/buf.h"
#include "lib/base/instant.h"
#include "lib/user/user.h"

#define SMALL_WORLD_START_MS INT64_C(1704067200000) /* 2024-01-01 */
#define HOUR_MS              (DAY_MS / 24)

extern const char small_world_text[];

/* Catalogue of TEXT, which must compile. */
struct seg_catalogue *small_world_compile(const char *text);
struct seg_catalogue *small_world_catalogue(void);

/* Options of an engine of CATALOGUE with the topics "app" and "web". */
struct seg_engine_options
small_world_options(const struct seg_catalogue *catalogue);
struct seg_engine *small_world_engine(const struct seg_catalogue *catalogue);

/* One message: when it arrived, in hours after the start; from which topic. */
struct small_step {
    double hours;
    int topic;
    const char *json;
};

extern const struct small_step small_world_steps[];
extern const int small_world_step_count;

/* Where the clock stands when STEP is applied: at its record, save for the last
 * ones, which come from the future. */
int64_t small_world_clock(const struct small_step *step);

/* Apply one message, at OFFSET of its topic, having advanced the clock to it.
 * Returns what seg_engine_advance or seg_engine_apply did. */
int small_world_apply(struct seg_engine *engine, struct seg_decoder *decoder,
                      const struct small_step *step, int64_t offset);

/* Apply them all. Nothing may fail. */
void small_world_run(struct seg_engine *engine,
                     const struct seg_catalogue *catalogue);

/* Apply JSON, one message of topic 0, which must succeed. */
void small_world_send(struct seg_engine *engine,
                      const struct seg_catalogue *catalogue, double hours,
                      const char *json, int64_t offset);

/* The user ID of ENGINE, as the library sees him; NULL: not known. */
const struct user *small_world_user(const struct seg_engine *engine,
                                    const char *id);

/* Append USER's record to BUF, both positions 1000. */
void small_world_record(struct seg_engine *engine, const struct user *user,
                        struct buf *buf);

/* Write RECORD as file NAME into the folder that the environment's RECORDS
 * names, if it does: a seed of fuzz_user_record. */
void small_world_keep(const struct buf *record, const char *name);

/* The traits of OUTPUT, which is one of them, appended to BUF: "=a 1 b null". */
void small_world_traits(const struct seg_output *output, struct buf *buf);

/* What happened, one line an output, appended to BUF: "48.0 ada +key cause". */
void small_world_outputs(const struct seg_engine *engine,
                         const struct seg_catalogue *catalogue,
                         struct buf *buf);

#endif
