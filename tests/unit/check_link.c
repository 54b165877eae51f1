/* check_link.c: what the answers to a link, and to its script, mean.
 *
 * What the server says stands there before it is asked, and nothing comes after
 * it. What links do to a real one is in check_view.c. */
#include "daemon/redis/link.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "lib/base/text.h"
#include "tests/support/suite.h"

#define NOW_MS      1000000
#define SAID(bytes) bytes, sizeof(bytes) - 1 /* With the zeros in it. */
#define TEN         "0123456789"
#define SCRIPT      TEN TEN TEN TEN
#define LONGEST     TEN TEN TEN TEN TEN TEN "012" /* Of markers. */

_Static_assert(sizeof(LONGEST) == LINK_MARKER_BYTES, "the longest marker");

static struct connection *connection;
static struct link_script script;
static struct link one;
static struct {
    const char *bytes;
    size_t len;
    int socket;
} server;

/* In the place of hiredis's. */
redisContext *redisConnectUnixWithTimeout(const char *path,
                                          const struct timeval limit)
{
    int pair[2];
    (void)path, (void)limit;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    server.socket = pair[1];
    ck_assert_int_eq(write(pair[1], SAID("+PONG\r\n")), 7);
    ck_assert_int_eq(write(pair[1], server.bytes, server.len),
                     (ssize_t)server.len);
    shutdown(pair[1], SHUT_WR);
    return redisConnectFd(pair[0]);
}

static void ignore(void *arg, const char *line)
{
    (void)arg, (void)line;
}

static void setup(void)
{
    log_capture(ignore, NULL);
    memset(&script, 0, sizeof(script));
    link_init(&one, "app", LINK_MEMBERSHIPS);
    link_guard(&one, 0, &(struct link_marker){"41"});
    link_put(&one, text_of("ada"), text_of("vip"), NOW_MS);
    strcpy(one.next.text, "42");
}

static void teardown(void)
{
    link_done(&one);
    connection_free(connection);
    close(server.socket);
    log_capture(NULL, NULL);
}

/* To a server that says the LEN BYTES. */
static void connect_to(const char *bytes, size_t len)
{
    static const struct connection_options options = {.host = "here",
                                                      .port = -1,
                                                      .user = "",
                                                      .password = "",
                                                      .timeout_ms = 1000};
    server.bytes = bytes;
    server.len = len;
    ck_assert_int_eq(connection_new(&connection, &options), 0);
    ck_assert_int_eq(connection_ready(connection, NOW_MS), 1);
}

static const struct {
    const char *bytes;
    size_t len;
    int ready;
} scripts[] = {
    {SAID("$40\r\n" SCRIPT "\r\n"), 1},
    {SAID("$39\r\n" TEN TEN TEN "012345678\r\n"), 0},
    {SAID("$41\r\n" SCRIPT "0\r\n"), 0},
    {SAID("$40\r\n" TEN TEN TEN "012345678\0\r\n"), 0},
    {SAID("$40\r\n\0" TEN TEN TEN "012345678\r\n"), 0},
    {SAID("+" SCRIPT "\r\n"), 0},
    {SAID("$-1\r\n"), 0},
    {SAID(":40\r\n"), 0},
    {SAID("-NOSCRIPT\r\n"), 0},
    {SAID("-OOM\r\n"), 0},
    {SAID(""), 0},
};

START_TEST(a_script_has_a_name_of_forty_digits)
{
    connect_to(scripts[_i].bytes, scripts[_i].len);
    int ready = link_script_ready(&script, connection, NOW_MS);
    ck_assert_msg(ready == scripts[_i].ready, "row %d: got %d want %d", _i,
                  ready, scripts[_i].ready);
    ck_assert_str_eq(script.sha, ready ? SCRIPT : "");
}
END_TEST

static const struct {
    const char *bytes;
    size_t len;
    int guards, answer;
    const char *where;
} answers[] = {
    {SAID(":1\r\n"), 1, LINK_DONE, NULL},
    {SAID("$2\r\n42\r\n"), 1, LINK_DONE, NULL},      /* It was, before. */
    {SAID("$2\r\n42\r\n"), 2, LINK_ELSEWHERE, "42"}, /* Of the other one. */
    {SAID("$2\r\n40\r\n"), 1, LINK_ELSEWHERE, "40"},
    {SAID("$0\r\n\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID("$63\r\n" LONGEST "\r\n"), 1, LINK_ELSEWHERE, LONGEST},
    {SAID("$64\r\n" LONGEST "3\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID("$65\r\n" LONGEST "34\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID("$4\r\n42\0x\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID(":0\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID(":42\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID("+42\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID("$-1\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID("*1\r\n:1\r\n"), 1, LINK_ELSEWHERE, ""},
    {SAID("-NOSCRIPT No matching script\r\n"), 1, LINK_AGAIN, NULL},
    {SAID("-WRONGTYPE Operation against\r\n"), 1, LINK_WRONG_TYPE, NULL},
    {SAID("-OOM command not allowed\r\n"), 1, LINK_WAIT, NULL},
    {SAID("?\r\n"), 1, LINK_WAIT, NULL},
    {SAID("$2\r\n4"), 1, LINK_WAIT, NULL},
    {SAID(""), 1, LINK_WAIT, NULL},
};

START_TEST(an_answer_means_one_thing)
{
    struct link_marker where;
    if (answers[_i].guards == 2) {
        link_reset(&one);
        link_guard(&one, 0, &(struct link_marker){"41"});
        link_guard(&one, 1, &(struct link_marker){"41"});
        strcpy(one.next.text, "42");
    }
    strcpy(script.sha, SCRIPT);
    connect_to(answers[_i].bytes, answers[_i].len);
    ck_assert_int_eq(link_send(&one, &script, connection), 0);
    int answer = link_answer(&one, &script, connection, NOW_MS, &where);
    ck_assert_msg(answer == answers[_i].answer, "row %d: got %d want %d", _i,
                  answer, answers[_i].answer);
    if (answers[_i].where)
        ck_assert_str_eq(where.text, answers[_i].where);
    ck_assert_int_eq(script.missing, answer == LINK_AGAIN);
}
END_TEST

SUITE("link", setup, teardown,
      TABLE(a_script_has_a_name_of_forty_digits, scripts),
      TABLE(an_answer_means_one_thing, answers))
