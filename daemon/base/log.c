/* log.c: one line per thing that happened.
 *
 * A line is composed on the stack and leaves by one write, so lines of several
 * threads never mix. Repeats are known by a hash of level, message and kind: a
 * small table holds when its window began and how often it came since. Two
 * messages that share a slot push each other out, which costs suppression, not
 * lines. */
#include "daemon/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log_json.h"
#include "lib/base/instant.h"

#define SLOTS 128 /* More than there are messages in use at one time. */

struct slot {
    uint64_t key;     /* What repeats; 0: nothing yet. */
    int64_t since_ms; /* Start of the window. */
    int64_t count;    /* Lines in the window. */
};

static struct {
    pthread_mutex_t lock;
    enum log_level level;
    enum log_format format;
    int journal;
    struct slot slots[SLOTS];
    struct log_counts counts;
    void (*write)(void *arg, const char *line);
    void *arg;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO};

static const struct {
    const char *name;
    int priority; /* Of syslog. */
} levels[] = {{"error", 3}, {"warn", 4}, {"info", 6}, {"debug", 7}};

/* systemd names the device and inode of the stream it reads (systemd.exec(5)):
 * somebody may have redirected stderr meanwhile. */
static int stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat stat;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           !fstat(STDERR_FILENO, &stat) && stat.st_dev == device &&
           stat.st_ino == inode;
}

void log_open(enum log_level level)
{
    pthread_mutex_lock(&state.lock);
    state.level = level;
    state.journal = stderr_is_journal();
    pthread_mutex_unlock(&state.lock);
}

void log_set_format(enum log_format format)
{
    pthread_mutex_lock(&state.lock);
    state.format = format;
    pthread_mutex_unlock(&state.lock);
}

int log_enabled(enum log_level level)
{
    pthread_mutex_lock(&state.lock);
    int enabled = level <= state.level;
    pthread_mutex_unlock(&state.lock);
    return enabled;
}

struct log_counts log_counts(void)
{
    pthread_mutex_lock(&state.lock);
    struct log_counts counts = state.counts;
    pthread_mutex_unlock(&state.lock);
    return counts;
}

void log_capture(void (*write)(void *arg, const char *line), void *arg)
{
    pthread_mutex_lock(&state.lock);
    state.write = write;
    state.arg = arg;
    memset(state.slots, 0, sizeof(state.slots));
    pthread_mutex_unlock(&state.lock);
}

/* What makes two lines repeats of each other (FNV-1a). */
static uint64_t key_of(enum log_level level, const char *message,
                       const char *kind)
{
    const char *texts[] = {message, kind};
    uint64_t hash = 0xcbf29ce484222325 + (uint64_t)level;
    for (int i = 0; i < 2; i++)
        for (const char *c = texts[i];; c++) {
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
            if (!*c)
                break;
        }
    return hash | 1;
}

/* Whether a line of KEY may be written now. *SUPPRESSED gets how many were not
 * since one was last. */
static int pass(uint64_t key, int64_t *suppressed)
{
    struct slot *slot = &state.slots[(key >> 32) % SLOTS];
    int64_t now_ms = clock_monotonic_ms();
    *suppressed = 0;
    if (slot->key != key || now_ms - slot->since_ms >= LOG_REPEAT_MS) {
        if (slot->key == key && slot->count > LOG_REPEAT_MAX)
            *suppressed = slot->count - LOG_REPEAT_MAX;
        *slot = (struct slot){key, now_ms, 0};
    }
    return ++slot->count <= LOG_REPEAT_MAX;
}

/* A line under construction: LEN bytes of a buffer of LOG_LINE_MAX. */
struct line {
    char bytes[LOG_LINE_MAX + 1]; /* One for the newline. */
    int len;
};

__attribute__((format(printf, 2, 0))) static void
add(struct line *line, const char *format, va_list args)
{
    int room = LOG_LINE_MAX - line->len;
    int len = vsnprintf(line->bytes + line->len, (size_t)room, format, args);
    line->len += len < 0 ? 0 : len < room ? len : room - 1;
}

__attribute__((format(printf, 2, 3))) static void addf(struct line *line,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(line, format, args);
    va_end(args);
}

/* The whole line, as people read it. */
__attribute__((format(printf, 5, 0))) static void
add_text(struct line *line, enum log_level level, const char *message,
         int64_t suppressed, const char *format, va_list args)
{
    char time[25];
    if (!state.journal) {
        instant_string(time, clock_wall_ms());
        addf(line, "%s %s: ", time, levels[level].name);
    }
    addf(line, "%s%s", message, *format == ' ' ? "" : " ");
    add(line, format, args);
    while (line->len > 0 && line->bytes[line->len - 1] == ' ')
        line->len--; /* There were no pairs. */
    if (suppressed)
        addf(line, " suppressed=%lld", (long long)suppressed);
}

/* The whole line, as programs read it. */
__attribute__((format(printf, 5, 0))) static void
add_json(struct line *line, enum log_level level, const char *message,
         int64_t suppressed, const char *format, va_list args)
{
    char time[25];
    struct log_entry entry = {time, levels[level].name, message, suppressed};
    instant_string(time, clock_wall_ms());
    line->len += log_json(line->bytes + line->len, LOG_LINE_MAX - line->len,
                          &entry, format, args);
}

static void end(struct line *line)
{
    for (int i = 0; i < line->len; i++)
        if ((unsigned char)line->bytes[i] < 0x20 || line->bytes[i] == 0x7f)
            line->bytes[i] = ' ';
    if (state.write) {
        line->bytes[line->len] = 0;
        state.write(state.arg, line->bytes);
        return;
    }
    line->bytes[line->len++] = '\n';
    /* Nowhere to report a failure to. */
    while (write(STDERR_FILENO, line->bytes, (size_t)line->len) < 0 &&
           errno == EINTR)
        ;
}

__attribute__((format(printf, 4, 0))) static void
write_line(enum log_level level, const char *message, const char *kind,
           const char *format, va_list args)
{
    int saved = errno;
    int64_t suppressed = 0;
    struct line line;
    pthread_mutex_lock(&state.lock);
    if (level > state.level)
        goto done;
    if (level != LOG_LEVEL_DEBUG &&
        !pass(key_of(level, message, kind), &suppressed)) {
        state.counts.suppressed++;
        goto done;
    }
    state.counts.errors += level == LOG_LEVEL_ERROR;
    state.counts.warnings += level == LOG_LEVEL_WARN;
    line.len = 0;
    if (state.journal)
        addf(&line, "<%d>", levels[level].priority);
    if (state.format == LOG_FORMAT_JSON)
        add_json(&line, level, message, suppressed, format, args);
    else
        add_text(&line, level, message, suppressed, format, args);
    end(&line);
done:
    pthread_mutex_unlock(&state.lock);
    errno = saved;
}

void log_line(enum log_level level, const char *message, const char *format,
              ...)
{
    va_list args;
    va_start(args, format);
    write_line(level, message, "", format, args);
    va_end(args);
}

void log_kind(enum log_level level, const char *message, const char *kind,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(level, message, kind, format, args);
    va_end(args);
}
