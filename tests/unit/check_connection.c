/* check_connection.c: what the answers of Redis, or none, lead to.
 *
 * Who we are is asked of a real redis-server; errors that it does not make on
 * demand come from a thread that answers PING well and all else with an error.
 */
#include "daemon/redis/connection.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

static struct connection *connection;
static struct connection_options options;
static int64_t now_ms;
static int errors, warnings; /* Lines logged. */

static void count_line(void *arg, const char *line)
{
    (void)arg;
    errors += strstr(line, "error: ") != NULL;
    warnings += strstr(line, "warn: ") != NULL;
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    log_capture(count_line, NULL);
    errors = warnings = 0;
    now_ms = 1000000;
    options = (struct connection_options){
        .port = -1, .user = "", .password = "", .timeout_ms = 2000};
}

static void teardown(void)
{
    connection_free(connection);
    connection = NULL;
    log_capture(NULL, NULL);
}

static void open_to(const char *socket_path)
{
    options.host = socket_path;
    ck_assert_int_eq(connection_new(&connection, &options), 0);
}

static int ask(const char *a, const char *b)
{
    redisReply *reply;
    connection_call(connection, b ? 2 : 1, (const char *[]){a, b}, NULL);
    return connection_answer(connection, now_ms, &reply);
}

/* ---- a server that says what it is told --------------------------------- */

static struct {
    char folder[64], path[96];
    int listener;
    const char *answer; /* To all but PING; NULL: none at all. */
    pthread_t thread;
} fake;

static void serve(int peer)
{
    char bytes[4096];
    ssize_t got;
    while ((got = read(peer, bytes, sizeof(bytes) - 1)) > 0) {
        bytes[got] = 0;
        const char *answer = strstr(bytes, "PING") ? "+PONG\r\n" : fake.answer;
        if (answer && write(peer, answer, strlen(answer)) < 0)
            break;
    }
    close(peer);
}

static void *run(void *arg)
{
    int peer;
    while ((peer = accept(fake.listener, NULL, NULL)) >= 0)
        serve(peer);
    return arg;
}

static void start_fake(const char *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(fake.folder, "/tmp/segmentd-fake-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fake.folder));
    snprintf(fake.path, sizeof(fake.path), "%s/socket", fake.folder);
    strcpy(address.sun_path, fake.path);
    fake.answer = answer;
    fake.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(
        bind(fake.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fake.listener, 5), 0);
    ck_assert_int_eq(pthread_create(&fake.thread, NULL, run, NULL), 0);
}

static void end_fake(void)
{
    connection_free(connection);
    connection = NULL;
    shutdown(fake.listener, SHUT_RDWR);
    pthread_join(fake.thread, NULL);
    close(fake.listener);
    unlink(fake.path);
    rmdir(fake.folder);
}

/* ---- errors ------------------------------------------------------------- */

static const struct {
    const char *error;
    int answer;
    int must_act; /* Logged as an error, not as a warning. */
} kinds[] = {
    {"NOSCRIPT No matching script. Please use EVAL.", CONNECTION_NO_SCRIPT, 0},
    {"WRONGTYPE Operation against a key holding the wrong kind of value",
     CONNECTION_WRONG_TYPE, 0},
    {"ERR Error running script (call to f_0): @user_script:7: WRONGTYPE "
     "Operation "
     "against a key holding the wrong kind of value",
     CONNECTION_WRONG_TYPE, 0},
    {"LOADING Redis is loading the dataset in memory", CONNECTION_WAIT, 0},
    {"MISCONF Redis is configured to save RDB snapshots", CONNECTION_WAIT, 0},
    {"OOM command not allowed when used memory > 'maxmemory'.", CONNECTION_WAIT,
     0},
    {"ERR Error running script (call to f_0): @user_script: 5: -OOM command "
     "not "
     "allowed when used memory > 'maxmemory'.",
     CONNECTION_WAIT, 0},
    {"READONLY You can't write against a read only replica.", CONNECTION_WAIT,
     0},
    {"MASTERDOWN Link with MASTER is down", CONNECTION_WAIT, 0},
    {"NOREPLICAS Not enough good replicas to write.", CONNECTION_WAIT, 0},
    {"BUSY Redis is busy running a script.", CONNECTION_WAIT, 0},
    {"CLUSTERDOWN The cluster is down", CONNECTION_WAIT, 0},
    {"NOAUTH Authentication required.", CONNECTION_WAIT, 1},
    {"WRONGPASS invalid username-password pair", CONNECTION_WAIT, 1},
    {"ERR invalid password", CONNECTION_WAIT, 1},
    {"NOPERM this user has no permissions", CONNECTION_WAIT, 1},
    {"MOVED 3999 127.0.0.1:6381", CONNECTION_WAIT, 1},
    {"ASK 3999 127.0.0.1:6381", CONNECTION_WAIT, 1},
    {"CROSSSLOT Keys in request don't hash to the same slot", CONNECTION_WAIT,
     1},
    {"ERR unknown command `EVALSHA`", CONNECTION_WAIT, 1},
};

START_TEST(an_error_is_of_its_kind)
{
    char line[300];
    snprintf(line, sizeof(line), "-%s\r\n", kinds[_i].error);
    start_fake(line);
    open_to(fake.path);
    ck_assert_int_eq(connection_ready(connection, now_ms), 1);
    int answer = ask("GET", "x");
    ck_assert_msg(answer == kinds[_i].answer, "%s: got %d, want %d",
                  kinds[_i].error, answer, kinds[_i].answer);
    int wait = kinds[_i].answer == CONNECTION_WAIT;
    ck_assert_msg(errors == (wait && kinds[_i].must_act) &&
                      warnings == (wait && !kinds[_i].must_act),
                  "%s: %d errors and %d warnings", kinds[_i].error, errors,
                  warnings);
    ck_assert_msg(connection_ready(connection, now_ms) == !wait, "%s",
                  kinds[_i].error);
    end_fake();
}
END_TEST

START_TEST(pauses_grow_until_it_worked)
{
    start_fake("-OOM command not allowed\r\n");
    open_to(fake.path);
    int64_t pause = CONNECTION_PAUSE_MIN_MS;
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(connection_ready(connection, now_ms), 1);
        ck_assert_int_eq(ask("SET", "x"), CONNECTION_WAIT);
        ck_assert_int_eq(connection_ready(connection, now_ms + pause - 1), 0);
        now_ms += pause;
        pause = pause * 2 > CONNECTION_PAUSE_MAX_MS ? CONNECTION_PAUSE_MAX_MS
                                                    : pause * 2;
    }
    ck_assert_int_eq(warnings, 1); /* Said once. */
    ck_assert_int_eq(connection_ready(connection, now_ms), 1);
    ck_assert_int_eq(connection_number(connection), 11);
    connection_worked(connection);
    ck_assert_int_eq(ask("SET", "x"), CONNECTION_WAIT);
    ck_assert_int_eq(
        connection_ready(connection, now_ms + CONNECTION_PAUSE_MIN_MS), 1);
    end_fake();
}
END_TEST

START_TEST(no_answer_in_time_is_away)
{
    options.timeout_ms = 50;
    start_fake(NULL);
    open_to(fake.path);
    ck_assert_int_eq(connection_ready(connection, now_ms), 1);
    ck_assert_int_eq(ask("GET", "x"), CONNECTION_WAIT);
    ck_assert_int_eq(connection_ready(connection, now_ms), 0);
    ck_assert_int_eq(warnings, 1);
    end_fake();
}
END_TEST

START_TEST(nobody_there_is_away)
{
    open_to("/nonexistent/socket");
    ck_assert_int_eq(connection_ready(connection, now_ms), 0);
    ck_assert_int_eq(warnings, 1);
    ck_assert_int_eq(connection_number(connection), 0);
}
END_TEST

/* ---- who we are --------------------------------------------------------- */

static const struct {
    const char *user, *password;
    int64_t database;
    int works;
} logins[] = {
    {"", "secret", 0, 1},   {"", "secret", 3, 1},     {"", "wrong", 0, 0},
    {"", "", 0, 0},         {"bob", "builder", 0, 1}, {"bob", "builder", 5, 1},
    {"bob", "wrong", 0, 0}, {"nobody", "x", 0, 0},    {"", "secret", 99, 0},
};

START_TEST(a_login_opens_the_database)
{
    struct redis_server redis;
    redis_server_start(&redis);
    redis_server_do(&redis, "ACL SETUSER bob on >builder ~* +@all");
    redis_server_do(&redis, "CONFIG SET requirepass secret");
    redis_server_do(&redis, "AUTH secret");
    options.user = logins[_i].user;
    options.password = logins[_i].password;
    options.database = logins[_i].database;
    open_to(redis.socket);
    int works = connection_ready(connection, now_ms);
    ck_assert_msg(works == logins[_i].works, "row %d: got %d", _i, works);
    ck_assert_int_eq(errors, !works);
    if (works) {
        redisReply *reply;
        connection_call(connection, 3, (const char *[]){"SET", "here", "x"},
                        NULL);
        ck_assert_int_eq(connection_answer(connection, now_ms, &reply),
                         CONNECTION_OK);
        redis_server_do(&redis, "SELECT %d", (int)logins[_i].database);
        reply = redis_server_ask(&redis, "EXISTS here");
        ck_assert_int_eq(reply->integer, 1);
        freeReplyObject(reply);
    }
    redis_server_end(&redis);
}
END_TEST

SUITE("connection", setup, teardown, TABLE(an_error_is_of_its_kind, kinds),
      TEST(pauses_grow_until_it_worked), TEST(no_answer_in_time_is_away),
      TEST(nobody_there_is_away), TABLE(a_login_opens_the_database, logins))
