/* log_json.h: a line of the log as a JSON object.
 *
 *     log_warn("redis is away", "address=%s since=%d error=\"%s\"", a, 5, why);
 *     {"time":"2026-01-31T12:00:00.000Z","level":"warn",
 *      "message":"redis is away","address":"10.0.0.1:6379","since":5,
 *      "error":"no \"route\""}
 *
 * The pairs are those of the format: each `name=value` in it is a member, in
 * its order. A value that is one whole number is a number, all others are
 * texts, whatever stands in them. The object is whole even if the line has to
 * be cut: what does not fit is left out, and "truncated":true says so. */
#ifndef BASE_LOG_JSON_H
#define BASE_LOG_JSON_H

#include <stdarg.h>
#include <stdint.h>

struct log_entry {
    const char *time, *level, *message;
    int64_t suppressed; /* 0: not shown. */
};

/* Write ENTRY and the pairs that FORMAT makes of ARGS into the SIZE bytes at
 * OUT, terminated; SIZE is at least 256. FORMAT is one of printf's, without %n.
 * Returns its length. */
int log_json(char *out, int size, const struct log_entry *entry,
             const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

#endif
