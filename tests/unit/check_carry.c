/* check_carry.c: what was kept for another catalogue, as the next one has it.
 */
#include <stdio.h>

#include "lib/user/update.h"
#include "tests/support/regime.h"
#include "tests/support/suite.h"

#define DAYS(n) ((n)*24.0)

static const char any_x[] = "segment x { when did \"X\" }";

static struct regime regime;

static void teardown(void)
{
    regime_end(&regime);
}

static void change_to(const char *text)
{
    regime_adopt(&regime, text, 1000);
    regime_sweep(&regime, 1000);
}

static void clear(void)
{
    struct buf said;
    buf_init(&said);
    regime_said(&regime, &said);
    buf_done(&said);
}

/* Ann, bob and cat are born, cat having done X once. */
static void play(const char *before)
{
    regime_begin(&regime, before);
    regime_did(&regime, 0, "ann", "W");
    regime_did(&regime, 1, "bob", "W");
    regime_did(&regime, 2, "cat", "X");
    regime_pass(&regime, 3);
    clear();
}

/* ---- parked ------------------------------------------------------------- */

static void from_the_future(const char *json)
{
    regime_send(&regime, 10, 4, 1, json);
}

START_TEST(what_is_parked_is_there_when_its_time_comes)
{
    play("segment a { when did \"X\" at least 2 times }\n"
         "segment p { when user.plan = \"gold\" }");
    from_the_future("{\"type\":\"track\",\"userId\":\"cat\",\"event\":\"X\"}");
    from_the_future("{\"type\":\"identify\",\"userId\":\"cat\",\"traits\":"
                    "{\"plan\":\"gold\",\"city\":\"Oslo\",\"tags\":[1],"
                    "\"address\":{\"zip\":\"1\"}}}");
    change_to("segment a { when did \"X\" at least 2 times }\n"
              "segment c { when user.city = \"Oslo\" }\n"
              "segment t { when user.tags is set }\n"
              "segment u { when user.tags has 1 or user.address.zip = \"1\" }\n"
              "segment d { when user.address is set }\n");
    regime_expect(&regime, "");
    regime_adopt(&regime,
                 "segment a { when did \"X\" at least 2 times }\n"
                 "segment p { when user.plan = \"gold\" }\n"
                 "segment c { when user.city = \"Oslo\" }\n",
                 1);
    regime_sweep(&regime, 1);
    regime_expect(&regime, "");
    regime_pass(&regime, 10);
    regime_expect(&regime, "10.0 cat +a timer 1\n10.0 cat +c timer 2\n"
                           "10.0 cat +p timer 3\n");
}
END_TEST

START_TEST(of_what_was_parked_and_not_kept_it_is_known_that_it_is_set)
{
    play(any_x);
    from_the_future("{\"type\":\"identify\",\"userId\":\"cat\",\"traits\":"
                    "{\"tags\":[1],\"address\":{\"zip\":\"1\"},\"n\":2}}");
    change_to("segment t { when user.tags is set }\n"
              "segment u { when user.tags has 1 }\n"
              "segment v { when user.address.zip = \"1\" }\n"
              "segment w { when user.n is set and not user.n.m is set }\n");
    clear();
    regime_pass(&regime, 10);
    regime_expect(&regime, "");
    from_the_future("{\"type\":\"identify\",\"userId\":\"cat\",\"traits\":"
                    "{\"tags\":[1],\"address\":{\"zip\":\"1\"},\"n\":2}}");
    regime_expect(&regime, "10.0 cat +t attribute 3\n10.0 cat +u attribute 4\n"
                           "10.0 cat +v attribute 5\n"
                           "10.0 cat +w attribute 6\n");
}
END_TEST

static int parked_count(const char *user)
{
    struct update update;
    uint32_t at = 0;
    int count = 0;
    while (parked_at(small_world_user(regime.engine, user), &at,
                     &regime.engine->scratch, &update) > 0)
        count++;
    return count;
}

/* What is parked is parked for whoever will read it, once. */
START_TEST(what_is_parked_does_not_become_more_and_more)
{
    static const char *const texts[] = {
        "segment p { when user.a.b = 1 and user.a.c = 2 }",
        "segment p { when user.a.b = 1 and user.a.d = 2 }",
        "segment p { when user.a is set }", any_x};
    int most = 0;
    play(texts[0]);
    from_the_future("{\"type\":\"identify\",\"userId\":\"cat\",\"traits\":"
                    "{\"a\":{\"b\":1,\"c\":2}}}");
    ck_assert_int_eq(parked_count("cat"), 2);
    for (int i = 1; i < 20; i++) {
        regime_adopt(&regime, texts[i % COUNT(texts)], 1);
        most = parked_count("cat") > most ? parked_count("cat") : most;
    }
    ck_assert_int_le(most, 3);
    clear();
    regime_adopt(&regime, "segment p { when user.a is set }", 1);
    regime_pass(&regime, 10);
    ck_assert_int_eq(parked_count("cat"), 0);
    regime_expect(&regime, "");
}
END_TEST

/* Two below one name: each is what the record says of it, not what the other
 * one gives to conclude. */
START_TEST(attributes_below_one_name_come_along_each)
{
    regime_begin(&regime, "segment p { when user.a.b = 1 and user.a.c = 2 }");
    regime_is(&regime, 1, "ann", "\"a\":{\"b\":1,\"c\":2,\"d\":3}");
    regime_expect(&regime, "1.0 ann +p attribute 1\n");
    change_to("segment p { when user.a.b = 1 and user.a.c = 2 }\n"
              "segment q { when user.a.b = 1 }\n"
              "segment r { when user.a.c = 2 }\n"
              "segment s { when user.a.d = 3 or user.a is set }\n");
    regime_expect(&regime, "1.0 ann +q catalogue 2\n1.0 ann +r catalogue 3\n");
}
END_TEST

/* An event of the future that nobody saw counts as not seen when it is there:
 * the catalogue is observed from then on. */
START_TEST(what_is_dated_ahead_of_the_clock_moves_the_beginning)
{
    play(any_x);
    from_the_future("{\"type\":\"track\",\"userId\":\"cat\",\"event\":\"Y\"}");
    change_to("segment y { when did not \"Y\" in 7d }");
    clear();
    ck_assert_int_eq(regime.engine->observed.warming.epochs[0].since_ms,
                     SMALL_WORLD_START_MS + 10 * HOUR_MS);
    regime_pass(&regime, DAYS(7) + 9.9);
    regime_expect(&regime, "");
    regime_pass(&regime, DAYS(7) + 10);
    regime_expect(&regime, "178.0 ann +y timer 1\n178.0 bob +y timer 1\n"
                           "178.0 cat +y timer 3\n");
}
END_TEST

SUITE("carry", NULL, teardown,
      TEST(what_is_parked_is_there_when_its_time_comes),
      TEST(of_what_was_parked_and_not_kept_it_is_known_that_it_is_set),
      TEST(what_is_parked_does_not_become_more_and_more),
      TEST(attributes_below_one_name_come_along_each),
      TEST(what_is_dated_ahead_of_the_clock_moves_the_beginning))
