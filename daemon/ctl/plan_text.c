/* plan_text.c: what `segmentctl plan` found, for people.
 *
 *   segments
 *     ~ eager: when
 *         - did "Tried" at least 2 times in 1h
 *         + did "Tried" at least 3 times in 1h
 *     ~ idle: through segment eager
 *     + fresh: when
 *         + did "E" in 7d
 *     5 the same
 *   features
 *     + count("E") in 7d: for fresh; decided at 2026-01-08T00:00:00.000Z */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/plan.h"
#include "lib/base/instant.h"

#define SHOWN_BYTES   400 /* Of a condition, or of a list of a thousand ids. */
#define READERS_SHOWN 5

/* ---- differences --------------------------------------------------------- */

/* TEXT, if it is long only its beginning: whole characters. */
static void print_cut(const char *text)
{
    size_t len = strlen(text);
    if (len <= SHOWN_BYTES) {
        fputs(text, stdout);
        return;
    }
    len = SHOWN_BYTES;
    while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    printf("%.*s ...", (int)len, text);
}

static void print_side(char mark, const char *text)
{
    if (!*text)
        return;
    printf("      %c ", mark);
    print_cut(text);
    putchar('\n');
}

static char mark_of(const struct seg_difference *of)
{
    return of->kind == SEG_DIFF_ADDED     ? '+'
           : of->kind == SEG_DIFF_REMOVED ? '-'
                                          : '~';
}

static void print_head(const struct seg_difference *of, const char *after)
{
    printf("  %c ", mark_of(of));
    print_cut(of->name);
    fputs(after, stdout);
}

/* Of lists, scores, traits, segments and triggers: what they say. */
static void print_words(const struct seg_difference *of)
{
    if (of->kind == SEG_DIFF_REMOVED ||
        (!of->field_count && !of->through_count))
        print_head(of, "\n");
    if (of->kind == SEG_DIFF_REMOVED)
        return;
    for (int i = 0; i < of->field_count; i++) {
        print_head(of, ": ");
        puts(of->fields[i].name);
        print_side('-', of->fields[i].before);
        print_side('+', of->fields[i].after);
    }
    if (!of->through_count)
        return;
    print_head(of, ": through ");
    for (int i = 0; i < of->through_count; i++)
        printf("%s%s", i ? ", " : "", of->through[i]);
    putchar('\n');
}

static void print_readers(const struct seg_difference *of)
{
    int shown =
        of->segment_count > READERS_SHOWN ? READERS_SHOWN : of->segment_count;
    for (int i = 0; i < shown; i++)
        printf("%s%s", i ? ", " : ": for ", of->segments[i]);
    if (shown < of->segment_count)
        printf(" and %d more", of->segment_count - shown);
}

/* Of features and attributes: who reads them, and when they are decided. */
static void print_kept(const struct seg_difference *of)
{
    char at[25];
    print_head(of, "");
    print_readers(of);
    const char *and = of->segment_count ? "; " : ": ";
    if (of->kind == SEG_DIFF_REMOVED) {
        putchar('\n');
        return;
    }
    if (of->kind == SEG_DIFF_CHANGED)
        printf("%s%s %s, not %s", and, of->fields->name, of->fields->after,
               of->fields->before);
    and = of->kind == SEG_DIFF_CHANGED ? "; " : and;
    if (of->part == SEG_DIFF_ATTRIBUTE) {
        printf(
            "%sdecided where it is kept already, else when it is set again\n",
            and);
    } else if (of->decides_ms == SEG_DIFF_NEVER) {
        printf("%sdecided by what users still do\n", and);
    } else {
        instant_string(at, of->decides_ms);
        printf("%sdecided at %s\n", and, at);
    }
}

static void print_part(const struct plan *plan, int part)
{
    int same = 0, others = 0;
    for (int i = 0; i < seg_diff_count(plan->diff); i++) {
        const struct seg_difference *of = seg_diff_at(plan->diff, i);
        if (of->part != part)
            continue;
        if (of->kind == SEG_DIFF_SAME) {
            same++;
            continue;
        }
        if (!others++)
            printf("%ss\n", plan_part_name(part));
        if (part == SEG_DIFF_FEATURE || part == SEG_DIFF_ATTRIBUTE)
            print_kept(of);
        else
            print_words(of);
    }
    if (!others && part == SEG_DIFF_FEATURE && same)
        printf("features\n");
    if ((others || part == SEG_DIFF_FEATURE) && same)
        printf("  %d the same\n", same);
}

/* ---- users --------------------------------------------------------------- */

/* The end of a line about OF. */
static void print_key(const struct plan_segment *of)
{
    printf("  %s%s\n", of->difference->name,
           plan_is_turned(of) && of->was_shadow ? ", no shadow any more"
           : plan_is_turned(of)                 ? ", a shadow from now on"
           : of->was_shadow || of->is_shadow    ? ", a shadow"
                                                : "");
}

static int is_moved(const struct plan_segment *of)
{
    return of->difference->kind != SEG_DIFF_SAME || of->enter || of->leave ||
           of->enter_at_once || of->leave_at_once;
}

/* NUMBER with its SIGN, if it is not 0. */
static void print_number(int width, char sign, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%c%" PRId64, sign, number);
    printf(" %*s", width, number ? text : "0");
}

static void print_users(const struct plan *plan)
{
    const struct plan_users *users = &plan->users;
    char at[25];
    int rest = 0;
    instant_string(at, users->clock_ms);
    printf("%" PRId64 " user%s of %s, at %s\n", users->users,
           users->users == 1 ? "" : "s", users->path, at);
    if (users->bad)
        printf("  %" PRId64 " of %" PRId64 " messages are bad\n", users->bad,
               users->messages);
    printf("  %8s  %8s  %8s  %8s  %17s\n", "old", "new", "enter", "leave",
           "at once");
    for (int i = 0; i < plan->segment_count; i++) {
        const struct plan_segment *of = &plan->segments[i];
        if (!is_moved(of)) {
            rest++;
            continue;
        }
        printf("  %8" PRId64 "  %8" PRId64, of->before, of->after);
        print_number(9, '+', of->enter);
        print_number(9, '-', of->leave);
        print_number(9, '+', of->enter_at_once);
        print_number(8, '-', of->leave_at_once);
        print_key(of);
    }
    if (rest)
        printf("  nobody enters or leaves the other %d\n", rest);
}

static void print_state(const struct plan *plan)
{
    char at[25];
    int rest = 0;
    instant_string(at, plan->at_ms);
    printf("%" PRId64 " user%s of %s, at once at %s\n", plan->state.users,
           plan->state.users == 1 ? "" : "s", plan->state.topic, at);
    printf("  %8s  %8s  %8s\n", "old", "enter", "leave");
    for (int i = 0; i < plan->segment_count; i++) {
        const struct plan_segment *of = &plan->segments[i];
        if (of->difference->kind == SEG_DIFF_SAME && !of->state_enter &&
            !of->state_leave) {
            rest++;
            continue;
        }
        printf("  %8" PRId64, of->state_before);
        print_number(9, '+', of->state_enter);
        print_number(9, '-', of->state_leave);
        print_key(of);
    }
    if (rest)
        printf("  nobody enters or leaves the other %d\n", rest);
}

static void print_now(const struct plan *plan)
{
    const struct plan_now *now = &plan->now;
    const char *old = seg_catalogue_hash(plan->old_catalogue);
    printf("members now, by catalogue %s", now->catalogue);
    if (strcmp(now->catalogue, old) != 0)
        printf(", which is not %s", plan->old_path);
    if (now->partitions != now->of)
        printf(", of %" PRId64 " of %" PRId64 " partitions", now->partitions,
               now->of);
    putchar('\n');
    for (int i = 0; i < plan->segment_count; i++) {
        const struct plan_segment *of = &plan->segments[i];
        if (of->now != PLAN_UNKNOWN && of->difference->kind != SEG_DIFF_SAME)
            printf("  %8" PRId64 "  %s\n", of->now, of->difference->name);
    }
}

void plan_print_text(const struct plan *plan)
{
    int differs = 0;
    for (int i = 0; i < seg_diff_count(plan->diff); i++)
        differs |= seg_diff_at(plan->diff, i)->kind != SEG_DIFF_SAME;
    if (!differs)
        printf("%s and %s mean the same\n", plan->old_path, plan->new_path);
    for (int part = 0; differs && part < SEG_DIFF_PARTS; part++)
        print_part(plan, part);
    if (plan->users.path)
        print_users(plan);
    if (plan->state.read)
        print_state(plan);
    if (plan->now.asked)
        print_now(plan);
}
