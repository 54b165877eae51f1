/* bad.h: how many of the last records of an input were bad.
 *
 * If more than half of the last 1000 are, the input pauses with an alarm rather
 * than draining into the dead letters. A plain value; it is kept in the meta
 * record, so that a restart does not forget it. */
#ifndef PROTOCOL_BAD_H
#define PROTOCOL_BAD_H

#include <stdint.h>

#define BAD_WINDOW 1000
#define BAD_WORDS  ((BAD_WINDOW + 63) / 64)

struct bad {
    uint64_t bits[BAD_WORDS]; /* A ring, 1 = bad. */
    uint16_t next;            /* Where the next record goes. */
    uint16_t count;           /* Records seen, at most BAD_WINDOW. */
    uint16_t bad;             /* Bits set. */
};

/* Note one more record. */
void bad_note(struct bad *bad, int is_bad);

/* Whether the input must pause. */
static inline int bad_alarm(const struct bad *bad)
{
    return bad->bad > BAD_WINDOW / 2;
}

/* The INDEX-th of the `count` records, 0 = oldest. */
int bad_at(const struct bad *bad, int index);

#endif
