/* shrink.c: leave out one thing after the other, as long as it still fails. */
#include "tests/model/shrink.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/segment/format.h"
#include "lib/segment/parse.h"

static char first_failure[DRIVE_FAILURE_BYTES];

/* What fails, without where: "step 5: the clock is 7" and "step 2: the clock is
 * 9" are the same. */
static int same_failure(const char *a, const char *b)
{
    a = strchr(a, ':') ? strchr(a, ':') : a;
    b = strchr(b, ':') ? strchr(b, ':') : b;
    for (int i = 0; i < 24 && *a && *a == *b && (*a < '0' || *a > '9'); i++)
        a++, b++;
    return *a == *b || (*a >= '0' && *a <= '9');
}

/* Whether CANDIDATE fails as HISTORY does. It then takes its place; else it
 * ends. */
static int accept(struct run *run, struct history *history,
                  struct history *candidate)
{
    if (run_one(run, candidate) != DRIVE_DIFFERENT ||
        !same_failure(run->failure, first_failure)) {
        history_done(candidate);
        return 0;
    }
    history_done(history);
    *history = *candidate;
    return 1;
}

/* ---- steps and segments -------------------------------------------------- */

static int cut_steps(struct run *run, struct history *h)
{
    int changed = 0;
    for (int size = h->step_count / 2; size > 0; size /= 2) {
        for (int at = h->step_count - size; at >= 0; at -= size) {
            struct history candidate;
            if (at + size > h->step_count)
                continue;
            history_copy(&candidate, h);
            history_cut(&candidate, at, at + size);
            changed |= accept(run, h, &candidate);
        }
    }
    return changed;
}

/* Out of all catalogues that have it in these words, or out of one. */
static int cut_segment(struct run *run, struct history *h, int catalogue,
                       int index, int everywhere)
{
    struct history candidate;
    const char *text = h->catalogues[catalogue].segments[index];
    history_copy(&candidate, h);
    for (int c = 0; c < h->catalogue_count; c++)
        for (int i = h->catalogues[c].count - 1; i >= 0; i--)
            if ((everywhere && !strcmp(h->catalogues[c].segments[i], text)) ||
                (c == catalogue && i == index))
                history_cut_segment(&candidate, c, i);
    return accept(run, h, &candidate);
}

static int cut_segments(struct run *run, struct history *h)
{
    int changed = 0;
    for (int c = 0; c < h->catalogue_count; c++)
        for (int everywhere = 1; everywhere >= 0; everywhere--)
            for (int i = h->catalogues[c].count - 1; i >= 0; i--)
                if (i < h->catalogues[c].count && h->catalogues[c].count > 1)
                    changed |= cut_segment(run, h, c, i, everywhere);
    return changed;
}

/* ---- lines of a segment -------------------------------------------------- */

/* TEXT without its line LINE (from 0), WITH in its place. Heap. */
static char *replace_line(const char *text, int line, const char *with)
{
    struct buf out;
    buf_init(&out);
    for (int i = 0; *text; i++) {
        const char *end = strchr(text, '\n');
        size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
        if (i == line)
            buf_str(&out, with);
        else
            buf_add(&out, text, len);
        text += len;
    }
    return buf_take(&out);
}

static int count_lines(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* In all catalogues that have the segment in these words. */
static int try_line(struct run *run, struct history *h, int catalogue,
                    int segment, int line, const char *with)
{
    struct history candidate;
    const char *text = h->catalogues[catalogue].segments[segment];
    history_copy(&candidate, h);
    for (int c = 0; c < h->catalogue_count; c++)
        for (int i = 0; i < h->catalogues[c].count; i++) {
            struct catalogue_text *to = &candidate.catalogues[c];
            if (strcmp(h->catalogues[c].segments[i], text) != 0)
                continue;
            free(to->segments[i]);
            to->segments[i] = replace_line(text, line, with);
        }
    return accept(run, h, &candidate);
}

static int cut_lines(struct run *run, struct history *h)
{
    int changed = 0;
    for (int c = 0; c < h->catalogue_count; c++)
        for (int i = 0; i < h->catalogues[c].count; i++)
            for (int line = count_lines(h->catalogues[c].segments[i]) - 2;
                 line > 0; line--)
                changed |= try_line(run, h, c, i, line, "");
    return changed;
}

/* ---- conditions ---------------------------------------------------------- */

/* Every part of COND below the top, in spelling, as the line `when`. */
static void collect(const struct rule_cond *cond, int top, char **out, int *n,
                    int max)
{
    struct buf text;
    if (!top && *n < max) {
        buf_init(&text);
        buf_str(&text, "  when ");
        format_cond(&text, cond, FORMAT_LIST_VALUES);
        buf_char(&text, '\n');
        out[(*n)++] = buf_take(&text);
    }
    for (int i = 0; i < cond->count; i++)
        collect(cond->children[i], 0, out, n, max);
}

#define PARTS_MAX 64

static int parts_of(const char *segment, char **out)
{
    struct seg_diagnostics *diagnostics;
    struct seg_source source = {"shrink.seg", segment, strlen(segment)};
    struct rules rules;
    int n = 0;
    rules_init(&rules);
    if (seg_diagnostics_new(&diagnostics) < 0)
        return 0;
    if (!parse_source(&rules, &source, diagnostics) && rules.segments[0].when)
        collect(rules.segments[0].when, 1, out, &n, PARTS_MAX);
    seg_diagnostics_free(diagnostics);
    rules_done(&rules);
    return n;
}

static int line_of_when(const char *segment)
{
    const char *when = strstr(segment, "\n  when ");
    int line = 1;
    for (const char *at = segment; when && at < when; at++)
        line += *at == '\n';
    return when ? line : -1;
}

static int cut_condition(struct run *run, struct history *h, int catalogue,
                         int segment)
{
    char *parts[PARTS_MAX];
    const char *text = h->catalogues[catalogue].segments[segment];
    int line = line_of_when(text), done = 0;
    int n = line < 0 ? 0 : parts_of(text, parts);
    for (int p = 0; p < n; p++) {
        if (!done)
            done = try_line(run, h, catalogue, segment, line, parts[p]);
        free(parts[p]);
    }
    return done;
}

static int cut_conditions(struct run *run, struct history *h)
{
    int changed = 0;
    for (int c = 0; c < h->catalogue_count; c++)
        for (int i = 0; i < h->catalogues[c].count; i++)
            changed |= cut_condition(run, h, c, i);
    return changed;
}

/* ---- messages ------------------------------------------------------------ */

/* Take member NAME of the object at SECTION (NULL: the message) out of the
 * message of step INDEX. */
static int try_member(struct run *run, struct history *h, int index,
                      const char *section, const char *name)
{
    struct history candidate;
    json_t *json = json_loads(h->steps[index].text, JSON_ALLOW_NUL, NULL);
    json_t *object = section ? json_object_get(json, section) : json;
    if (!json || json_object_del(object, name) < 0) {
        json_decref(json);
        return 0;
    }
    history_copy(&candidate, h);
    free(candidate.steps[index].text);
    candidate.steps[index].text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return accept(run, h, &candidate);
}

static int cut_section(struct run *run, struct history *h, int index,
                       const char *section)
{
    json_t *json = json_loads(h->steps[index].text, JSON_ALLOW_NUL, NULL);
    json_t *object = section ? json_object_get(json, section) : json, *value;
    const char *name;
    int changed = 0;
    json_object_foreach(object, name, value) changed |=
        try_member(run, h, index, section, name);
    json_decref(json);
    return changed;
}

static int cut_members(struct run *run, struct history *h)
{
    static const char *const sections[] = {"properties", "context", "traits",
                                           NULL};
    int changed = 0;
    for (int i = 0; i < h->step_count; i++)
        for (int s = 0; h->steps[i].text && s < 4; s++)
            changed |= cut_section(run, h, i, sections[s]);
    return changed;
}

void shrink(struct run *run, struct history *h)
{
    int changed = 1;
    memcpy(first_failure, run->failure, sizeof(first_failure));
    for (int round = 0; changed && round < 6; round++) {
        changed = cut_steps(run, h);
        changed |= cut_segments(run, h);
        changed |= cut_lines(run, h);
        changed |= cut_conditions(run, h);
    }
    if (h->step_count < 60)
        cut_members(run, h);
    run_one(run, h);
}
