/* naive_time.c: instants in messages (seg(5), times as values), by the C
 * library's calendar. */
#include <ctype.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "tests/model/mutant.h"
#include "tests/model/naive_value.h"

#define YEAR_0     INT64_C(-62167219200000)
#define YEAR_10000 INT64_C(253402300800000)

/* Whether TEXT from *AT on has the shape SHAPE: 0 stands for a digit, all else
 * for itself. Moves *AT behind it if so. */
static int has_shape(struct seg_text text, size_t *at, const char *shape)
{
    size_t len = strlen(shape);
    if (text.len - *at < len)
        return 0;
    for (size_t i = 0; i < len; i++) {
        char c = text.bytes[*at + i];
        if (shape[i] == '0' ? !isdigit((unsigned char)c) : c != shape[i])
            return 0;
    }
    *at += len;
    return 1;
}

static int number_at(struct seg_text text, size_t at, int digits)
{
    int n = 0;
    for (int i = 0; i < digits; i++)
        n = n * 10 + (text.bytes[at + (size_t)i] - '0');
    return n;
}

/* Z, +hh:mm or +hhmm up to the end of the text; minutes east of Greenwich. */
static int read_zone(struct seg_text text, size_t at, int *minutes)
{
    static const char *const shapes[] = {"+00:00", "-00:00", "+0000", "-0000"};
    *minutes = 0;
    if (at == text.len || (text.len - at == 1 && text.bytes[at] == 'Z'))
        return 1;
    for (int i = 0; i < 4; i++) {
        size_t end = at;
        if (!has_shape(text, &end, shapes[i]) || end != text.len)
            continue;
        int hour = number_at(text, at + 1, 2);
        int minute = number_at(text, text.len - 2, 2);
        *minutes = (hour * 60 + minute) * (text.bytes[at] == '-' ? -1 : 1);
        return hour < 24 && minute < 60;
    }
    return 0;
}

/* Fraction of a second at *AT, if there is one, in whole milliseconds. */
static int read_fraction(struct seg_text text, size_t *at)
{
    int ms = 0, digits = 0;
    if (*at + 1 >= text.len || text.bytes[*at] != '.' ||
        !isdigit((unsigned char)text.bytes[*at + 1]))
        return 0;
    for (++*at; *at < text.len && isdigit((unsigned char)text.bytes[*at]);
         ++*at)
        if (digits++ < 3)
            ms = ms * 10 + (text.bytes[*at] - '0');
    for (; digits < 3; digits++)
        ms *= 10;
    return ms;
}

/* hh:mm [ :ss [ .fraction ]] at *AT. */
static int read_clock(struct seg_text text, size_t *at, struct tm *tm, int *ms)
{
    size_t start = *at;
    if (!has_shape(text, at, "00:00"))
        return 0;
    tm->tm_hour = number_at(text, start, 2);
    tm->tm_min = number_at(text, start + 3, 2);
    if (has_shape(text, at, ":00")) {
        tm->tm_sec = number_at(text, start + 6, 2);
        *ms = read_fraction(text, at);
    }
    return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

int naive_value_instant_of_text(struct seg_text text, int64_t *ms)
{
    struct tm tm = {0}, back;
    size_t at = 0;
    int fraction = 0, zone;
    if (!has_shape(text, &at, "0000-00-00"))
        return 0;
    tm.tm_year = number_at(text, 0, 4) - 1900;
    tm.tm_mon = number_at(text, 5, 2) - 1;
    tm.tm_mday = number_at(text, 8, 2);
    int day = tm.tm_mday, month = tm.tm_mon;
    if ((has_shape(text, &at, "T") || has_shape(text, &at, " ")) &&
        !read_clock(text, &at, &tm, &fraction))
        return 0;
    if (!read_zone(text, at, &zone))
        return 0;
    time_t seconds = timegm(&tm);
    gmtime_r(&seconds, &back);
    if (back.tm_mday != day || back.tm_mon != month)
        return 0;
    if (MUTATED(TIME_ZONE))
        zone = 0;
    if (MUTATED(TIME_FRACTION))
        fraction = 0;
    *ms = ((int64_t)seconds - zone * 60) * 1000 + fraction;
    return 1;
}

int naive_value_instant(const struct naive_value *value, int64_t *ms)
{
    long double number;
    if (value->type == NAIVE_TEXT)
        return naive_value_instant_of_text(value->text, ms);
    if (value->type == NAIVE_INT)
        number = value->integer;
    else if (value->type == NAIVE_REAL)
        number = value->real;
    else
        return 0;
    if (number < 1e11L && !MUTATED(TIME_SECONDS))
        number *= 1000;
    number = roundl(number);
    if (number < YEAR_0 || number >= YEAR_10000)
        return 0;
    *ms = (int64_t)number;
    return 1;
}
