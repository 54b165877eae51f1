/* report.c: numbers of a run beside their floors.
 *
 * Floors are per 1000 cases and stand at about a third of what runs of many
 * seeds have shown: below, the generator no longer makes things happen. */
#include "tests/model/report.h"

#include <stdio.h>

struct floor {
    const char *name;
    size_t offset; /* In struct drive_stats, of a uint64_t. */
    double least;  /* Per 1000 cases. */
};

#define OF(member) offsetof(struct drive_stats, member)

static const struct floor floors[] = {
    {"messages", OF(oracle.messages), 10000},
    {"late by more than a day", OF(oracle.late), 400},
    {"older than one before", OF(oracle.out_of_order), 2500},
    {"at the instant of another", OF(oracle.equal_times), 2000},
    {"duplicates", OF(oracle.duplicates), 250},
    {"without a time", OF(oracle.time_missing), 400},
    {"with an unreadable time", OF(oracle.time_unreadable), 200},
    {"later than their record", OF(oracle.clamped), 800},
    {"from the future", OF(oracle.from_future), 300},
    {"entered", OF(oracle.entered), 6000},
    {"exited", OF(oracle.exited), 4000},
    {"changes by timer", OF(by_timer), 3500},
    {"changes by event", OF(by_event), 3000},
    {"changes by attribute", OF(by_attribute), 1000},
    {"triggers", OF(oracle.triggers), 1200},
    {"triggers too late", OF(oracle.suppressed), 50},
    {"triggers cooling", OF(oracle.cooling), 50},
    {"catalogue changes", OF(oracle.catalogues), 200},
    {"catalogue changes while down", OF(changes_down), 50},
    {"changes of shadows", OF(by_shadow), 100},
    {"changes by a sweep", OF(by_sweep), 50},
    {"backfills", OF(backfills), 30},
    {"swaps of a backfill cut short", OF(backfills_cut), 10},
    {"changes by a backfill", OF(by_backfill), 10},
    {"exits of removed segments", OF(oracle.retired), 50},
    {"restores from before a change", OF(across), 40},
    {"restores before a sweep is done", OF(mid_sweep), 20},
    {"unknown predicates", OF(unknown), 1500},
    {"decided by what was seen", OF(decided), 700},
    {"changes when something was known", OF(at_end), 100},
    {"measured in triggers", OF(properties), 300},
    {"traits told", OF(traits), 3000},
    {"edges stopped at", OF(edges), 15000},
    {"explanations", OF(explained), 5000},
    {"attributes listed", OF(attributes), 1000},
    {"restarts halfway", OF(halfway), 10},
    {"exports", OF(exports), 100},
    {"restores with redo", OF(redos), 250},
    {"messages redone", OF(redone), 3000},
    {"orders of arrival", OF(permuted), 150},
    {"sequences with late events", OF(late_checks), 100},
    {"matches lost by that", OF(late_lost), 0.1},
    {"dense counts", OF(dense_checks), 1000},
    {"dense counts that are coarse", OF(coarse_checks), 200},
};

/* Per 1000 cases, for every word of the language. */
#define CONSTRUCT_CHANGES_MIN 4
#define CONSTRUCT_DECIDED_MIN 1

static uint64_t value(const struct drive_stats *stats, size_t offset)
{
    return *(const uint64_t *)((const char *)stats + offset);
}

/* The rows below the first, up to the changes, are kinds of messages. */
static int is_share(size_t row)
{
    return row > 0 && floors[row].offset < OF(oracle.entered) &&
           floors[row].offset > OF(oracle.messages);
}

static int report_numbers(const struct drive_stats *stats, double thousands)
{
    int low = 0;
    for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
        uint64_t n = value(stats, floors[i].offset);
        int bad = (double)n < floors[i].least * thousands;
        printf("%10llu  %s", (unsigned long long)n, floors[i].name);
        if (is_share(i))
            printf(" (%.1f %% of the messages)",
                   100.0 * (double)n / (double)stats->oracle.messages);
        puts(bad ? "  << below its floor" : "");
        low += bad;
    }
    return low;
}

/* No segment is a predicate: these are never a leaf that decides. */
static int is_leaf_word(int construct)
{
    return construct > CONSTRUCT_NOT &&
           (construct < CONSTRUCT_INCLUDE || construct > CONSTRUCT_SHADOW);
}

static int report_constructs(const struct construct_counts *counts,
                             double thousands)
{
    int low = 0;
    printf("   entered    exited   decided\n");
    for (int i = 0; i < CONSTRUCT_COUNT_; i++) {
        uint64_t changes = counts->entered[i] + counts->exited[i];
        int bad = (double)changes < CONSTRUCT_CHANGES_MIN * thousands ||
                  (is_leaf_word(i) && (double)counts->decided[i] <
                                          CONSTRUCT_DECIDED_MIN * thousands);
        printf("%10llu%10llu%10llu  %s%s\n",
               (unsigned long long)counts->entered[i],
               (unsigned long long)counts->exited[i],
               (unsigned long long)counts->decided[i], construct_name(i),
               bad ? "  << below its floor" : "");
        low += bad;
    }
    return low;
}

/* ---- pairs --------------------------------------------------------------- */

#define MISSING_MAX     40 /* Shown. */
#define PAIRS_CASES_MIN 10000
#define PAIRS_MISSING   10 /* Percent, with operators. */

/* How many pairs of the constructs below END there are; *MISSING gets how many
 * of them never stood in one segment that somebody entered or left. */
static int count_pairs(const struct construct_counts *counts, int end,
                       int *missing)
{
    *missing = 0;
    for (int i = 0; i < end; i++)
        for (int j = i + 1; j < end; j++)
            *missing += !counts->pairs[i][j];
    return end * (end - 1) / 2;
}

static void print_missing(const struct construct_counts *counts, int end)
{
    char first[64];
    int shown = 0;
    for (int i = 0; i < end; i++)
        for (int j = i + 1; j < end && shown < MISSING_MAX; j++) {
            if (counts->pairs[i][j])
                continue;
            snprintf(first, sizeof(first), "%s", construct_name(i));
            printf("never in one segment: %s, %s\n", first, construct_name(j));
            shown++;
        }
}

/* Words of the language, of which all pairs must be seen; and with an operator
 * being a word for each of what it tests. */
static int report_pairs(const struct construct_counts *counts, uint64_t cases)
{
    int missing, all_missing;
    int words = count_pairs(counts, CONSTRUCT_WHERE_OP, &missing);
    int all = count_pairs(counts, CONSTRUCT_COUNT_, &all_missing);
    print_missing(counts, CONSTRUCT_WHERE_OP);
    printf("%10d  pairs of words, %d of them never in one segment\n", words,
           missing);
    printf("%10d  pairs with operators, %d of them never in one segment\n", all,
           all_missing);
    if (cases < PAIRS_CASES_MIN)
        return 0;
    return missing + (all_missing * 100 > all * PAIRS_MISSING);
}

int report(const struct drive_stats *stats)
{
    double thousands = (double)stats->cases / 1000;
    if (stats->cases < REPORT_CASES_MIN)
        thousands = 0;
    printf("%10llu  cases\n", (unsigned long long)stats->cases);
    int low = report_numbers(stats, thousands);
    printf("%10llu  cases ended early: more than one answer is right\n",
           (unsigned long long)stats->unsure);
    low += stats->unsure > stats->cases / 1000 + 2;
    low += report_constructs(&stats->constructs, thousands);
    low += report_pairs(&stats->constructs, stats->cases);
    return low;
}
