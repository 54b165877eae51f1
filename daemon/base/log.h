/* log.h: one line per thing that happened.
 *
 *     log_info("partition assigned", "partition=%d txn=%" PRId64, p, txn);
 *     2026-01-31T12:00:00.000Z info: partition assigned partition=3 txn=991
 *
 * What happened, to what, what we do next. error: somebody must act. warn:
 * something is lost or delayed. info: life cycle. debug: the rest, off.
 * Payloads never, user ids only at debug. A value that may hold blanks stands
 * in quotes in the format; control characters become blanks, so a line is
 * always one.
 *
 * The same message of one level more than LOG_REPEAT_MAX times within
 * LOG_REPEAT_MS is suppressed, and the next one after that says how many were.
 *
 * Under systemd lines start with <N>, which the journal takes as the level, and
 * carry no time. Lines may also be JSON, see log_json.h. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#define LOG_REPEAT_MAX 10    /* A burst that still tells the story. */
#define LOG_REPEAT_MS  10000 /* About as fast as a person reads them. */
#define LOG_LINE_MAX   2048  /* Bytes; a longer one is cut. */

/* In the order of the words of the setting log_level. */
enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

/* In the order of the words of the setting log_format. */
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Write to stderr, in the journal's form if stderr is the journal. Before this
 * call everything down to info is written. */
void log_open(enum log_level level);

/* How lines are written from now on; text, if this is never called. */
void log_set_format(enum log_format format);

/* Whether LEVEL is written. */
int log_enabled(enum log_level level);

/* Write MESSAGE, a literal, and the pairs that a literal format makes of what
 * follows; there may be none. Keeps errno.
 *
 *     log_warn("redis is away", "address=%s error=\"%s\"", address, why); */
#define log_error(message, ...) log_at(ERROR, message, " " __VA_ARGS__)
#define log_warn(message, ...)  log_at(WARN, message, " " __VA_ARGS__)
#define log_info(message, ...)  log_at(INFO, message, " " __VA_ARGS__)
#define log_debug(message, ...)                      \
    do {                                             \
        if (log_enabled(LOG_LEVEL_DEBUG))            \
            log_at(DEBUG, message, " " __VA_ARGS__); \
    } while (0)

/* The blank keeps gcc from complaining about an empty format; FORMAT may begin
 * with one or not. */
#define log_at(level, ...) log_line(LOG_LEVEL_##level, __VA_ARGS__)
void log_line(enum log_level level, const char *message, const char *format,
              ...) __attribute__((format(printf, 3, 4)));

/* The same for lines that others compose, all under one MESSAGE: only those of
 * one KIND are repeats of each other. */
void log_kind(enum log_level level, const char *message, const char *kind,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Lines so far, for metrics: written as error and as warn, and suppressed. */
struct log_counts {
    int64_t errors, warnings, suppressed;
};
struct log_counts log_counts(void);

/* Where lines go instead of stderr, for tests; NULL: stderr again. The line is
 * terminated and has no newline. */
void log_capture(void (*write)(void *arg, const char *line), void *arg);

#endif
