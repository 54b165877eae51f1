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
    {"changes by a sweep", OF(by_sweep), 50},
    {"exits of removed segments", OF(oracle.retired), 50},
    {"restores from before a change", OF(across), 40},
    {"restores before a sweep is done", OF(mid_sweep), 20},
    {"unknown predicates", OF(unknown), 1500},
    {"decided by what was seen", OF(decided), 700},
    {"changes when something was known", OF(at_end), 100},
    {"edges stopped at", OF(edges), 15000},
    {"explanations", OF(explained), 5000},
    {"attributes listed", OF(attributes), 1000},
    {"restarts halfway", OF(halfway), 10},
    {"exports", OF(exports), 100},
    {"restores with redo", OF(redos), 250},
    {"messages redone", OF(redone), 3000},
    {"orders of arrival", OF(permuted), 150},
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
           (construct < CONSTRUCT_INCLUDE || construct > CONSTRUCT_ONCE_PER);
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

int report(const struct drive_stats *stats)
{
    double thousands = (double)stats->cases / 1000;
    if (stats->cases < REPORT_CASES_MIN)
        thousands = 0;
    printf("%10llu  cases\n", (unsigned long long)stats->cases);
    int low = report_numbers(stats, thousands);
    low += report_constructs(&stats->constructs, thousands);
    return low;
}
