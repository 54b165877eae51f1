/* plan_json.c: what `segmentctl plan` found, as one JSON document. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/as_json.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/plan.h"

static json_t *texts_json(const char *const *texts, int count)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

static json_t *fields_json(const struct seg_difference *of)
{
    json_t *array = json_array();
    for (int i = 0; i < of->field_count; i++)
        json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "name",
                                               of->fields[i].name, "before",
                                               of->fields[i].before, "after",
                                               of->fields[i].after));
    return array;
}

static int is_kept(const struct seg_difference *of)
{
    return of->part == SEG_DIFF_FEATURE || of->part == SEG_DIFF_ATTRIBUTE;
}

static json_t *difference_json(const struct seg_difference *of)
{
    json_t *json = json_object();
    json_object_set_new(json, "part", json_string(plan_part_name(of->part)));
    json_object_set_new(json, "kind", json_string(plan_kind_name(of->kind)));
    json_object_set_new(json, "name", json_string(of->name));
    json_object_set_new(json, "fields", fields_json(of));
    json_object_set_new(json, "through",
                        texts_json(of->through, of->through_count));
    if (!is_kept(of))
        return json;
    json_object_set_new(json, "segments",
                        texts_json(of->segments, of->segment_count));
    if (of->kind == SEG_DIFF_ADDED || of->kind == SEG_DIFF_CHANGED)
        json_object_set_new(json, "decides_at",
                            as_json_instant(of->decides_ms));
    return json;
}

static json_t *users_json(const struct plan *plan)
{
    const struct plan_users *users = &plan->users;
    json_t *array = json_array();
    for (int i = 0; i < plan->segment_count; i++) {
        const struct plan_segment *of = &plan->segments[i];
        json_t *once =
            json_pack("{s:I, s:I}", "enter", (json_int_t)of->enter_at_once,
                      "leave", (json_int_t)of->leave_at_once);
        json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}",
                                               "segment", of->difference->name,
                                               "before", (json_int_t)of->before,
                                               "after", (json_int_t)of->after,
                                               "enter", (json_int_t)of->enter,
                                               "leave", (json_int_t)of->leave,
                                               "at_once", once));
    }
    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:o}", "file", users->path,
                     "clock", as_json_instant(users->clock_ms), "messages",
                     (json_int_t)users->messages, "bad_messages",
                     (json_int_t)users->bad, "users", (json_int_t)users->users,
                     "segments", array);
}

static json_t *now_json(const struct plan *plan)
{
    json_t *array = json_array();
    for (int i = 0; i < plan->segment_count; i++)
        if (plan->segments[i].now != PLAN_UNKNOWN)
            json_array_append_new(
                array, json_pack("{s:s, s:I}", "segment",
                                 plan->segments[i].difference->name, "members",
                                 (json_int_t)plan->segments[i].now));
    return json_pack("{s:s, s:b, s:o}", "catalogue", plan->now.catalogue,
                     "complete", plan->now.partitions == plan->now.of,
                     "segments", array);
}

static json_t *state_json(const struct plan *plan)
{
    json_t *array = json_array();
    for (int i = 0; i < plan->segment_count; i++) {
        const struct plan_segment *of = &plan->segments[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:I, s:I, s:I}", "segment",
                                        of->difference->name, "before",
                                        (json_int_t)of->state_before, "enter",
                                        (json_int_t)of->state_enter, "leave",
                                        (json_int_t)of->state_leave));
    }
    return json_pack("{s:s, s:I, s:o}", "topic", plan->state.topic, "users",
                     (json_int_t)plan->state.users, "segments", array);
}

int plan_print_json(const struct plan *plan)
{
    json_t *json = json_object(), *array = json_array();
    for (int i = 0; i < seg_diff_count(plan->diff); i++)
        json_array_append_new(array,
                              difference_json(seg_diff_at(plan->diff, i)));
    json_object_set_new(json, "before",
                        json_string(seg_catalogue_hash(plan->old_catalogue)));
    json_object_set_new(json, "after",
                        json_string(seg_catalogue_hash(plan->new_catalogue)));
    json_object_set_new(json, "at", as_json_instant(plan->at_ms));
    json_object_set_new(json, "differences", array);
    json_object_set_new(json, "users",
                        plan->users.path ? users_json(plan) : json_null());
    json_object_set_new(json, "now",
                        plan->now.asked ? now_json(plan) : json_null());
    json_object_set_new(json, "state",
                        plan->state.read ? state_json(plan) : json_null());
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text)
        return ctl_fail("%s", seg_error_sentence(SEG_ERR_NOMEM));
    puts(text);
    free(text);
    return CTL_GOOD;
}
