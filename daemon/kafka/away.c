/* away.c: why the brokers do not answer.
 *
 * A line of the library's log,
 *
 *     [thrd:ssl://h:9092/bootstrap]: ssl://h:9092/bootstrap: SSL handshake
 *     failed: ... (after 3ms in state SSL_HANDSHAKE, 1 identical error(s)
 *     suppressed)
 *
 * without the name of the thread and of the broker, and without its age. */
#include "daemon/kafka/away.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/kafka/client.h"
#include "daemon/kafka/library.h"

static struct {
    pthread_mutex_t mutex;
    char text[CLIENT_WHY_BYTES / 2];
    int64_t at_ms;
} last = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Behind the first MARK of TEXT, or all of it. */
static const char *behind(const char *text, const char *mark)
{
    const char *found = strstr(text, mark);
    return found ? found + strlen(mark) : text;
}

/* The last place of MARK in TEXT, or NULL. */
static char *last_of(char *text, const char *mark)
{
    char *found = NULL;
    for (char *at = text; (at = strstr(at, mark)); at++)
        found = at;
    return found;
}

void away_note(const char *text)
{
    if (*text == '[')
        text = behind(behind(text, "]: "), ": ");
    pthread_mutex_lock(&last.mutex);
    snprintf(last.text, sizeof(last.text), "%s", text);
    char *age = last_of(last.text, " (after ");
    if (age)
        *age = '\0';
    last.at_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&last.mutex);
}

/* Whether ERR says no more than that nobody answered. */
static int is_mute(int err)
{
    return err == RD_KAFKA_RESP_ERR__TRANSPORT ||
           err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           err == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           err == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
           err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           err == RD_KAFKA_RESP_ERR__SSL || err == RD_KAFKA_RESP_ERR__RESOLVE ||
           err == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
}

void away_say(char *why, const char *what, int err, const char *text)
{
    pthread_mutex_lock(&last.mutex);
    int is_known = is_mute(err) && last.text[0] &&
                   clock_monotonic_ms() - last.at_ms < AWAY_KEPT_MS;
    const char *reason = is_known ? last.text : text;
    const char *hint =
        is_known && strstr(reason, "SCRAM") ? library_scram_fault() : "";
    snprintf(why, CLIENT_WHY_BYTES, "%s: %s.%s%s%s", what, reason,
             *hint ? " " : "", hint, *hint ? "." : "");
    pthread_mutex_unlock(&last.mutex);
}
