/* history.h: one case: segment files and what happens to an engine. */
#ifndef MODEL_HISTORY_H
#define MODEL_HISTORY_H

#include "tests/model/catalogue_edit.h"
#include "tests/model/catalogue_gen.h"
#include "tests/model/world.h"

enum step_kind {
    STEP_MESSAGE, /* A record arrives: the clock goes to clock_ms, then it. */
    STEP_ADVANCE, /* The clock goes to clock_ms. */
    STEP_FLUSH,   /* The oldest `variant` dirty users are written. */
    STEP_EXPORT,  /* A new engine from the records of all users. */
    STEP_REDO,    /* A new engine from what was flushed, changes and redo. */
    STEP_CHANGE,  /* Another catalogue; by variant while the engine was down. */
    STEP_SWEEP,   /* The next `variant` users are swept. */
    STEP_BACKFILL, /* All is swept, and what was not read before is read. */
};

struct step {
    enum step_kind kind;
    int topic;
    int64_t offset;
    int64_t record_ms; /* Of MESSAGE. */
    int64_t clock_ms;
    int64_t wall_ms;  /* SEG_NEVER: the clock stands for it. */
    int catalogue;    /* Of CHANGE. */
    uint32_t variant; /* Random bits: how the driver does it. */
    char *text;       /* Of MESSAGE; owned. */
};

enum history_kind {
    HISTORY_MIXED,
    HISTORY_DEDUPE, /* Many message ids again, also 24 h later. */
    HISTORY_ORDER,  /* No more than 24 h late, no ids: any order will do. */
    HISTORY_DENSE,  /* More events in a window than the engine keeps exactly. */
    HISTORY_LARGE,  /* As many, but counted exactly. */
    HISTORY_CROWD,  /* Hundreds of users. */
    HISTORY_WIDE,   /* Dozens of segments. */
    HISTORY_TIGHT,  /* Users that may not grow large. */
    HISTORY_LATE,   /* Sequences, and events more than 24 h late. */
    HISTORY_KINDS_,
};

#define HISTORY_CATALOGUES_MAX 4
#define STEP_WHILE_DOWN        0x1000 /* In the variant of CHANGE. */

struct history {
    uint64_t seed;
    enum history_kind kind;
    int topic_count;
    int64_t trigger_max_age_ms;
    uint32_t user_bytes_max; /* 0: the engine's default. */
    char *lists;             /* In each catalogue. */
    char *later;             /* In each but the first. */
    int catalogue_count;
    struct catalogue_text catalogues[HISTORY_CATALOGUES_MAX];
    int step_count;
    size_t step_cap;
    struct step *steps;
};

/* The case of SEED. */
void history_init(struct history *history, uint64_t seed);
void history_done(struct history *history);

/* A deep copy, and one without the steps [FROM, TO). */
void history_copy(struct history *out, const struct history *from);
void history_cut(struct history *history, int from, int to);
void history_cut_segment(struct history *history, int catalogue, int index);

/* Catalogue INDEX as one text, in OUT. */
void history_catalogue(const struct history *history, int index,
                       struct buf *out);

/* For people: the files and the steps, to stderr. */
void history_print(const struct history *history);

#endif
