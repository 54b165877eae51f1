/* parse_habit.c: what people write out of habit, one row each.
 *
 * A row is heard where its place is, one of its words stands and something of
 * its kind follows. Misspelt words are not here: those that look alike are
 * found by their distance (suggest.h). */
#include "lib/segment/parse_habit.h"

#include <stddef.h>

/* What follows the word. */
enum follows { ANYTHING, A_TEXT };

#define CALENDAR                                                               \
    "days and months of the calendar are no windows; write `in 1d` or `since " \
    "2026-01-31`"
#define NOT_DONE                                         \
    "That something was not done is said by `did not`.", \
        "write, for example, `did not \"A\" in 30d`"

static const struct habit {
    enum habit_place place;
    enum follows follows;
    const char *words, *sentence, *hint;
} habits[] = {
    {HABIT_COND, ANYTHING, "never didn hasn haven doesn", NOT_DONE},
    {HABIT_COND, A_TEXT, "has have does do done performed event events fired",
     "What a user did is said by `did`.", "did you mean `did`?"},
    {HABIT_COND, A_TEXT, "count days sum avg min max first last distinct",
     "The event of a measure stands in brackets.",
     "write, for example, `count(\"A\") in 7d >= 3`"},
    {HABIT_COND, ANYTHING, "random sample share percent",
     "A share of the users is said by `user in`.",
     "write, for example, `user in 10% by \"spring-campaign\"`"},
    {HABIT_AFTER_COND, ANYTHING, "but",
     "Conditions are joined by `and` or `or`.", "did you mean `and`?"},
    {HABIT_AFTER_COND, ANYTHING, "unless except",
     "Who is left out is said by `and not`, a single user by `exclude`.",
     "write, for example, `and not user.plan = \"free\"`"},
    {HABIT_AFTER_COND, ANYTHING, "ago",
     "`ago` ends a window with two ends, or a test of a time.",
     "write, for example, `from 28d to 14d ago` or `more than 14d ago`"},
    {HABIT_AFTER_COND, ANYTHING, "today yesterday tomorrow this last during",
     "A window is written `in 7d` or `from 28d to 14d ago`.", CALENDAR},
    {HABIT_AFTER_COND, ANYTHING, "daily weekly monthly every each",
     "How often is said `per day` or `per week`.",
     "write, for example, `at least 3 times per week for 4 weeks`"},
    {HABIT_AFTER_COND, ANYTHING, "with having whose (",
     "What an event holds is said by `where`.",
     "write, for example, `did \"A\" where (total > 3 and currency = "
     "\"EUR\")`"},
    {HABIT_AFTER_COND, ANYTHING, "where",
     "All that an event must hold stands right behind it, in one `where`.",
     "write, for example, `did \"A\" where (total > 3 and currency = "
     "\"EUR\") in 7d`"},
    {HABIT_AFTER_COND, ANYTHING, "directly immediately",
     "`directly` stands behind `then`.",
     "write, for example, `did \"A\" then directly \"B\"`"},
    {HABIT_FIELD, ANYTHING, "description desc doc comment note notes",
     "What a segment is for is said by `docs`.", "did you mean `docs`?"},
    {HABIT_FIELD, ANYTHING, "name label",
     "What people call a segment is said by `title`.", "did you mean `title`?"},
    {HABIT_FIELD, ANYTHING, "if where condition conditions rule rules filter",
     "Who is in a segment is said by `when`.", "did you mean `when`?"},
    {HABIT_FIELD, ANYTHING, "trigger",
     "A trigger goes with who enters or who leaves.",
     "write, for example, `on enter trigger \"upgrade_modal\" once per 30d`"},
    {HABIT_STEP, ANYTHING, "immediately instantly right straight",
     "That nothing comes in between is said by `directly`.",
     "did you mean `directly`?"},
    {HABIT_LINE, ANYTHING, "event track page screen identify group expect",
     "A line of a test begins with its time.",
     "write, for example, `at 1d event \"A\"` or `at 1d expect in`"},
    {HABIT_AT, ANYTHING, "set",
     "`set` has no time: it says what is known at the start.",
     "what changes later is written `at 1d identify { plan = \"pro\" }`"},
    {HABIT_AT, ANYTHING, "track did", "What the user does is an `event`.",
     "did you mean `event`?"},
    {HABIT_EXPECT, ANYTHING, "not false no",
     "What is expected is `in` or `out`, `enter` or `exit`, or a trait.",
     "did you mean `out`?"},
    {HABIT_EXPECT, ANYTHING, "true yes member inside",
     "What is expected is `in` or `out`, `enter` or `exit`, or a trait.",
     "did you mean `in`?"},
};

int habit_said(struct cursor *cursor, enum habit_place place)
{
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
        const struct habit *habit = &habits[i];
        if (habit->place != place || !cursor_at_any(cursor, 0, habit->words) ||
            (habit->follows == A_TEXT &&
             cursor_peek(cursor, 1)->kind != TOKEN_STRING))
            continue;
        cursor_error(cursor, "%s", habit->sentence);
        return cursor_suggest(cursor, "%s", habit->hint);
    }
    return 0;
}
