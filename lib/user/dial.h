/* dial.h: when something was so last, by the time of the period.
 *
 * A dial is a clock face on which a period goes round once, a day say, and the
 * periods are numbered. It says of each time of the period in which of them it
 * was so last, at that time:
 *
 *     time of the day   0        8   9              20          24
 *                       [ never  )[17)[    never    )[    12     )
 *
 * it was so on day 17 from 8 to 9, on day 12 from 20 on: since then not at
 * these times, and at others not that is known. Whoever asks about the last K
 * periods at some time needs no more, and finds it by one search. What is noted
 * later covers what was there, so that a dial has as many parts as there are
 * different answers, however long ago it began.
 *
 * A part is an instant: where in its period it begins, and which one it is. The
 * parts stand in the order of the first, and one begins at 0. No parts: never
 * at all. */
#ifndef USER_DIAL_H
#define USER_DIAL_H

#include <stdint.h>

#define DIAL_MAX        1024 /* Parts. */
#define DIAL_PART_BYTES 8u

struct dial {
    int64_t period_ms;
    uint32_t count;
    uint8_t *parts; /* At any address; to note, with room for DIAL_MAX. */
};

/* It was so from START_MS to before END_MS, which is later; later than all that
 * was noted before, or the same. Returns 0 if there is no room. */
int dial_note(struct dial *dial, int64_t start_ms, int64_t end_ms);

/* Forget what is PERIODS ago or more at NOW_MS. */
void dial_forget(struct dial *dial, int64_t periods, int64_t now_ms);

/* Whether it was so at the time of NOW_MS in one of the last PERIODS, that of
 * NOW_MS included. *NEXT_MS gets when that changes, or a lower bound. */
int dial_ask(const struct dial *dial, int64_t periods, int64_t now_ms,
             int64_t *next_ms);

#endif
