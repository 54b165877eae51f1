/* dial.c: see dial.h. */
#include "lib/user/dial.h"

#include <string.h>

#include <seg/engine.h>

#define LONG_AGO   (INT64_MIN / 4) /* As early as that: never. */
#define LOOK_AHEAD 32              /* So many parts, then ask again. */

/* An instant as a time of the period, and which one. */
struct place {
    int64_t phase_ms;
    int64_t cell;
};

static struct place place_of(const struct dial *dial, int64_t time_ms)
{
    int64_t phase_ms = time_ms % dial->period_ms;
    phase_ms += phase_ms < 0 ? dial->period_ms : 0;
    return (struct place){phase_ms, (time_ms - phase_ms) / dial->period_ms};
}

static int64_t instant_of(const struct dial *dial, int64_t cell,
                          int64_t phase_ms)
{
    return cell * dial->period_ms + phase_ms;
}

static struct place part_at(const struct dial *dial, uint32_t i)
{
    int64_t time_ms;
    memcpy(&time_ms, dial->parts + i * DIAL_PART_BYTES, sizeof(time_ms));
    return place_of(dial, time_ms);
}

static void put_part(struct dial *dial, uint32_t i, int64_t cell,
                     int64_t phase_ms)
{
    int64_t time_ms = instant_of(dial, cell, phase_ms);
    memcpy(dial->parts + i * DIAL_PART_BYTES, &time_ms, sizeof(time_ms));
}

static int64_t never_cell(const struct dial *dial)
{
    return LONG_AGO / dial->period_ms;
}

/* The first part that begins at PHASE_MS or later. */
static uint32_t find(const struct dial *dial, int64_t phase_ms)
{
    uint32_t low = 0, high = dial->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (part_at(dial, middle).phase_ms >= phase_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- noting ------------------------------------------------------------- */

/* Parts FROM to below TO give way to COUNT others. Returns 0 if there is no
 * room. */
static int make_room(struct dial *dial, uint32_t from, uint32_t to,
                     uint32_t count)
{
    uint32_t then = dial->count - (to - from) + count;
    if (then > DIAL_MAX)
        return 0;
    memmove(dial->parts + (from + count) * DIAL_PART_BYTES,
            dial->parts + to * DIAL_PART_BYTES,
            (dial->count - to) * DIAL_PART_BYTES);
    dial->count = then;
    return 1;
}

/* From PHASE_MS to END_MS of CELL. */
static int note_in_cell(struct dial *dial, int64_t cell, int64_t phase_ms,
                        int64_t end_ms)
{
    uint32_t from = find(dial, phase_ms), to = find(dial, end_ms);
    int64_t behind = part_at(dial, to - 1).cell;
    int ends = end_ms < dial->period_ms; /* Something follows. */
    if (to < dial->count && part_at(dial, to).phase_ms == end_ms) {
        ends = 0;
        to += part_at(dial, to).cell == cell;
    }
    ends = ends && behind != cell;
    int begins = !from || part_at(dial, from - 1).cell != cell;
    if (!make_room(dial, from, to, (uint32_t)(begins + ends)))
        return 0;
    if (begins)
        put_part(dial, from++, cell, phase_ms);
    if (ends)
        put_part(dial, from, behind, end_ms);
    return 1;
}

int dial_note(struct dial *dial, int64_t start_ms, int64_t end_ms)
{
    if (!dial->count)
        put_part(dial, dial->count++, never_cell(dial), 0);
    if (start_ms < end_ms - dial->period_ms)
        start_ms = end_ms - dial->period_ms;
    while (start_ms < end_ms) {
        struct place place = place_of(dial, start_ms);
        int64_t left_ms = dial->period_ms - place.phase_ms;
        int64_t len_ms =
            left_ms < end_ms - start_ms ? left_ms : end_ms - start_ms;
        if (!note_in_cell(dial, place.cell, place.phase_ms,
                          place.phase_ms + len_ms))
            return 0;
        start_ms += len_ms;
    }
    return 1;
}

void dial_forget(struct dial *dial, int64_t periods, int64_t now_ms)
{
    int64_t gone = place_of(dial, now_ms).cell - periods, last = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < dial->count; i++) {
        struct place part = part_at(dial, i);
        if (part.cell <= gone)
            part.cell = never_cell(dial);
        if (kept && part.cell == last)
            continue;
        last = part.cell;
        put_part(dial, kept++, part.cell, part.phase_ms);
    }
    dial->count = kept == 1 && last == never_cell(dial) ? 0 : kept;
}

/* ---- asking ------------------------------------------------------------- */

/* All parts say yes, at each time to come of a round: when the first one does
 * no more. */
static int64_t first_end(const struct dial *dial, int64_t periods)
{
    int64_t first_ms = SEG_NEVER;
    for (uint32_t i = 0; i < dial->count; i++) {
        struct place part = part_at(dial, i);
        int64_t end_ms = instant_of(dial, part.cell + periods, part.phase_ms);
        if (end_ms < first_ms)
            first_ms = end_ms;
    }
    return first_ms;
}

int dial_ask(const struct dial *dial, int64_t periods, int64_t now_ms,
             int64_t *next_ms)
{
    struct place now = place_of(dial, now_ms);
    *next_ms = SEG_NEVER;
    if (!dial->count)
        return 0;
    uint32_t i = find(dial, now.phase_ms + 1) - 1, looked = 0;
    int is = part_at(dial, i).cell > now.cell - periods;
    int64_t cell = now.cell;
    for (; looked < dial->count && looked < LOOK_AHEAD; looked++) {
        i++;
        if (i == dial->count) {
            i = 0;
            cell++;
        }
        struct place part = part_at(dial, i);
        *next_ms = instant_of(dial, cell, part.phase_ms);
        if (is != (part.cell > cell - periods))
            return is;
    }
    if (looked == dial->count)
        *next_ms = is ? first_end(dial, periods) : SEG_NEVER;
    return is;
}
