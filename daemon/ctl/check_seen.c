/* check_seen.c: the events that a running segmentd has seen.
 *
 * Of several processes each knows its own, and names the others. Only when all
 * of them have said all of theirs is a name that is not among them one that
 * never came in. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/check.h"
#include "daemon/ctl/ctl.h"

#define ACCEPT "application/json"

static int add_events(struct check_seen *seen, json_t *events)
{
    size_t i;
    json_t *name;
    uint32_t number;
    json_array_foreach(events, i, name)
    {
        struct seg_text text = {json_string_value(name),
                                json_string_length(name)};
        if (text.bytes && intern_add(&seen->names, text, &number) < 0)
            return SEG_ERR_NOMEM;
    }
    return 0;
}

/* The latest of all: since then nothing was missed. */
static void add_since(struct check_seen *seen, json_t *since)
{
    const char *text = json_string_value(since);
    if (text && strcmp(text, seen->since) > 0)
        snprintf(seen->since, sizeof(seen->since), "%s", text);
}

/* Ask ASKER and add what it has. Returns the answer, to be ended; NULL when
 * there was none of use, which is said. */
static json_t *ask_one(struct check_seen *seen, struct asker *asker)
{
    struct buf body;
    buf_init(&body);
    int status = ask_get(asker, "/v1/events", ACCEPT, &body);
    json_t *json =
        status == 200 ? json_loadb(body.bytes, body.len, 0, NULL) : NULL;
    json_t *events = json_object_get(json, "events");
    if (status != 200)
        ask_complain(asker, status, &body);
    else if (!json_is_array(events))
        ctl_fail("the answer is not segmentd's");
    buf_done(&body);
    if (json_is_array(events) && add_events(seen, events) == 0) {
        json_t *partitions = json_object_get(json, "partitions");
        seen->full |= json_is_true(json_object_get(json, "full"));
        seen->here += json_integer_value(json_object_get(partitions, "here"));
        seen->total = json_integer_value(json_object_get(partitions, "total"));
        add_since(seen, json_object_get(json, "since"));
        return json;
    }
    json_decref(json);
    return NULL;
}

int check_ask_seen(struct check_seen *seen, const struct ask_options *options)
{
    struct asker *asker = NULL;
    int status = ask_open(&asker, options);
    if (status != CTL_GOOD)
        return status;
    json_t *json = ask_one(seen, asker), *url;
    size_t i;
    status = json ? CTL_GOOD : CTL_FAILED;
    json_array_foreach(json_object_get(json, "others"), i, url)
    {
        json_t *other =
            json_is_string(url) && !ask_go(asker, json_string_value(url))
                ? ask_one(seen, asker)
                : NULL;
        json_decref(other);
    }
    json_decref(json);
    ask_close(asker);
    return status;
}

const char *check_not_all(const struct check_seen *seen)
{
    if (seen->full)
        return "segmentd has seen more names of events than it notes: one that "
               "is not among them may have come in";
    if (seen->here < seen->total)
        return "not all partitions are running, or not all processes answered: "
               "an event that is not known here may have come in there";
    return NULL;
}
