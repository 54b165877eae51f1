/* world.h: the small world of one case: its words, values and unit of time.
 *
 * Catalogue and history draw from the same few words, and all durations and
 * gaps are small multiples of one unit: so conditions hold often enough, and
 * edges of windows fall on arrivals as often as beside them. */
#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

#include <jansson.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "tests/model/random.h"

#define WORLD_TOPICS_MAX 3

enum world_kind {
    WORLD_TEXT,
    WORLD_NUMBER,
    WORLD_BOOL,
    WORLD_TIME,
    WORLD_LIST,
    WORLD_VERSION,
    WORLD_ITEMS, /* A list of objects. */
    WORLD_KINDS_,
};

/* Where a value stands, and of which kind it mostly is. */
struct world_path {
    const char *text;     /* As in a segment file. */
    const char *names[3]; /* The same, split; without its root. */
    enum world_kind kind;
};

enum world_root {
    WORLD_PROPERTIES,
    WORLD_CONTEXT,
    WORLD_EVENT,
    WORLD_USER,
    WORLD_ACCOUNT,
    WORLD_ROOTS_,
};

struct world {
    struct random random;
    int64_t unit_ms;  /* Durations and gaps are multiples of it. */
    int64_t start_ms; /* Of the history. */
    int64_t now_ms;   /* Of the message being made. */
    int shift;        /* Which part of each pool this case uses. */
    int odd_percent;  /* How often a value is of another kind. */
    int long_percent; /* How often a text is a long one. */
    int punctual;     /* No event is more than 24 h behind the clock: sequences
                     may be asked for. */
    int shadows; /* Segments may be shadows: no engine is replaced by one that
                    cannot know what was not published. */
    int many;    /* A user may have more events than a count of values is exact
                 for. */
    int user_count, topic_count;
    int64_t dates_ms[4]; /* Some that catalogue and messages share. */
};

/* Draw the world of a case. */
void world_init(struct world *world, uint64_t seed);

const char *world_topic(int index); /* Sorted by name. */
const char *world_user(int index);  /* Static buffer of the last call. */
const char *world_event(struct world *world);

/* Paths of ROOT, and how many. */
const struct world_path *world_paths(enum world_root root, int *count);

/* A value of KIND. A time lies around AROUND_MS. New reference. */
json_t *world_value(struct world *world, enum world_kind kind,
                    int64_t around_ms);

/* One that is of KIND mostly. */
json_t *world_odd_value(struct world *world, enum world_kind kind,
                        int64_t around_ms);

/* A random duration: 1 to MOST units, rarely 1 ms more or less. */
int64_t world_duration(struct world *world, int most);

/* A random instant: some units beside AROUND_MS, or one of dates_ms, rarely 1
 * ms more or less. */
int64_t world_instant(struct world *world, int64_t around_ms);

/* MS as a message may spell it. New reference. */
json_t *world_time_json(struct world *world, int64_t ms);

/* A glob, mostly one that fits a text of this world. */
const char *world_glob(struct world *world);
const char *world_regex(struct world *world); /* See naive_regex.c. */

#endif
