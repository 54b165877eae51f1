/* history_copy.c: the whole of a case: copied, cut, printed. */
#include <assert.h>
#include <seg/engine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "tests/model/history.h"

/* ---- copies -------------------------------------------------------------- */

void history_done(struct history *h)
{
    for (int i = 0; i < h->step_count; i++)
        free(h->steps[i].text);
    for (int i = 0; i < h->catalogue_count; i++)
        catalogue_text_done(&h->catalogues[i]);
    free(h->steps);
    free(h->lists);
    free(h->later);
    *h = (struct history){0};
}

static char *copy_text(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    assert(copy || !text);
    return copy;
}

void history_copy(struct history *out, const struct history *from)
{
    *out = *from;
    out->lists = copy_text(from->lists);
    out->later = copy_text(from->later);
    for (int i = 0; i < from->catalogue_count; i++)
        for (int s = 0; s < from->catalogues[i].count; s++)
            out->catalogues[i].segments[s] =
                copy_text(from->catalogues[i].segments[s]);
    out->steps = malloc((size_t)(from->step_count + 1) * sizeof(*out->steps));
    assert(out->steps);
    out->step_cap = (size_t)from->step_count + 1;
    for (int i = 0; i < from->step_count; i++) {
        out->steps[i] = from->steps[i];
        out->steps[i].text = copy_text(from->steps[i].text);
    }
}

void history_cut(struct history *h, int from, int to)
{
    for (int i = from; i < to; i++)
        free(h->steps[i].text);
    memmove(h->steps + from, h->steps + to,
            (size_t)(h->step_count - to) * sizeof(*h->steps));
    h->step_count -= to - from;
}

void history_cut_segment(struct history *h, int catalogue, int index)
{
    struct catalogue_text *c = &h->catalogues[catalogue];
    free(c->segments[index]);
    memmove(c->segments + index, c->segments + index + 1,
            (size_t)(c->count - index - 1) * sizeof(*c->segments));
    c->count--;
}

void history_catalogue(const struct history *h, int index, struct buf *out)
{
    const struct catalogue_text *c = &h->catalogues[index];
    buf_str(out, h->lists);
    buf_str(out, index ? h->later : "");
    for (int i = 0; i < c->count; i++)
        buf_str(out, c->segments[i]);
}

/* ---- for people ---------------------------------------------------------- */

static void print_time(const char *label, int64_t ms)
{
    char text[25];
    instant_string(text, ms);
    fprintf(stderr, " %s %s", label, text);
}

static void print_step(int index, const struct step *step)
{
    static const char *const names[] = {"message", "advance", "flush",
                                        "export",  "redo",    "change",
                                        "sweep",   "backfill"};
    fprintf(stderr, "%3d %-8s", index, names[step->kind]);
    if (step->kind == STEP_MESSAGE || step->kind == STEP_ADVANCE)
        print_time("clock", step->clock_ms);
    else
        fprintf(stderr, " variant %u", step->variant);
    if (step->kind == STEP_CHANGE)
        fprintf(stderr, " to catalogue %d%s", step->catalogue,
                step->variant & STEP_WHILE_DOWN ? " while down" : "");
    if (step->wall_ms != SEG_NEVER)
        print_time("wall", step->wall_ms);
    if (step->kind == STEP_MESSAGE) {
        print_time("record", step->record_ms);
        fprintf(stderr, " %s[%lld] %s", world_topic(step->topic),
                (long long)step->offset, step->text);
    }
    fputc('\n', stderr);
}

void history_print(const struct history *h)
{
    static const char *const names[] = {"mixed", "dedupe", "order",
                                        "dense", "large",  "crowd",
                                        "wide",  "tight",  "late"};
    fprintf(stderr, "# %s, user_bytes_max %u, trigger_max_age %lld ms\n%s",
            names[h->kind], h->user_bytes_max, (long long)h->trigger_max_age_ms,
            h->lists);
    for (int i = 0; i < h->catalogue_count; i++) {
        if (i)
            fprintf(stderr, "# catalogue %d\n%s", i, h->later);
        for (int s = 0; s < h->catalogues[i].count; s++)
            fprintf(stderr, "%s", h->catalogues[i].segments[s]);
    }
    for (int i = 0; i < h->step_count; i++)
        print_step(i, &h->steps[i]);
}
