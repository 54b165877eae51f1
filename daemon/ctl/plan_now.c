/* plan_now.c: how many are in each segment of a running segmentd.
 *
 * Of several processes each knows its partitions, and names the others. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/plan.h"

#define ACCEPT "application/json"

static void take_members(struct plan *plan, json_t *segments)
{
    size_t i;
    json_t *one;
    json_array_foreach(segments, i, one)
    {
        const char *key = json_string_value(json_object_get(one, "key"));
        int row = key ? plan_find_segment(plan, key) : -1;
        if (row < 0)
            continue;
        struct plan_segment *segment = &plan->segments[row];
        segment->now += (segment->now == PLAN_UNKNOWN) +
                        json_integer_value(json_object_get(one, "members"));
    }
}

/* Ask ASKER and add what it has. Returns the answer, to be ended; NULL when
 * there was none of use, which is said. */
static json_t *ask_one(struct plan *plan, struct asker *asker)
{
    struct buf body;
    buf_init(&body);
    int status = ask_get(asker, "/v1/segments", ACCEPT, &body);
    json_t *json =
        status == 200 ? json_loadb(body.bytes, body.len, 0, NULL) : NULL;
    json_t *segments = json_object_get(json, "segments");
    if (status != 200) {
        ask_complain(asker, status, &body);
    } else if (!json_is_array(segments)) {
        ctl_fail("the answer is not segmentd's");
        json_decref(json);
        json = NULL;
    }
    buf_done(&body);
    if (!json)
        return NULL;
    json_t *partitions = json_object_get(json, "partitions");
    const char *hash = json_string_value(json_object_get(json, "catalogue"));
    take_members(plan, segments);
    plan->now.partitions +=
        json_integer_value(json_object_get(partitions, "here"));
    plan->now.of = json_integer_value(json_object_get(partitions, "total"));
    snprintf(plan->now.catalogue, sizeof(plan->now.catalogue), "%s",
             hash ? hash : "");
    return json;
}

int plan_ask_now(struct plan *plan, const struct ask_options *options)
{
    struct asker *asker = NULL;
    int status = ask_open(&asker, options);
    if (status != CTL_GOOD)
        return status;
    json_t *json = ask_one(plan, asker), *url;
    size_t i;
    status = json ? CTL_GOOD : CTL_FAILED;
    json_array_foreach(json_object_get(json, "others"), i, url)
    {
        json_t *other =
            json_is_string(url) && !ask_go(asker, json_string_value(url))
                ? ask_one(plan, asker)
                : NULL;
        json_decref(other);
    }
    json_decref(json);
    ask_close(asker);
    plan->now.asked = status == CTL_GOOD;
    return status;
}
