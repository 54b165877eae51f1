/* everything.c: segments of all kinds, and users who do what they ask for. */
#include "tests/support/everything.h"

#include "tests/support/small_world.h"

const char everything_text[] =
    "score heat half-life 7h { \"A\" 8, \"B\" where v > 2 -3 }\n"
    "score slow half-life 2d { \"A\" 5, \"C\" 1 }\n"
    "trait total = sum(\"A\", v) in 2d\n"
    "segment latest { when latest(\"A\" or \"B\") was \"A\" in 1d }\n"
    "segment cooling { when count(any) in 1d < 70% of count(any) from 3d to 1d "
    "ago }\n"
    "segment counts { when count(\"A\") in 1d >= count(\"B\") in 30h }\n"
    "segment sums { when sum(\"A\", v) in 1d > 0.5 }\n"
    "segment less { when sum(\"A\", v) in 20h <= sum(\"B\", v) in 30h }\n"
    "segment ended { when sum(\"A\", v) from 2d to 1d ago > 1 }\n"
    "segment means { when avg(\"A\", v) in 1d >= 1.5 }\n"
    "segment highest { when max(\"A\", v) in 1d > 2 and min(\"B\", v) in 2d < "
    "2 }\n"
    "segment days { when days(any) in 3d >= 2 }\n"
    "segment dates { when count(\"A\") since 2024-01-02 >= 2 or "
    "sum(\"A\", v) before 2024-01-02 > 2 }\n"
    "segment kinds { when distinct(\"A\", k) in 1d >= 2 }\n"
    "segment hot { when score(heat) >= 5 }\n"
    "segment cold { when score(heat) < 0.5 }\n"
    "segment exactly { when score(slow) between 2 and 6 }\n"
    "segment scores { when score(heat) > score(slow) }\n"
    "segment ages { when days_since(last \"A\") > 150% of days_since(last "
    "\"B\") }\n"
    "segment mixed { when days_since(last \"A\") > 20% of score(slow) }\n"
    "segment counted { when count(\"A\") in 1d > 20% of score(slow) }\n"
    "segment habit { when did \"A\" at least 1 time per day for 2 days }\n"
    "segment lazy { when did \"B\" at most 1 time per day for 2 days }\n"
    "segment entered { when entered segment hot in 5h }\n"
    "segment left { when left segment hot in 5h and not in segment hot }\n"
    "segment until { when did \"A\" in 6h until did not any in 9h }\n"
    "segment share { when user in 50% by \"x\" }\n"
    "segment trait_of { when trait.total >= 3 }\n"
    "segment named { when did any where event.name = \"C\" in 7h }\n"
    "segment one { when did \"A\" where items has one where (a = 1 and b > 1) "
    "in 8h }\n"
    "segment mine { when user.items has one where (at within 10h) }\n"
    "segment regex { when did any where k matches regex \"^[xy]$\" in 8h }\n"
    "segment funnel { when did \"A\" in 1d then \"B\" within 5h }\n"
    "segment absent { when did \"A\" in 1d without \"B\" within 5h }\n"
    "segment same { when did \"A\" in 2d then \"B\" after 1h within 9h for the "
    "same k }\n"
    "segment next { when did \"A\" then directly \"C\" within 6h }\n";

static void put_event(struct random *dice, struct buf *json, const char *user,
                      int64_t time_ms)
{
    static const char *const names[] = {"A", "A", "B", "C", "D"};
    static const char *const values[] = {"0.1", "0.2", "1",     "2.5",
                                         "3",   "-1",  "\"x\"", "null"};
    static const char *const keys[] = {"\"x\"", "\"y\"", "\"zz\"", "7", "null"};
    buf_printf(json,
               "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"%s\","
               "\"timestamp\":%lld,\"properties\":{\"v\":%s,\"k\":%s,"
               "\"items\":[3,{\"a\":%d,\"b\":%d}]}}",
               user, RANDOM_OF(dice, names), (long long)time_ms,
               RANDOM_OF(dice, values), RANDOM_OF(dice, keys),
               (int)random_below(dice, 3), (int)random_below(dice, 3));
}

static void put_identify(struct random *dice, struct buf *json,
                         const char *user, int64_t time_ms)
{
    buf_printf(json,
               "{\"type\":\"identify\",\"userId\":\"%s\",\"timestamp\":%lld,"
               "\"traits\":{\"items\":[{\"at\":%lld},{\"c\":1}]}}",
               user, (long long)time_ms,
               (long long)(time_ms +
                           random_between(dice, -12 * HOUR_MS, 2 * HOUR_MS)));
}

void everything_message(struct random *dice, int64_t now_ms, struct buf *json)
{
    static const char *const users[] = {"u", "v"};
    const char *user = RANDOM_OF(dice, users);
    int64_t time_ms = now_ms;
    if (random_chance(dice, 30))
        time_ms -= random_below(dice, 20 * HOUR_MS);
    buf_reset(json);
    if (random_chance(dice, 10))
        put_identify(dice, json, user, time_ms);
    else
        put_event(dice, json, user, time_ms);
}

int64_t everything_pause(struct random *dice)
{
    static const int64_t longest[] = {2,       1000,        HOUR_MS / 4,
                                      HOUR_MS, 6 * HOUR_MS, 30 * HOUR_MS};
    return random_below(dice, RANDOM_OF(dice, longest));
}
