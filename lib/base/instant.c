/* instant.c: instants and durations as text. */
#include "lib/base/instant.h"

#include <math.h>
#include <string.h>

#define DURATION_MAX (36500 * DAY_MS)

/* Numbers below are seconds, others milliseconds. */
#define SECONDS_BELOW INT64_C(100000000000)

/* Days from 1970-01-01 to the civil date, by shifting the year's start to 1
 * March so that the leap day comes last (the method is in most textbooks). */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year +
           day - 1 - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

static int days_in_month(int year, int month)
{
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* COUNT digits at *AT, which moves on; -1 if they are not there. */
static int digits(const char **at, const char *end, int count)
{
    int n = 0;
    if (end - *at < count)
        return -1;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned char)(*at)[i] - (unsigned)'0';
        if (digit > 9)
            return -1;
        n = n * 10 + (int)digit;
    }
    *at += count;
    return n;
}

static int accept(const char **at, const char *end, char c)
{
    if (*at == end || **at != c)
        return 0;
    ++*at;
    return 1;
}

static int parse_date(const char **at, const char *end, int64_t *days)
{
    int year = digits(at, end, 4);
    if (year < 0 || !accept(at, end, '-'))
        return SEG_ERR_INVALID;
    int month = digits(at, end, 2);
    if (month < 1 || month > 12 || !accept(at, end, '-'))
        return SEG_ERR_INVALID;
    int day = digits(at, end, 2);
    if (day < 1 || day > days_in_month(year, month))
        return SEG_ERR_INVALID;
    *days = days_from_civil(year, month, day);
    return 0;
}

/* `.123456`: milliseconds, the rest cut; -1 if no digit follows. */
static int parse_fraction(const char **at, const char *end)
{
    int ms = 0, n = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at, n++)
        if (n < 3)
            ms = ms * 10 + (**at - '0');
    if (!n)
        return -1;
    for (; n < 3; n++)
        ms *= 10;
    return ms;
}

static int parse_time(const char **at, const char *end, int64_t *ms)
{
    int hour = digits(at, end, 2), minute, second = 0, fraction = 0;
    if (hour < 0 || hour > 23 || !accept(at, end, ':'))
        return SEG_ERR_INVALID;
    minute = digits(at, end, 2);
    if (minute < 0 || minute > 59)
        return SEG_ERR_INVALID;
    if (accept(at, end, ':')) {
        second = digits(at, end, 2);
        if (second < 0 || second > 59)
            return SEG_ERR_INVALID;
        if (accept(at, end, '.') && (fraction = parse_fraction(at, end)) < 0)
            return SEG_ERR_INVALID;
    }
    *ms = ((hour * 60 + minute) * INT64_C(60) + second) * 1000 + fraction;
    return 0;
}

static int parse_zone(const char **at, const char *end, int64_t *ms)
{
    *ms = 0;
    if (accept(at, end, 'Z'))
        return 0;
    int sign = accept(at, end, '+') ? 1 : accept(at, end, '-') ? -1 : 0;
    if (!sign)
        return 0;
    int hour = digits(at, end, 2);
    if (hour < 0 || hour > 23)
        return SEG_ERR_INVALID;
    accept(at, end, ':');
    int minute = digits(at, end, 2);
    if (minute < 0 || minute > 59)
        return SEG_ERR_INVALID;
    *ms = sign * (hour * 60 + minute) * INT64_C(60000);
    return 0;
}

/* 2026-01-31T12:00:00.000Z, the form that programs write, eight bytes at once:
 * XOR with 0000-00-00T00:00:00.000Z must leave 0 to 9 where a digit stands and
 * 0 elsewhere, which is when adding 0x76 or 0x7f sets no top bit. */
static int parse_usual(const char *text, int64_t *ms)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    static const char add[] =
        "\x76\x76\x76\x76\x7f\x76\x76\x7f\x76\x76\x7f\x76"
        "\x76\x7f\x76\x76\x7f\x76\x76\x7f\x76\x76\x76\x7f";
    unsigned char d[24];
    uint64_t top = 0;
    for (int i = 0; i < 24; i += 8) {
        uint64_t word, zero, carry;
        memcpy(&word, text + i, 8);
        memcpy(&zero, form + i, 8);
        memcpy(&carry, add + i, 8);
        word ^= zero;
        top |= word | (word + carry);
        memcpy(d + i, &word, 8);
    }
    int year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3];
    int month = d[5] * 10 + d[6], day = d[8] * 10 + d[9];
    int hour = d[11] * 10 + d[12], minute = d[14] * 10 + d[15];
    int second = d[17] * 10 + d[18];
    if (top & UINT64_C(0x8080808080808080) || month < 1 || month > 12 ||
        day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 59)
        return SEG_ERR_INVALID;
    *ms = days_from_civil(year, month, day) * DAY_MS +
          ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + d[20] * 100 +
          d[21] * 10 + d[22];
    return 0;
}

int instant_parse(struct seg_text text, int64_t *ms)
{
    const char *at = text.bytes, *end = at + text.len;
    int64_t days, time = 0, zone = 0;
    if (text.len == 24 && parse_usual(text.bytes, ms) == 0)
        return 0;
    if (!text.len || parse_date(&at, end, &days) < 0)
        return SEG_ERR_INVALID;
    if (accept(&at, end, 'T') || accept(&at, end, ' ')) {
        if (parse_time(&at, end, &time) < 0 || parse_zone(&at, end, &zone) < 0)
            return SEG_ERR_INVALID;
    } else if (parse_zone(&at, end, &zone) < 0) {
        return SEG_ERR_INVALID;
    }
    if (at != end)
        return SEG_ERR_INVALID;
    *ms = days * DAY_MS + time - zone;
    return 0;
}

static void put(char *out, int n, int digit_count)
{
    for (int i = digit_count - 1; i >= 0; i--, n /= 10)
        out[i] = (char)('0' + n % 10);
}

void instant_string(char out[25], int64_t ms)
{
    int year, month, day;
    ms = ms < INSTANT_MIN ? INSTANT_MIN : ms > INSTANT_MAX ? INSTANT_MAX : ms;
    int64_t days = (ms >= 0 ? ms : ms - DAY_MS + 1) / DAY_MS;
    int of_day = (int)(ms - days * DAY_MS);
    civil_from_days(days, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00.000Z", 25);
    put(out, year, 4);
    put(out + 5, month, 2);
    put(out + 8, day, 2);
    put(out + 11, of_day / 3600000, 2);
    put(out + 14, of_day / 60000 % 60, 2);
    put(out + 17, of_day / 1000 % 60, 2);
    put(out + 20, of_day % 1000, 3);
}

void instant_format(struct buf *buf, int64_t ms)
{
    char text[25];
    instant_string(text, ms);
    buf_add(buf, text, 24);
}

/* In long double the product with 1000 is exact where it has 60 bits or more,
 * so that half a millisecond is rounded as it stands there. */
static int instant_of_double(double value, int64_t *ms)
{
    long double number = value;
    if (number < SECONDS_BELOW)
        number *= 1000;
    number = roundl(number);
    if (!(number >= INSTANT_MIN && number <= INSTANT_MAX))
        return SEG_ERR_INVALID;
    *ms = (int64_t)number;
    return 0;
}

int instant_of_value(const struct seg_value *value, int64_t *ms)
{
    if (value->type == SEG_TEXT)
        return instant_parse((struct seg_text){value->as.text, value->len}, ms);
    if (value->type == SEG_DOUBLE)
        return instant_of_double(value->as.number, ms);
    if (value->type != SEG_INT)
        return SEG_ERR_INVALID;
    int64_t n = value->as.integer;
    if (n < INSTANT_MIN / 1000 || n > INSTANT_MAX)
        return SEG_ERR_INVALID;
    *ms = n < SECONDS_BELOW ? n * 1000 : n;
    return 0;
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"w", 7 * DAY_MS}, {"d", DAY_MS}, {"h", 3600000},
             {"ms", 1},         {"m", 60000},  {"s", 1000}};

void duration_format(struct buf *buf, int64_t ms)
{
    static const char *const order[] = {"d", "h", "m", "s", "ms"};
    static const int64_t size[] = {DAY_MS, 3600000, 60000, 1000, 1};
    for (int i = 0; i < 5; i++) {
        if (ms >= size[i]) {
            buf_int(buf, ms / size[i]);
            buf_str(buf, order[i]);
        }
        ms %= size[i];
    }
}

static const struct unit *find_unit(const char *at, const char *end)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t len = strlen(units[i].name);
        if ((size_t)(end - at) >= len && !memcmp(at, units[i].name, len))
            return &units[i];
    }
    return NULL;
}

int duration_parse(struct seg_text text, int64_t *ms)
{
    const char *at = text.bytes, *end = at + text.len;
    int64_t sum = 0;
    while (at < end && *at >= '0' && *at <= '9') {
        int64_t n = 0;
        for (; at < end && *at >= '0' && *at <= '9'; at++) {
            n = n * 10 + (*at - '0');
            if (n > DURATION_MAX)
                return SEG_ERR_INVALID;
        }
        const struct unit *unit = find_unit(at, end);
        if (!unit || n > DURATION_MAX / unit->ms)
            return SEG_ERR_INVALID;
        at += strlen(unit->name);
        sum += n * unit->ms;
    }
    if (at == text.bytes || sum > DURATION_MAX)
        return SEG_ERR_INVALID;
    *ms = sum;
    return (int)(at - text.bytes);
}
