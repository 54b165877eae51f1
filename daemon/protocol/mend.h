/* mend.h: a restore that goes on where the daemon's refuses, because people
 * said so (segmentctl reset).
 *
 * It reads what a restore reads, in the same order and by the same lines. Where
 * something is missing it notes what is lost and takes what there is; in the
 * end everybody is dirty, so that one transaction can make the state topic, the
 * committed offsets and the meta record whole: after that the daemon restores
 * as if nothing had been.
 *
 *   MOVE      nothing may be missing; but an input goes on elsewhere. Events in
 *             between are left out; events before are applied once more, and
 *             count once more unless their message ids are remembered.
 *   ACCEPT    what the users' records hold stays. An input that was truncated
 *             is folded from where it begins; one that was made again is read
 *             from its beginning; offsets that are not ours give way to those
 *             of the meta record, from where events are applied again.
 *   REBUILD   what the inputs brought is thrown away and folded again from as
 *             far back as they reach, or from `start` if that is an instant.
 *             What was put out stays true: memberships, numbers and trigger
 *             history are those of the records and of the changes after them;
 *             if the state topic is empty, of all changes still there.
 *
 * In all of them seq goes on and message ids stay unique. Where inputs or
 * outputs are lost, everybody is judged by what is left, and what differs is
 * put out with cause `repair`: entered and exited go on to alternate with what
 * is known. Of changes that are lost nobody knows whom they were about: readers
 * may see a user enter whom they have in the segment already, and everybody's
 * numbers leap over as many as may have been lost (MEND_LEAP where that is not
 * known).
 *
 * Nothing can be done about records of the state topic that cannot be read, or
 * that a newer program wrote: those are refused here, too. */
#ifndef PROTOCOL_MEND_H
#define PROTOCOL_MEND_H

#include <stdint.h>

#include <seg/engine.h>

#include "daemon/protocol/broker.h"
#include "lib/base/buf.h"

#define MEND_LEAP 1000000 /* Numbers, when nobody knows how many were lost. */

enum mend_mode { MEND_MOVE, MEND_ACCEPT, MEND_REBUILD };

struct mend {
    enum mend_mode mode;
    int64_t to[SEG_TOPICS_MAX]; /* MOVE: where inputs go on; -1: as they are. */

    /* What was found. */
    struct buf said;  /* A line each. */
    int found;        /* There is something to mend. */
    int lost;         /* Of inputs or outputs: judge by what is left. */
    uint64_t records; /* So many at most, for good. */
    uint32_t leap[2]; /* Of changes, of triggers. */
    uint64_t odd;     /* Outputs that leave a gap, or cannot be read. */
    int remade[BROKER_OUTPUTS + SEG_TOPICS_MAX]; /* By topic; kept when the
                                                    restore begins again. */
};

/* TO is -1 everywhere. */
void mend_init(struct mend *mend, enum mend_mode mode);
void mend_done(struct mend *mend);

/* Used by restore*.c, whose inside is RESTORE. Functions that return int: 1 to
 * go on, 0 when it is refused all the same. */
struct restore;

/* Whether it takes what there is. */
int mend_takes(const struct restore *restore);

/* Step (1) begins, perhaps again. */
void mend_begin(struct restore *restore);

/* In place of restore_check_committed, _meta, _marks, _after_meta. */
int mend_committed(struct restore *restore);
int mend_meta(struct restore *restore);
int mend_marks(struct restore *restore);
int mend_after_meta(struct restore *restore);

/* REBUILD: where the inputs begin is known (restore->start). */
void mend_start(struct restore *restore);

/* TOPIC is not the one it was. */
void mend_remade(struct restore *restore, int topic);

/* RECORD, an output, cannot be read (ERR < 0), or leaves a gap before it. */
void mend_output(struct restore *restore, const struct broker_record *record,
                 int err);

/* Before step (5). Returns 0 or SEG_ERR_NOMEM: begin again. */
int mend_judge(struct restore *restore);

#endif
