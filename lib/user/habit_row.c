/* habit_row.c: see habit_row.h. */
#include "lib/user/habit_row.h"

#include <string.h>

#define EMPTY       0x20u /* TIMES_OWNERS. */
#define PARTS       0x40u
#define COUNT_BYTES 2u
#define TOO_MANY    UINT16_MAX /* Instead of how many: none is tried again. */

/* ROW's item, which ends with a dial, gets to end before it. */
static void set_apart(struct habit_row *row)
{
    struct item *item = &row->row.item;
    uint16_t count;
    item->len -= COUNT_BYTES;
    memcpy(&count, item->bytes + item->len, sizeof(count));
    row->given_up = count == TOO_MANY;
    row->dial.count = row->given_up ? 0 : count;
    item->len -= row->dial.count * DIAL_PART_BYTES;
    row->dial.parts = item->bytes + item->len;
}

void habit_row_find(const struct user *user, const struct feature *feature,
                    struct habit_row *row)
{
    struct item *item = &row->row.item;
    *item = user_item(user, feature->item);
    row->has_dial = row->given_up = 0;
    row->dial.count = 0;
    row->dial.period_ms = feature->of.habit->period_ms;
    if (item->bytes && !item->coarse && (item->bytes[0] & TIMES_MANY)) {
        if (item->bytes[0] & PARTS)
            set_apart(row);
        row->has_dial = item->bytes[0] & TIMES_OWNERS && !row->given_up;
    }
    row_read(user, &row->row);
}

uint32_t habit_row_after(const struct row *row, int64_t time_ms, uint32_t end)
{
    uint32_t low = 0, high = end, step = 1;
    while (high >= step && row_time(row, high - step) > time_ms) {
        high -= step;
        step *= 2;
    }
    if (high >= step)
        low = high - step + 1;
    return row_search(row, time_ms, low, high);
}

void habit_row_take(struct store *store, struct user **user,
                    const struct feature *feature, struct habit_row *row,
                    struct habit_room *room)
{
    uint32_t bytes = row->dial.count * DIAL_PART_BYTES;
    struct item *item = &row->row.item;
    if (bytes || row->given_up) {
        uint32_t len = item->len;
        memcpy(room->parts, row->dial.parts, bytes);
        item->len += bytes + COUNT_BYTES;
        user_resize(store, user, feature->item, len, item);
        row_read(*user, &row->row);
    }
    if (row->has_dial || row->given_up)
        item->bytes[0] &= (uint8_t)~TIMES_OWNERS;
    row->dial.parts = room->parts;
}

/* ---- making it ---------------------------------------------------------- */

/* What the event at entry J, behind those before it, says of block 0: since the
 * last `low` before it were a period old there were too few, until it came;
 * with the last `high` before it there are too many, until those are a period
 * old. Returns 0 if there is no room. */
static int note(struct habit_row *row, const struct feature_habit *habit,
                uint32_t j)
{
    const struct times *times = &row->row.times;
    int64_t time_ms = times_at(times, j);
    if (habit->low && j >= habit->low) {
        int64_t start_ms =
            times_at(times, j - (uint32_t)habit->low) + habit->period_ms;
        if (start_ms < time_ms && !dial_note(&row->dial, start_ms, time_ms))
            return 0;
    }
    if (j >= habit->high) {
        int64_t end_ms =
            times_at(times, j - (uint32_t)habit->high) + habit->period_ms;
        if (time_ms < end_ms && !dial_note(&row->dial, time_ms, end_ms))
            return 0;
    }
    return 1;
}

/* Note entries FROM and all behind it. What a dial says shall not take much more
 * than the row itself. */
static void note_from(struct habit_row *row, const struct feature_habit *habit,
                      uint32_t from, int64_t now_ms)
{
    uint32_t most = row->row.count < DIAL_MAX ? row->row.count : DIAL_MAX;
    for (uint32_t j = from; j < row->row.count; j++) {
        int noted = note(row, habit, j);
        if (noted && row->dial.count <= most)
            continue;
        dial_forget(&row->dial, habit->periods, now_ms);
        row->given_up =
            row->dial.count > most || (!noted && !note(row, habit, j));
        if (row->given_up)
            break;
    }
    row->has_dial = !row->given_up;
    if (row->given_up)
        row->dial.count = 0;
}

static void put(struct store *store, struct user **user,
                const struct feature *feature, struct habit_row *row)
{
    uint32_t bytes = row->dial.count * DIAL_PART_BYTES;
    struct item *item = &row->row.item;
    uint32_t len = item->len;
    uint16_t count = row->given_up ? TOO_MANY : (uint16_t)row->dial.count;
    if (!count) {
        item->bytes[0] |= EMPTY;
        return;
    }
    int ret = user_resize(store, user, feature->item, len + bytes + COUNT_BYTES,
                          item);
    if (ret < 0) {
        row->has_dial = row->given_up = 0;
    } else {
        memcpy(item->bytes + len, row->dial.parts, bytes);
        memcpy(item->bytes + len + bytes, &count, sizeof(count));
        item->bytes[0] |= PARTS;
        item->len = len;
        row->dial.parts = item->bytes + len;
    }
    row_read(*user, &row->row);
}

void habit_row_put(struct store *store, struct user **user,
                   const struct feature *feature, struct habit_row *row,
                   int in_order, int64_t now_ms)
{
    const struct feature_habit *habit = feature->of.habit;
    uint32_t count = row->row.count;
    if (row->row.item.coarse || count < HABIT_DIAL_FROM) {
        row->has_dial = row->given_up = 0;
        return;
    }
    if (row->has_dial && in_order) {
        note_from(row, habit, count - 1, now_ms);
    } else if (!row->given_up || !in_order) {
        row->dial.count = 0;
        note_from(row, habit, 0, now_ms);
    }
    put(store, user, feature, row);
}

void habit_row_make(struct store *store, struct user **user,
                    const struct feature *feature, struct habit_row *row)
{
    struct habit_room room;
    uint32_t count = row->row.count;
    row->has_dial = row->given_up = 0;
    row->dial = (struct dial){feature->of.habit->period_ms, 0, room.parts};
    habit_row_put(store, user, feature, row, 0,
                  count ? row_time(&row->row, count - 1) : 0);
}
