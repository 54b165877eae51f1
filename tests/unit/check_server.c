/* check_server.c: HTTP requests in, answers out, within limits. */
#include "daemon/http/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/http/guests.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#define TOKEN     "0123456789abcdef"
#define BIG_BYTES (64 << 20) /* No socket holds as much. */

static struct loop *loop;
static struct server *server;
static struct metric_process metrics;
static int64_t exchange_ms; /* 0: as it is. */
static pthread_t thread;
static struct http_answer answer;

/* Requests for /hold wait here for /release. */
static struct request *held[SERVER_REQUESTS_MAX + 1];
static int held_count;

static void echo(struct request *request)
{
    struct buf out, target;
    const char *query = request_query(request, "q");
    buf_init(&target);
    request_target(request, &target);
    request_header(request, "X-Target", buf_string(&target));
    buf_done(&target);
    buf_init(&out);
    buf_printf(&out, "%s", request_method(request));
    for (int i = 0; i < request_part_count(request); i++) {
        struct seg_text part = request_part(request, i);
        buf_str(&out, " [");
        for (size_t j = 0; j < part.len; j++)
            buf_char(&out, part.bytes[j] ? part.bytes[j] : '~');
        buf_str(&out, "]");
    }
    buf_printf(&out, " q=%s text=%d", query ? query : "(none)",
               request_wants_text(request));
    request_header(request, "X-Echo", "yes");
    request_answer(request, 200, "text/plain", buf_take(&out));
    buf_done(&out);
}

static void handle(void *arg, struct request *request)
{
    (void)arg;
    struct seg_text first = request_part(request, 0);
    if (first.len == 4 && !memcmp(first.bytes, "hold", 4)) {
        held[held_count++] = request;
        return;
    }
    if (first.len == 7 && !memcmp(first.bytes, "release", 7))
        while (held_count)
            request_answer(held[--held_count], 200, "text/plain",
                           strdup("released"));
    if (first.len == 3 && !memcmp(first.bytes, "big", 3)) {
        char *body = calloc(BIG_BYTES + 1, 1);
        memset(body, 'x', BIG_BYTES);
        request_answer(request, 200, "text/plain", body);
    } else if (first.len == 4 && !memcmp(first.bytes, "null", 4))
        request_answer(request, 200, "text/plain", NULL);
    else
        echo(request);
}

static void *run(void *arg)
{
    (void)arg;
    loop_run(loop);
    return NULL;
}

static void start(const char *token)
{
    struct server_options options = {.loop = loop,
                                     .host = "127.0.0.1",
                                     .token = token,
                                     .metrics = &metrics,
                                     .handle = handle,
                                     .exchange_ms = exchange_ms};
    ck_assert_int_eq(server_open(&server, &options), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, run, NULL), 0);
}

static void setup(void)
{
    held_count = 0;
    signal(SIGPIPE, SIG_IGN); /* As main does. */
    exchange_ms = 0;
    clock_open();
    metric_set(&metrics.http_refused, 0);
    ck_assert_int_eq(loop_open(&loop), 0);
}

static void stop_loop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void stop(void)
{
    loop_post(loop, stop_loop, NULL);
    pthread_join(thread, NULL);
    server_close(server);
}

static void teardown(void)
{
    loop_free(loop);
}

static void ask(const char *method, const char *path, const char *headers)
{
    http_ask(server_port(server), method, path, headers, &answer);
}

static const struct {
    const char *path, *want;
} paths[] = {
    {"/", "GET [] q=(none) text=0"},
    {"/v1/users/u1", "GET [v1] [users] [u1] q=(none) text=0"},
    {"/v1/users/", "GET [v1] [users] [] q=(none) text=0"},
    {"/a%2Fb/c", "GET [a/b] [c] q=(none) text=0"},
    {"/a+b%2Bc%20d", "GET [a+b+c d] q=(none) text=0"},
    {"/%C3%A9", "GET [\xc3\xa9] q=(none) text=0"},
    {"/a%00b", "GET [a~b] q=(none) text=0"}, /* NUL is part of it. */
    {"/x?q=1&r=2", "GET [x] q=1 text=0"},
    {"/x?q=a%20b%26", "GET [x] q=a b& text=0"},
    {"/x?r", "GET [x] q=(none) text=0"},
    {"/1/2/3/4/5/6/7/8/9",
     "GET [1] [2] [3] [4] [5] [6] [7] [8/9] q=(none) text=0"},
};

START_TEST(a_path_is_taken_apart_and_then_decoded)
{
    start("");
    ask("GET", paths[_i].path, "");
    ck_assert_msg(answer.status == 200 && !strcmp(answer.body, paths[_i].want),
                  "%s: got %d %s want %s", paths[_i].path, answer.status,
                  answer.body, paths[_i].want);
    ck_assert_ptr_nonnull(strstr(answer.head, "X-Echo: yes"));
    ck_assert_ptr_nonnull(strstr(answer.head, "Content-Type: text/plain"));
    stop();
}
END_TEST

static const struct {
    const char *path, *want;
} targets[] = {
    {"/", "/"},
    {"/a%2Fb/c+d?q=%20&r", "/a%2Fb/c+d?q=%20&r"},
    {"/a?", "/a"},
    {"/a#b", "/a"},
    {"/\xc3\xa9?q=\xff", "/%C3%A9?q=%FF"},
    {"/~\x7f", "/~%7F"},
    {"/!\x1f", "/!%1F"},
    {"/a\tb", "/a%09b"},
    {"/a\rX-Echo:no?q=\r", "/a%0DX-Echo:no?q=%0D"},
    {"/a\r X-Echo: no", "/a%0D%20X-Echo:%20no"},
};

START_TEST(a_target_can_stand_in_a_header)
{
    char want[100];
    start("");
    ask("GET", targets[_i].path, "");
    snprintf(want, sizeof(want), "X-Target: %s\r\n", targets[_i].want);
    ck_assert_msg(strstr(answer.head, want) != NULL, "want %s got %s", want,
                  answer.head);
    stop();
}
END_TEST

START_TEST(text_is_wanted_by_those_who_say_so)
{
    start("");
    ask("GET", "/x", "Accept: text/plain\r\n");
    ck_assert_ptr_nonnull(strstr(answer.body, "text=1"));
    ask("GET", "/x", "Accept: application/json\r\n");
    ck_assert_ptr_nonnull(strstr(answer.body, "text=0"));
    stop();
}
END_TEST

static const char *const methods[] = {"POST",  "PUT",     "DELETE",
                                      "PATCH", "OPTIONS", "GET"};

START_TEST(every_method_reaches_the_handler)
{
    start("");
    ask(methods[_i], "/x", "Content-Length: 0\r\n");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_msg(strstr(answer.body, methods[_i]) == answer.body, "%s: %s",
                  methods[_i], answer.body);
    stop();
}
END_TEST

START_TEST(head_has_no_body)
{
    start("");
    ask("HEAD", "/x", "");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(answer.body, "");
    stop();
}
END_TEST

START_TEST(a_body_that_memory_was_short_of_is_a_503)
{
    start("");
    ask("GET", "/null", "");
    ck_assert_int_eq(answer.status, 503);
    stop();
}
END_TEST

static const struct {
    const char *headers;
    int status;
} tokens[] = {
    {"", 401},
    {"Authorization: Bearer " TOKEN "\r\n", 200},
    {"Authorization: bearer " TOKEN "\r\n", 200},
    {"Authorization: Bearer " TOKEN "x\r\n", 401},
    {"Authorization: Bearer 0123456789abcdeF\r\n", 401},
    {"Authorization: Bearer 0123456789abcde\r\n", 401},
    {"Authorization: Bearer \r\n", 401},
    {"Authorization: Basic " TOKEN "\r\n", 401},
    {"Authorization: " TOKEN "\r\n", 401},
};

START_TEST(only_the_right_token_is_let_in)
{
    start(TOKEN);
    ask("GET", "/x", tokens[_i].headers);
    ck_assert_msg(answer.status == tokens[_i].status, "%s: got %d",
                  tokens[_i].headers, answer.status);
    if (answer.status == 401) {
        ck_assert_ptr_nonnull(strstr(answer.head, "WWW-Authenticate: Bearer"));
        ck_assert_ptr_nonnull(strstr(answer.body, "\"error\""));
    }
    stop();
}
END_TEST

static const struct {
    const char *token, *method, *headers;
    int status;
} pages[] = {
    {"", "POST", "", 200}, /* curl, and the like. */
    {"", "POST", "Sec-Fetch-Site: none\r\n", 200},
    {"", "POST", "Sec-Fetch-Site: cross-site\r\n", 403},
    {"", "POST", "Sec-Fetch-Site: same-site\r\n", 403},
    {"", "POST", "Origin: https://example.com\r\n", 403},
    {"", "POST", "Origin: null\r\n", 403},
    {"", "POST", "origin: http://localhost\r\n", 403}, /* Rebound DNS. */
    {"", "DELETE", "Origin: https://example.com\r\n", 403},
    {"", "GET", "Origin: https://example.com\r\n", 200},
    {TOKEN, "POST",
     "Origin: https://example.com\r\nAuthorization: Bearer " TOKEN "\r\n", 200},
    {TOKEN, "POST", "Origin: https://example.com\r\n", 401},
};

START_TEST(a_web_page_may_not_change_anything)
{
    char headers[200];
    start(pages[_i].token);
    snprintf(headers, sizeof(headers), "%sContent-Length: 0\r\n",
             pages[_i].headers);
    ask(pages[_i].method, "/x", headers);
    ck_assert_msg(answer.status == pages[_i].status, "%s %s: got %d want %d",
                  pages[_i].method, pages[_i].headers, answer.status,
                  pages[_i].status);
    stop();
}
END_TEST

/* A request of which the head, or the body, has so many bytes. */
static int status_of_size(int head_bytes, int body_bytes)
{
    struct buf text;
    buf_init(&text);
    buf_printf(&text,
               "POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
               "Content-Length: %d\r\nPad: ",
               body_bytes);
    while (text.len < (size_t)head_bytes - 4)
        buf_char(&text, 'x');
    buf_str(&text, "\r\n\r\n");
    while (body_bytes--)
        buf_char(&text, 'y');
    http_read(http_send(server_port(server), buf_string(&text)), &answer);
    buf_done(&text);
    return answer.status;
}

START_TEST(requests_have_limits)
{
    start("");
    ck_assert_int_eq(status_of_size(1000, SERVER_BODY_BYTES_MAX), 200);
    ck_assert_int_eq(status_of_size(1000, SERVER_BODY_BYTES_MAX + 1), 413);
    ck_assert_int_eq(status_of_size(SERVER_HEADER_BYTES_MAX - 100, 0), 200);
    ck_assert_int_eq(status_of_size(SERVER_HEADER_BYTES_MAX + 100, 0), 400);
    http_read(http_send(server_port(server), "no HTTP at all\r\n\r\n"),
              &answer);
    ck_assert_int_ne(answer.status, 200);
    stop();
}
END_TEST

static int hold(void)
{
    return http_send(server_port(server),
                     "GET /hold HTTP/1.1\r\nHost: h\r\nConnection: close"
                     "\r\n\r\n");
}

/* Until COUNT requests came in. */
static void wait_for(int64_t count)
{
    while (metric_get(&metrics.http_requests) < count)
        sched_yield();
}

START_TEST(only_so_many_may_wait_at_one_time)
{
    int sockets[SERVER_REQUESTS_MAX];
    metric_set(&metrics.http_requests, 0);
    start("");
    for (int i = 0; i < SERVER_REQUESTS_MAX; i++)
        sockets[i] = hold();
    wait_for(SERVER_REQUESTS_MAX);
    ask("GET", "/x", "");
    ck_assert_int_eq(answer.status, 503);
    ck_assert_ptr_nonnull(strstr(answer.head, "Retry-After"));
    /* One goes away without its answer; it still counts, and harms nobody. */
    close(sockets[0]);
    stop();
    for (int i = 1; i < SERVER_REQUESTS_MAX; i++)
        close(sockets[i]);
    while (held_count) /* After the end of the server. */
        request_answer(held[--held_count], 200, "text/plain", strdup("late"));
}
END_TEST

START_TEST(an_answer_may_come_later)
{
    metric_set(&metrics.http_requests, 0);
    start("");
    int one = hold(), gone = hold(), two = hold();
    wait_for(3);
    close(gone);
    ask("GET", "/release", "");
    ck_assert_int_eq(answer.status, 200);
    http_read(one, &answer);
    ck_assert_str_eq(answer.body, "released");
    http_read(two, &answer);
    ck_assert_str_eq(answer.body, "released");
    stop();
}
END_TEST

/* ---- connections ------------------------------------------------------- */

/* Until COUNT were closed. */
static void wait_for_refused(int64_t count)
{
    while (metric_get(&metrics.http_refused) < count)
        usleep(1000);
}

static int is_closed(int socket)
{
    char byte;
    return recv(socket, &byte, 1, 0) <= 0;
}

START_TEST(a_request_takes_its_time_as_a_whole)
{
    exchange_ms = 1500;
    start("");
    int slow = http_send(server_port(server), "GET /a HTTP/1.1\r\nX: ");
    int64_t began_ms = clock_monotonic_ms();
    /* Something happens all the time. */
    while (!metric_get(&metrics.http_refused)) {
        if (send(slow, "x", 1, MSG_NOSIGNAL) < 0)
            break;
        usleep(10000);
    }
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    ck_assert_msg(took_ms >= 1000 && took_ms < 20000, "%lld ms",
                  (long long)took_ms);
    ck_assert(is_closed(slow));
    close(slow);
    stop();
}
END_TEST

START_TEST(an_answer_takes_its_time_as_a_whole)
{
    exchange_ms = 500;
    start("");
    int slow = http_send(server_port(server), "GET /big HTTP/1.1\r\n\r\n");
    char byte;
    ck_assert_int_eq(recv(slow, &byte, 1, 0), 1);
    wait_for_refused(1);
    close(slow);
    stop();
}
END_TEST

START_TEST(who_is_connected_and_quiet_may_stay)
{
    exchange_ms = 500;
    start("");
    int one = http_send(server_port(server), "GET /a HTTP/1.1\r\n\r\n");
    int other = http_send(server_port(server), "GET /b HTTP/1.1\r\n\r\n");
    char bytes[1000];
    ck_assert_int_gt(recv(one, bytes, sizeof(bytes), 0), 0);
    ck_assert_int_gt(recv(other, bytes, sizeof(bytes), 0), 0);
    /* A third who is not quiet goes. */
    int slow = http_send(server_port(server), "GET");
    wait_for_refused(1);
    ck_assert(is_closed(slow));
    ck_assert_int_eq(send(one, "GET /c HTTP/1.1\r\n\r\n", 19, 0), 19);
    ck_assert_int_gt(recv(one, bytes, sizeof(bytes), 0), 0);
    ck_assert_int_eq(metric_get(&metrics.http_refused), 1);
    close(one);
    close(other);
    close(slow);
    stop();
}
END_TEST

/* Connect COUNT times and send TEXT. */
static void fill(int *sockets, int count, const char *text)
{
    metric_set(&metrics.http_requests, 0);
    start("");
    for (int i = 0; i < count; i++)
        sockets[i] = http_send(server_port(server), text);
}

START_TEST(one_too_many_takes_the_place_of_the_oldest_idle_one)
{
    int sockets[GUESTS_MAX];
    fill(sockets, GUESTS_MAX, "");
    ask("GET", "/x", "");
    ck_assert_int_eq(answer.status, 200);
    wait_for_refused(1);
    ck_assert(is_closed(sockets[0]));
    ask("GET", "/y", ""); /* There is room again. */
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(metric_get(&metrics.http_refused), 1);
    for (int i = 0; i < GUESTS_MAX; i++)
        close(sockets[i]);
    stop();
}
END_TEST

START_TEST(one_too_many_is_closed_if_nobody_is_idle)
{
    int sockets[GUESTS_MAX];
    fill(sockets, GUESTS_MAX - 1, "GET /");
    sockets[GUESTS_MAX - 1] = hold();
    wait_for(1); /* Its bytes, and so the others', were read. */
    int late = http_send(server_port(server), "");
    wait_for_refused(1);
    ck_assert(is_closed(late));
    close(late);
    stop();
    for (int i = 0; i < GUESTS_MAX; i++)
        close(sockets[i]);
    while (held_count)
        request_answer(held[--held_count], 200, "text/plain", strdup("late"));
}
END_TEST

START_TEST(an_address_in_use_is_an_error)
{
    struct server *second;
    start("");
    struct server_options options = {.loop = loop,
                                     .host = "127.0.0.1",
                                     .port = server_port(server),
                                     .token = "",
                                     .metrics = &metrics,
                                     .handle = handle};
    stop();
    ck_assert_int_eq(server_open(&server, &options), 0);
    ck_assert_int_eq(server_open(&second, &options), SEG_ERR_INVALID);
    server_close(server);
}
END_TEST

SUITE("server", setup, teardown,
      TABLE(a_path_is_taken_apart_and_then_decoded, paths),
      TABLE(a_target_can_stand_in_a_header, targets),
      TEST(text_is_wanted_by_those_who_say_so),
      TABLE(every_method_reaches_the_handler, methods), TEST(head_has_no_body),
      TEST(a_body_that_memory_was_short_of_is_a_503),
      TABLE(only_the_right_token_is_let_in, tokens),
      TABLE(a_web_page_may_not_change_anything, pages),
      TEST(requests_have_limits), TEST(only_so_many_may_wait_at_one_time),
      TEST(an_answer_may_come_later), TEST(a_request_takes_its_time_as_a_whole),
      TEST(an_answer_takes_its_time_as_a_whole),
      TEST(who_is_connected_and_quiet_may_stay),
      TEST(one_too_many_takes_the_place_of_the_oldest_idle_one),
      TEST(one_too_many_is_closed_if_nobody_is_idle),
      TEST(an_address_in_use_is_an_error))
