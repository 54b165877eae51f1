/* times_record.c: rows of times in records. */
#include <seg/error.h>

#include "lib/user/times.h"

int64_t times_read_ms(struct reader *reader)
{
    int64_t ms = (int64_t)reader_u64(reader);
    if (ms < -TIMES_MS_MAX || ms > TIMES_MS_MAX)
        reader->failed = 1;
    return reader_failed(reader) ? 0 : ms;
}

void times_write(const struct times *times, struct buf *buf)
{
    int64_t last = 0;
    buf_varint(buf, times->count);
    for (uint32_t i = 0; i < times->count; i++) {
        int64_t time = times_at(times, i);
        if (i)
            buf_varint(buf, (uint64_t)(time - last));
        else
            buf_u64(buf, (uint64_t)time);
        last = time;
    }
}

int times_read_row(struct store *store, struct user **user, uint32_t id,
                   struct reader *reader, struct item *item,
                   struct times *times)
{
    uint64_t count = reader_varint(reader), difference;
    int64_t time = 0;
    *item = user_item(*user, id);
    times_read(*user, item, times);
    if (count > reader_left(reader))
        reader->failed = 1;
    for (uint64_t i = 0; i < count && !reader_failed(reader); i++) {
        difference = i ? reader_varint(reader) : 0;
        if (difference > TIMES_MS_MAX)
            return SEG_ERR_RECORD;
        time = i ? time + (int64_t)difference : times_read_ms(reader);
        if (reader_failed(reader) || time > TIMES_MS_MAX)
            return SEG_ERR_RECORD;
        int ret = times_add(store, user, id, 0, (uint32_t)i, time, item, times);
        if (ret < 0)
            return ret;
    }
    return reader_failed(reader) ? SEG_ERR_RECORD : 0;
}
