/* check_event.c: names of events that look alike, or that nobody ever sent.
 *
 * `Goal Used`, `goal used` and `goal_used` are three events, and nearly always
 * meant as one. Of all names that differ only so, the one that segments use
 * most is taken for right; what tests send counts for nothing. If it is known
 * which names have come in, one that has not is told, with the one of them that
 * differs only so, or else by the fewest letters. */
#include "lib/segment/checker.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/intern.h"
#include "lib/segment/catalogue.h"

struct spelling {
    struct rule_pos pos; /* Where it stands first. */
    struct seg_text text;
    int count;
};

struct spellings {
    struct checker *checker;
    struct intern exact;
    struct spelling *items; /* By number of exact. */
    size_t cap;
    uint32_t count;
};

/* ---- collecting ------------------------------------------------------ */

static void see_name(struct spellings *all, struct seg_text text,
                     struct rule_pos pos, int weight)
{
    uint32_t number;
    void *items = all->items;
    int ret = intern_add(&all->exact, text, &number);
    if (ret < 0 ||
        alloc_grow(&items, &all->cap, number + 1ul, sizeof(*all->items)) < 0) {
        all->checker->diagnostics->failed = 1;
        return;
    }
    all->items = items;
    if (number == all->count)
        all->items[all->count++] = (struct spelling){.pos = pos, .text = text};
    all->items[number].count += weight;
}

static void see_event(struct spellings *all, const struct rule_event *event)
{
    for (int i = 0; i < event->count; i++)
        see_name(all, event->names[i].text, event->names[i].pos, 1);
}

static void see_cond(struct spellings *all, const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        see_cond(all, cond->children[i]);
    see_event(all, &cond->event);
    see_event(all, &cond->measure.event);
    if (cond->other)
        see_event(all, &cond->other->event);
    if (!cond->sequence)
        return;
    for (int i = 0; i < cond->sequence->step_count; i++)
        see_event(all, &cond->sequence->steps[i].event);
    if (cond->sequence->no_between)
        see_event(all, cond->sequence->no_between);
}

static void see_segment(struct spellings *all,
                        const struct rule_segment *segment)
{
    if (segment->when)
        see_cond(all, segment->when);
    if (segment->until)
        see_cond(all, segment->until);
    for (int i = 0; i < segment->trigger_count; i++)
        for (int j = 0; j < segment->triggers[i].property_count; j++)
            if (segment->triggers[i].properties[j].measure)
                see_event(all,
                          &segment->triggers[i].properties[j].measure->event);
}

static void see_rules(struct spellings *all, const struct rules *rules)
{
    for (int i = 0; i < rules->score_count; i++)
        for (int j = 0; j < rules->scores[i].weight_count; j++)
            see_event(all, &rules->scores[i].weights[j].event);
    for (int i = 0; i < rules->trait_count; i++)
        see_event(all, &rules->traits[i].measure.event);
    for (int i = 0; i < rules->segment_count; i++)
        see_segment(all, &rules->segments[i]);
    for (int i = 0; i < rules->test_count; i++)
        for (int j = 0; j < rules->tests[i].line_count; j++)
            if (rules->tests[i].lines[j].kind == LINE_EVENT)
                see_name(all, rules->tests[i].lines[j].name,
                         rules->tests[i].lines[j].pos, 0);
}

/* ---- comparing ------------------------------------------------------- */

/* TEXT in small letters, without what stands for a space. */
static void simplify(struct buf *buf, struct seg_text text)
{
    buf_reset(buf);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.bytes[i];
        if (c != ' ' && c != '_' && c != '-')
            buf_char(buf, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
    }
}

/* The number of the best of those like each, in BEST by number of ALIKE. */
static int find_best(const struct spellings *all, struct intern *alike,
                     uint32_t *alike_of, uint32_t *best)
{
    struct buf simple;
    int ret = 0;
    buf_init(&simple);
    for (uint32_t i = 0; i < all->count && ret >= 0; i++) {
        simplify(&simple, all->items[i].text);
        ret =
            buf_failed(&simple)
                ? SEG_ERR_NOMEM
                : intern_add(alike, (struct seg_text){simple.bytes, simple.len},
                             &alike_of[i]);
        if (ret > 0 || (ret == 0 && all->items[i].count >
                                        all->items[best[alike_of[i]]].count))
            best[alike_of[i]] = i;
    }
    buf_done(&simple);
    return ret < 0 ? ret : 0;
}

static void compare(struct spellings *all)
{
    struct checker *checker = all->checker;
    struct intern alike;
    uint32_t *alike_of = calloc(all->count + 1ul, sizeof(*alike_of));
    uint32_t *best = calloc(all->count + 1ul, sizeof(*best));
    intern_init(&alike);
    if (!alike_of || !best || find_best(all, &alike, alike_of, best) < 0)
        checker->diagnostics->failed = 1;
    for (uint32_t i = 0; i < all->count && !checker->diagnostics->failed; i++) {
        uint32_t right = best[alike_of[i]];
        if (right == i)
            continue;
        check_warning(checker, all->items[i].pos,
                      "The event \"%s\" is not the event \"%s\" of line %u.",
                      all->items[i].text.bytes, all->items[right].text.bytes,
                      all->items[right].pos.line);
        diagnostics_suggest(checker->diagnostics, "did you mean `\"%s\"`?",
                            all->items[right].text.bytes);
    }
    intern_done(&alike);
    free(alike_of);
    free(best);
}

void check_event_names(struct checker *checker)
{
    struct spellings all = {.checker = checker};
    intern_init(&all.exact);
    see_rules(&all, checker->rules);
    if (!checker->diagnostics->failed)
        compare(&all);
    intern_done(&all.exact);
    free(all.items);
}

/* ---- names that came in ---------------------------------------------- */

/* The one of the COUNT names at SEEN that TEXT is meant to be; bytes = NULL:
 * none of them. */
static struct seg_text find_meant(struct spellings *all, struct seg_text text,
                                  const struct seg_text *seen, int count)
{
    struct suggest suggest;
    struct seg_text meant = {NULL, 0};
    struct buf wanted, simple;
    buf_init(&wanted);
    buf_init(&simple);
    simplify(&wanted, text);
    suggest_init(&suggest, text);
    for (int i = 0; i < count && !meant.bytes; i++) {
        simplify(&simple, seen[i]);
        if (buf_failed(&simple))
            break; /* The next one would make it forget. */
        if (simple.len == wanted.len &&
            !memcmp(simple.bytes, wanted.bytes, wanted.len))
            meant = seen[i];
        suggest_offer(&suggest, seen[i]);
    }
    if (buf_failed(&wanted) || buf_failed(&simple))
        all->checker->diagnostics->failed = 1;
    buf_done(&wanted);
    buf_done(&simple);
    return meant.bytes ? meant : suggest.best;
}

static void compare_seen(struct spellings *all, const struct seg_text *seen,
                         int count)
{
    struct checker *checker = all->checker;
    struct intern known;
    uint32_t number;
    int ret = 0;
    intern_init(&known);
    for (int i = 0; i < count && ret >= 0; i++)
        ret = intern_add(&known, seen[i], &number);
    checker->diagnostics->failed |= ret < 0;
    for (uint32_t i = 0; i < all->count && !checker->diagnostics->failed; i++) {
        const struct spelling *one = &all->items[i];
        if (!one->count || intern_find(&known, one->text) != INTERN_NONE)
            continue;
        struct seg_text meant = find_meant(all, one->text, seen, count);
        check_warning(checker, one->pos, "No event \"%s\" has come in yet.",
                      one->text.bytes);
        if (meant.bytes)
            diagnostics_suggest(checker->diagnostics,
                                "did you mean `\"%.*s\"`?", (int)meant.len,
                                meant.bytes);
    }
    intern_done(&known);
}

int seg_catalogue_check_events(const struct seg_catalogue *catalogue,
                               const struct seg_text *seen, int count,
                               struct seg_diagnostics *diagnostics)
{
    struct checker checker = {.rules = (struct rules *)&catalogue->rules,
                              .diagnostics = diagnostics};
    struct spellings all = {.checker = &checker};
    int from = diagnostics->count;
    intern_init(&all.exact);
    see_rules(&all, checker.rules);
    if (!diagnostics->failed)
        compare_seen(&all, seen, count);
    diagnostics_sort(diagnostics, from);
    intern_done(&all.exact);
    free(all.items);
    return diagnostics->failed ? SEG_ERR_NOMEM : 0;
}
