/* render.c: answers as JSON and as text.
 *
 * jansson answers NULL when memory ran out and passes NULL on when it is added
 * to something, so only the end is looked at: dump() of an object that misses a
 * member through lack of memory is possible, and harmless. */
#include "daemon/http/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/base/as_json.h"
#include "daemon/http/cursor.h"
#include "daemon/kafka/owners.h"
#include "daemon/partition/names.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"

/* ---- values ---------------------------------------------------------- */

static json_t *text_json(struct seg_text text)
{
    json_t *json =
        text.bytes ? json_stringn(text.bytes, text.len) : json_null();
    return json ? json : json_null(); /* No UTF-8. */
}

static json_t *string_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

#define FEW_DIGITS 15 /* Enough for what somebody wrote. */
#define DIGITS     17 /* For any number. */

/* Whether a number below JSON needs more than a few digits: 9.715319412 is not
 * to be 9.7153194119999995. */
static int needs_digits(const json_t *json)
{
    const char *name;
    json_t *value;
    char text[40];
    size_t i;
    int needs = 0;
    if (json_is_real(json)) {
        snprintf(text, sizeof(text), "%.*g", FEW_DIGITS, json_real_value(json));
        return strtod(text, NULL) != json_real_value(json);
    }
    json_object_foreach((json_t *)json, name, value) needs |=
        needs_digits(value);
    json_array_foreach(json, i, value) needs |= needs_digits(value);
    return needs;
}

/* JSON as a heap string; JSON is ended. */
static char *dump(json_t *json)
{
    int digits = needs_digits(json) ? DIGITS : FEW_DIGITS;
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY |
                                      (size_t)JSON_REAL_PRECISION(digits));
    size_t len = text ? strlen(text) : 0;
    json_decref(json);
    char *line = realloc(text, len + 2);
    if (!line || !len) {
        free(line ? line : text);
        return NULL;
    }
    strcpy(line + len, "\n");
    return line;
}

char *render_error(const char *message)
{
    json_t *json = json_object();
    json_object_set_new(json, "error", json_string(message));
    return dump(json);
}

char *render_reloaded(const struct seg_catalogue *catalogue, const char *before,
                      const char *said)
{
    json_t *json = json_object();
    json_object_set_new(json, "catalogue",
                        json_string(seg_catalogue_hash(catalogue)));
    json_object_set_new(json, "before", json_string(before));
    json_object_set_new(json, "segments",
                        json_integer(seg_catalogue_segment_count(catalogue)));
    json_object_set_new(json, "said", json_string(said));
    return dump(json);
}

char *render_not_reloaded(const struct seg_catalogue *catalogue,
                          const char *said)
{
    json_t *json = json_object();
    json_object_set_new(
        json, "error",
        json_string("The segment files are refused; the catalogue before stays "
                    "in force."));
    json_object_set_new(json, "catalogue",
                        json_string(seg_catalogue_hash(catalogue)));
    json_object_set_new(json, "said", json_string(said));
    return dump(json);
}

char *render_resumed(int inputs)
{
    json_t *json = json_object();
    json_object_set_new(json, "resumed", json_integer(inputs));
    return dump(json);
}

/* What every answer about a user begins with. */
static json_t *user_head(const struct render_user *found,
                         struct seg_user_info *info)
{
    json_t *json = json_object();
    seg_user_info(found->engine, found->user, info);
    json_object_set_new(json, "user", text_json(info->id));
    json_object_set_new(json, "partition", json_integer(found->partition));
    json_object_set_new(json, "catalogue",
                        json_string(seg_catalogue_hash(found->catalogue)));
    json_object_set_new(json, "clock",
                        as_json_instant(seg_engine_clock(found->engine)));
    return json;
}

/* ---- one user -------------------------------------------------------- */

static json_t *memberships_json(const struct render_user *found)
{
    struct seg_membership few[64], *all = few;
    json_t *json = json_array();
    int count = seg_user_memberships(found->engine, found->user, few, 64);
    if (count > 64) {
        all = calloc((size_t)count, sizeof(*all));
        count =
            all ? seg_user_memberships(found->engine, found->user, all, count)
                : 0;
    }
    for (int i = 0; i < count; i++) {
        struct seg_segment_info segment = {.title = ""};
        json_t *one = json_object();
        if (all[i].segment < seg_catalogue_segment_count(found->catalogue))
            seg_catalogue_segment(found->catalogue, all[i].segment, &segment);
        json_object_set_new(one, "segment", text_json(all[i].key));
        json_object_set_new(one, "title", json_string(segment.title));
        json_object_set_new(one, "entered_at",
                            as_json_instant(all[i].entered_at_ms));
        json_array_append_new(json, one);
    }
    if (all != few)
        free(all);
    return json;
}

static void add_attribute(void *arg, const struct seg_attribute *attribute)
{
    json_t *of = json_object_get(arg, attribute->account ? "account" : "user");
    char *name = strndup(attribute->name.bytes, attribute->name.len);
    if (name)
        json_object_set_new(of, name, as_json_value(&attribute->value));
    free(name);
}

static json_t *attributes_json(const struct render_user *found)
{
    json_t *json = json_object();
    json_object_set_new(json, "user", json_object());
    json_object_set_new(json, "account", json_object());
    seg_user_attributes(found->engine, found->user, add_attribute, json);
    return json;
}

static void add_trait(void *arg, const struct seg_trait *trait)
{
    char *name = strndup(trait->name.bytes, trait->name.len);
    if (name)
        json_object_set_new(arg, name, as_json_value(&trait->value));
    free(name);
}

static json_t *traits_json(const struct render_user *found)
{
    json_t *json = json_object();
    seg_user_traits(found->engine, found->user, add_trait, json);
    return json;
}

char *render_user(const struct render_user *found)
{
    struct seg_user_info info;
    json_t *json = user_head(found, &info);
    json_object_set_new(json, "account", text_json(info.account));
    json_object_set_new(json, "seq", json_integer(info.seq));
    json_object_set_new(json, "trigger_seq", json_integer(info.trigger_seq));
    json_object_set_new(json, "last_change_at",
                        as_json_instant(info.last_change_ms));
    json_object_set_new(json, "next_due_at", as_json_instant(info.next_due_ms));
    json_object_set_new(json, "bytes", json_integer((json_int_t)info.bytes));
    json_object_set_new(json, "memberships", memberships_json(found));
    json_object_set_new(json, "attributes", attributes_json(found));
    json_object_set_new(json, "traits", traits_json(found));
    return dump(json);
}

/* ---- why ------------------------------------------------------------- */

static json_t *holds_json(int truth)
{
    return truth == SEG_UNKNOWN ? json_null() : json_boolean(truth == SEG_TRUE);
}

/* How far a sequence is. */
static json_t *steps_json(const struct seg_reason *reason)
{
    json_t *json = json_object();
    json_object_set_new(json, "of", json_integer(reason->steps));
    json_object_set_new(json, "matched", json_integer(reason->matched));
    json_object_set_new(json, "matched_at",
                        as_json_instant(reason->matched_ms));
    json_object_set_new(json, "due_at", as_json_instant(reason->step_due_ms));
    return json;
}

/* When the events of its value were, newest first. */
static json_t *events_of_json(const struct seg_reason *reason)
{
    json_t *json = json_array();
    for (int i = 0; i < reason->event_count; i++)
        json_array_append_new(json, as_json_instant(reason->events_ms[i]));
    return json;
}

/* The reason at *INDEX with the reasons below it; *INDEX moves behind them. */
static json_t *tree_json(const struct seg_explanation *why, int *index)
{
    const struct seg_reason *reason = seg_explanation_at(why, (*index)++);
    json_t *json = json_object(), *children = json_array();
    int count = seg_explanation_count(why);
    json_object_set_new(json, "condition", json_string(reason->condition));
    json_object_set_new(json, "holds", holds_json(reason->truth));
    json_object_set_new(json, "value", as_json_value(&reason->value));
    json_object_set_new(json, "needed", string_or_null(reason->needed));
    if (reason->other.type != SEG_MISSING)
        json_object_set_new(json, "other", as_json_value(&reason->other));
    json_object_set_new(json, "events", events_of_json(reason));
    json_object_set_new(json, "more_events", json_boolean(reason->more_events));
    if (reason->steps)
        json_object_set_new(json, "steps", steps_json(reason));
    if (reason->segment >= 0)
        json_object_set_new(json, "member_since",
                            as_json_instant(reason->since_ms));
    json_object_set_new(json, "changes_at",
                        as_json_instant(reason->changes_at_ms));
    if (reason->observed_ms != SEG_NEVER) {
        json_object_set_new(json, "observed_since",
                            as_json_instant(reason->observed_ms));
        json_object_set_new(json, "decides_at",
                            as_json_instant(reason->decides_ms));
    }
    while (*index < count &&
           seg_explanation_at(why, *index)->depth > reason->depth)
        json_array_append_new(children, tree_json(why, index));
    json_object_set_new(json, "children", children);
    return json;
}

static json_t *explanation_json(const struct render_user *found, int segment)
{
    struct seg_segment_info info;
    struct seg_explanation *why = NULL;
    int64_t entered_at_ms;
    int index = 0;
    if (seg_explain(&why, found->engine, found->user, segment) < 0)
        return NULL;
    json_t *json = json_object();
    char *text = seg_explanation_text(why);
    int member = seg_explanation_member(why, &entered_at_ms);
    seg_catalogue_segment(found->catalogue, segment, &info);
    json_object_set_new(json, "key", json_string(info.key));
    json_object_set_new(json, "title", json_string(info.title));
    json_object_set_new(json, "shadow", json_boolean(info.shadow));
    json_object_set_new(json, "member", json_boolean(member));
    json_object_set_new(json, "entered_at",
                        as_json_instant(member ? entered_at_ms : SEG_NEVER));
    json_object_set_new(json, "text", json_string(text ? text : ""));
    json_object_set_new(json, "tree",
                        seg_explanation_count(why) ? tree_json(why, &index)
                                                   : json_null());
    free(text);
    seg_explanation_free(why);
    return json;
}

static int segment_end(const struct render_user *found, int segment)
{
    return segment < 0 ? seg_catalogue_segment_count(found->catalogue)
                       : segment + 1;
}

char *render_explain(const struct render_user *found, int segment)
{
    struct seg_user_info info;
    json_t *json = user_head(found, &info), *segments = json_array();
    int missing = 0;
    for (int i = segment < 0 ? 0 : segment; i < segment_end(found, segment);
         i++)
        missing |= json_array_append_new(segments, explanation_json(found, i));
    json_object_set_new(json, "segments", segments);
    if (!missing)
        return dump(json);
    json_decref(json);
    return NULL;
}

/* Returns 0, or SEG_ERR_NOMEM. */
static int explain_text(struct buf *out, const struct render_user *found,
                        int segment)
{
    struct seg_segment_info info;
    struct seg_explanation *why = NULL;
    if (seg_explain(&why, found->engine, found->user, segment) < 0)
        return SEG_ERR_NOMEM;
    char *text = seg_explanation_text(why);
    seg_catalogue_segment(found->catalogue, segment, &info);
    if (out->len)
        buf_char(out, '\n');
    buf_str(out, info.key);
    if (*info.title)
        buf_printf(out, " (%s)", info.title);
    buf_printf(out, ": %s", text ? text : "");
    seg_explanation_free(why);
    free(text);
    return text ? 0 : SEG_ERR_NOMEM;
}

char *render_explain_text(const struct render_user *found, int segment)
{
    struct buf out;
    int err = 0;
    buf_init(&out);
    for (int i = segment < 0 ? 0 : segment; i < segment_end(found, segment);
         i++)
        err |= explain_text(&out, found, i);
    char *text = err ? NULL : buf_take(&out);
    buf_done(&out);
    return text;
}

/* ---- all segments ------------------------------------------ */

/* URLs of those of COUNT processes that tell one. */
static json_t *urls_json(const struct owners_process *processes, int count)
{
    json_t *urls = json_array();
    char url[OWNERS_ADDRESS_BYTES + 16];
    for (int i = 0; i < count; i++) {
        snprintf(url, sizeof(url), "http://%s", processes[i].address);
        if (*processes[i].address)
            json_array_append_new(urls, json_string(url));
    }
    return urls;
}

static json_t *others_json(const struct owners_question *others)
{
    return others && others->verdict == OWNERS_ELSEWHERE
               ? urls_json(others->list, others->count)
               : json_null();
}

static json_t *here_json(const struct seg_catalogue *catalogue,
                         const struct render_here *here)
{
    json_t *json = json_object();
    json_object_set_new(json, "catalogue",
                        json_string(seg_catalogue_hash(catalogue)));
    json_object_set_new(
        json, "partitions",
        json_pack("{s:i, s:i}", "here", here->here, "total", here->total));
    json_object_set_new(json, "complete",
                        json_boolean(here->here == here->total));
    json_object_set_new(json, "others", others_json(here->others));
    return json;
}

static json_t *backfills_json(const struct render_sizes *sizes)
{
    json_t *json = json_array();
    for (int i = 0; i < sizes->backfill_count; i++) {
        const struct render_backfill *one = &sizes->backfills[i];
        json_array_append_new(
            json, json_pack("{s:i, s:s, s:o, s:I, s:I}", "partition",
                            one->partition, "step", one->step, "reason",
                            string_or_null(one->reason ? one->reason : ""),
                            "read", (json_int_t)one->read, "remaining",
                            (json_int_t)one->remaining));
    }
    return json;
}

char *render_segments(const struct render_sizes *sizes,
                      const struct render_here *here)
{
    const struct seg_catalogue *catalogue = sizes->catalogue;
    json_t *json = here_json(catalogue, here), *segments = json_array();
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        struct seg_segment_info info;
        json_t *one = json_object(), *tags = json_array();
        seg_catalogue_segment(catalogue, i, &info);
        json_object_set_new(one, "key", json_string(info.key));
        json_object_set_new(one, "title", string_or_null(info.title));
        json_object_set_new(one, "owner", string_or_null(info.owner));
        json_object_set_new(one, "docs", string_or_null(info.docs));
        for (int j = 0; j < info.tag_count; j++)
            json_array_append_new(tags, text_json(info.tags[j]));
        json_object_set_new(one, "tags", tags);
        json_object_set_new(one, "condition", string_or_null(info.condition));
        json_object_set_new(one, "shadow", json_boolean(info.shadow));
        json_object_set_new(one, "members", json_integer(sizes->members[i]));
        json_array_append_new(segments, one);
    }
    json_object_set_new(json, "backfills", backfills_json(sizes));
    json_object_set_new(json, "segments", segments);
    return dump(json);
}

/* ---- events ------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b)
{
    const struct seg_text *x = a, *y = b;
    return strcmp(x->bytes, y->bytes);
}

/* Half a list would be as good as none: NULL. */
static json_t *events_json(const struct names *names)
{
    uint32_t count = names->all.count;
    json_t *events = json_array();
    struct seg_text *sorted = calloc(count + 1ul, sizeof(*sorted));
    int missing = !sorted;
    if (sorted && count)
        memcpy(sorted, names->all.texts, count * sizeof(*sorted));
    if (sorted)
        qsort(sorted, count, sizeof(*sorted), by_bytes);
    for (uint32_t i = 0; !missing && i < count; i++)
        missing = json_array_append_new(events, text_json(sorted[i])) < 0;
    free(sorted);
    if (!missing)
        return events;
    json_decref(events);
    return NULL;
}

char *render_events(const struct seg_catalogue *catalogue,
                    const struct names *names, const struct render_here *here)
{
    json_t *json = here_json(catalogue, here), *events = events_json(names);
    json_object_set_new(json, "since", as_json_instant(names->since_ms));
    json_object_set_new(json, "full", json_boolean(names->full));
    if (events && json_object_set_new(json, "events", events) == 0)
        return dump(json);
    json_decref(json);
    return NULL;
}

/* ---- members ----------------------------------------------------------- */

static json_t *member_json(const struct render_member *member)
{
    json_t *json = json_object();
    json_object_set_new(json, "user", text_json(member->id));
    json_object_set_new(json, "partition", json_integer(member->partition));
    json_object_set_new(json, "entered_at",
                        as_json_instant(member->entered_at_ms));
    json_object_set_new(json, "seq", json_integer(member->seq));
    return json;
}

static json_t *follow_json(const struct render_members *page)
{
    json_t *json = json_object(), *positions = json_array();
    json_object_set_new(json, "topic", json_sprintf("%s.changes", page->app));
    json_object_set_new(
        json, "complete",
        json_boolean(page->position_count == page->partition_count));
    json_object_set_new(json, "partitions",
                        json_integer(page->partition_count));
    for (int i = 0; i < page->position_count; i++)
        json_array_append_new(
            positions,
            json_pack("{s:i, s:I}", "partition", page->positions[i].partition,
                      "offset", (json_int_t)page->positions[i].position));
    json_object_set_new(json, "positions", positions);
    return json;
}

char *render_members(const struct render_members *page)
{
    json_t *json = json_object(), *members = json_array();
    int missing = 0;
    for (size_t i = 0; i < page->count; i++)
        missing |=
            json_array_append_new(members, member_json(&page->members[i]));
    json_object_set_new(json, "segment", json_string(page->segment));
    json_object_set_new(json, "catalogue", json_string(page->catalogue));
    json_object_set_new(json, "members", members);
    json_object_set_new(json, "next",
                        page->next ? json_string(page->next) : json_null());
    json_object_set_new(json, "follow",
                        page->next ? json_null() : follow_json(page));
    if (!missing)
        return dump(json);
    json_decref(json);
    return NULL;
}

/* ---- readiness --------------------------------------------------------- */

char *render_ready(int ready, const char *reason,
                   const struct render_partition *partitions, int count)
{
    json_t *json = json_object(), *rows = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(rows, json_pack("{s:i, s:s, s:s}", "partition",
                                              partitions[i].partition, "state",
                                              partitions[i].state, "reason",
                                              partitions[i].reason));
    json_object_set_new(json, "ready", json_boolean(ready));
    json_object_set_new(json, "reason", string_or_null(reason));
    json_object_set_new(json, "partitions", rows);
    return dump(json);
}

/* ---- elsewhere ----------------------------------------------------------- */

char *render_elsewhere(const char *error, int partition,
                       const struct owners_process *processes, int count)
{
    json_t *json = json_pack("{s:s}", "error", error);
    json_t *urls = urls_json(processes, count),
           *owner = json_array_get(urls, 0);
    int known = partition >= 0;
    json_object_set_new(json, "partition",
                        known ? json_integer(partition) : json_null());
    json_object_set(json, "owner", known && owner ? owner : json_null());
    json_object_set_new(json, "owners", urls);
    return dump(json);
}
