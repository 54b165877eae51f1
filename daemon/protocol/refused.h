/* refused.h: events that were refused because their user had become too large.
 *
 * Whether an event fits depends on all that the user had at that moment, his
 * memberships included, which a restore does not bring back step by step. So it
 * does not judge again: what was refused once, by a dead letter committed with
 * the event's offset, is passed over in the redo. Every other reason for a dead
 * letter is a matter of the bytes alone and is found again. */
#ifndef PROTOCOL_REFUSED_H
#define PROTOCOL_REFUSED_H

#include <stdint.h>

#include <seg/event.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/ledger.h"

struct refused {
    struct refused_input {
        int64_t *offsets; /* Ascending. */
        uint32_t count, cap;
        uint32_t next; /* Those before it are passed. */
    } inputs[SEG_TOPICS_MAX];
};

void refused_reset(struct refused *refused);

/* Note what LETTER, a record of the dead letters, tells. Letters about other
 * things are nothing to us. Returns 0 or SEG_ERR_NOMEM. */
int refused_note(struct refused *refused, const struct ledger_options *options,
                 const struct broker_record *letter);

/* Whether the event at OFFSET of INPUT was refused; offsets ascend from call to
 * call. */
int refused_has(struct refused *refused, int input, int64_t offset);

#endif
