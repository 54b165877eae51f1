/* names.c: the names of events that have come in. */
#include "daemon/partition/names.h"

#include <seg/error.h>

void names_init(struct names *names, int64_t now_ms)
{
    *names = (struct names){.since_ms = now_ms};
    intern_init(&names->all);
}

void names_done(struct names *names)
{
    intern_done(&names->all);
}

/* Note NAME; COUNT and MAX of its kind. */
static int note(struct names *names, struct seg_text name, uint32_t *count,
                uint32_t max)
{
    uint32_t number;
    int ret = 0;
    if (intern_find(&names->all, name) != INTERN_NONE)
        return 0;
    if (*count < max)
        ret = intern_add(&names->all, name, &number);
    if (ret == 1)
        ++*count;
    else
        names->full = 1;
    return ret < 0 ? ret : 0;
}

void names_see(struct names *names, const struct seg_event *event)
{
    if (event->name_id == SEG_NAME_NONE)
        note(names, event->name, &names->strangers, NAMES_STRANGERS_MAX);
    else
        note(names, event->name, &names->wanted, NAMES_WANTED_MAX);
}

int names_merge(struct names *to, const struct names *from)
{
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < from->all.count; i++)
        ret = note(to, from->all.texts[i], &to->wanted, NAMES_WANTED_MAX);
    to->full |= from->full;
    if (from->since_ms > to->since_ms)
        to->since_ms = from->since_ms;
    return ret;
}
