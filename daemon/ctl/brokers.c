/* brokers.c: what the verbs share that read topics themselves. */
#include "daemon/ctl/brokers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/ctl/ctl.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

int brokers_conf(struct conf **ret, const char *path)
{
    struct conf_options how = {.embedded = 0};
    struct buf errors;
    int status = CTL_GOOD;
    buf_init(&errors);
    if (conf_load(ret, path ? path : CTL_CONF_PATH, &how, &errors) < 0) {
        fputs(buf_string(&errors), stderr);
        status = ctl_fail("which brokers? Say --conf");
    }
    buf_done(&errors);
    return status;
}

int brokers_open(struct brokers *brokers, const char *path)
{
    char why[CLIENT_WHY_BYTES] = "";
    *brokers = (struct brokers){0};
    log_open(LOG_LEVEL_ERROR); /* What goes wrong is told once. */
    int status = brokers_conf(&brokers->conf, path);
    if (status != CTL_GOOD)
        return status;
    brokers->client = (struct client){.conf = brokers->conf, .worker = -1};
    int r = scan_open(&brokers->scan, &brokers->client, 1, why);
    return r < 0 ? ctl_fail("%s", *why ? why : seg_error_sentence(r))
                 : CTL_GOOD;
}

void brokers_close(struct brokers *brokers)
{
    scan_close(brokers->scan);
    conf_free(brokers->conf);
}

int brokers_start(struct brokers_start *start, const char *text)
{
    *start = (struct brokers_start){.from = BROKERS_EARLIEST};
    if (!strcmp(text, "earliest"))
        return 0;
    start->from = strcmp(text, "latest") ? BROKERS_INSTANT : BROKERS_LATEST;
    return start->from == BROKERS_LATEST
               ? 0
               : instant_parse(text_of(text), &start->instant_ms);
}

static int add_one(struct scan *scan, const struct brokers_range *range,
                   int partition, char *why)
{
    int64_t low, high, from;
    int r = scan_bounds(scan, range->topic, partition, &low, &high, why);
    from = range->start.from == BROKERS_LATEST ? high : low;
    if (r >= 0 && range->start.from == BROKERS_INSTANT)
        r = scan_offset_at(scan, range->topic, partition,
                           range->start.instant_ms, &from, why);
    return r < 0 ? r
                 : scan_add(scan, range->topic, partition, from,
                            range->follow ? SCAN_FOLLOW : high);
}

int brokers_add(struct brokers *brokers, const struct brokers_range *range)
{
    char why[CLIENT_WHY_BYTES] = "";
    int count = scan_partitions(brokers->scan, range->topic, why), r = count;
    if (r >= 0 && range->partition >= count)
        return ctl_fail("%s has partitions 0 to %d", range->topic, count - 1);
    for (int p = 0; p < count && r >= 0; p++)
        if (range->partition < 0 || p == range->partition)
            r = add_one(brokers->scan, range, p, why);
    return r < 0 ? ctl_fail("%s", *why ? why : seg_error_sentence(r))
                 : CTL_GOOD;
}

int brokers_next(struct brokers *brokers, int timeout_ms,
                 struct scan_record *record)
{
    char why[CLIENT_WHY_BYTES] = "";
    int answer = scan_next(brokers->scan, timeout_ms, record, why);
    if (answer < 0)
        ctl_fail("%s", *why ? why : seg_error_sentence(answer));
    return answer;
}

int64_t brokers_number(const char *text, int64_t max)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno || *end || end == text || number < 0 || number > max ? -1
                                                                      : number;
}

/* ---- JSON -------------------------------------------------------------- */

static json_t *base64(const char *bytes, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buf out;
    buf_init(&out);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)(uint8_t)bytes[i] << 16;
        if (i + 1 < len)
            bits |= (uint32_t)(uint8_t)bytes[i + 1] << 8;
        if (i + 2 < len)
            bits |= (uint8_t)bytes[i + 2];
        buf_char(&out, digits[bits >> 18]);
        buf_char(&out, digits[bits >> 12 & 63]);
        buf_char(&out, i + 1 < len ? digits[bits >> 6 & 63] : '=');
        buf_char(&out, i + 2 < len ? digits[bits & 63] : '=');
    }
    json_t *json = json_pack("{s:s}", "base64", buf_string(&out));
    buf_done(&out);
    return json;
}

json_t *brokers_text(const char *bytes, size_t len)
{
    if (!bytes)
        return json_null();
    json_t *json = json_stringn(bytes, len);
    return json ? json : base64(bytes, len);
}

void brokers_print(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(json);
}
