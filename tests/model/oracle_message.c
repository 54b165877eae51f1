/* oracle_message.c: one message of the Segment spec, read with jansson. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

static struct seg_text text_of_json(const json_t *json)
{
    if (!json_is_string(json))
        return (struct seg_text){NULL, 0};
    return (struct seg_text){json_string_value(json), json_string_length(json)};
}

static int is_word(struct seg_text text, const char *word)
{
    return text.bytes && text.len == strlen(word) &&
           !memcmp(text.bytes, word, text.len);
}

static int is_absent(const json_t *json)
{
    return !json || json_is_null(json);
}

/* jansson has no double for integers beyond 64 bits unless asked for doubles
 * throughout. */
static json_t *load(const char *text, size_t len)
{
    json_error_t error;
    size_t flags = JSON_ALLOW_NUL;
    json_t *json = json_loadb(text, len, flags, &error);
    if (!json && json_error_code(&error) == json_error_numeric_overflow)
        json = json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, &error);
    return json;
}

static int read_type(struct oracle_message *m)
{
    static const struct {
        const char *word;
        enum seg_event_type type;
    } types[] = {{"track", SEG_TRACK},
                 {"page", SEG_PAGE},
                 {"screen", SEG_SCREEN},
                 {"identify", SEG_IDENTIFY},
                 {"group", SEG_GROUP}};
    struct seg_text word = text_of_json(json_object_get(m->json, "type"));
    if (is_absent(json_object_get(m->json, "type")))
        return SEG_ERR_TYPE_MISSING;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_word(word, types[i].word)) {
            m->type = types[i].type;
            return 0;
        }
    }
    return is_word(word, "alias") ? SEG_ERR_TYPE_ALIAS : SEG_ERR_TYPE_UNKNOWN;
}

/* An id is null, "" or good: whole, without NUL. */
static int read_id(const json_t *json, struct seg_text *id, int missing,
                   int bad)
{
    *id = text_of_json(json);
    if (is_absent(json) || (id->bytes && !id->len))
        return missing;
    return id->len < 1 || id->len > SEG_ID_BYTES_MAX ||
                   memchr(id->bytes, 0, id->len)
               ? bad
               : 0;
}

static int read_user(struct oracle_message *m)
{
    int error = read_id(json_object_get(m->json, "userId"), &m->user_id,
                        SEG_ERR_USER_MISSING, SEG_ERR_USER_ID);
    if (error == SEG_ERR_USER_MISSING)
        error = read_id(json_object_get(m->json, "anonymousId"), &m->user_id,
                        SEG_ERR_USER_MISSING, SEG_ERR_USER_ID);
    return error;
}

static int read_name(struct oracle_message *m)
{
    if (m->type == SEG_PAGE && !MUTATED(PAGE_NAME))
        m->name = (struct seg_text){"Page Viewed", 11};
    if (m->type == SEG_SCREEN && !MUTATED(PAGE_NAME))
        m->name = (struct seg_text){"Screen Viewed", 13};
    if (m->type != SEG_TRACK)
        return 0;
    m->name = text_of_json(json_object_get(m->json, "event"));
    if (!m->name.len)
        return SEG_ERR_NAME_MISSING;
    return m->name.len > SEG_NAME_BYTES_MAX ? SEG_ERR_NAME_BYTES : 0;
}

static int read_group(struct oracle_message *m)
{
    if (m->type != SEG_GROUP)
        return 0;
    return read_id(json_object_get(m->json, "groupId"), &m->group_id,
                   SEG_ERR_GROUP_MISSING, SEG_ERR_GROUP_ID);
}

static int count_properties(const struct oracle_message *m)
{
    int sets = m->type == SEG_IDENTIFY || m->type == SEG_GROUP;
    const char *name = sets ? "traits" : "properties";
    return json_object_size(json_object_get(m->json, name)) > SEG_PROPERTIES_MAX
               ? SEG_ERR_PROPERTIES
               : 0;
}

static void read_time(struct oracle_message *m)
{
    json_t *json = json_object_get(m->json, "timestamp");
    struct naive_value value = naive_value_of(json);
    m->time_state = is_absent(json) ? SEG_TIME_MISSING : SEG_TIME_GIVEN;
    if (m->time_state == SEG_TIME_GIVEN &&
        !naive_value_instant(&value, &m->given_ms))
        m->time_state = SEG_TIME_UNREADABLE;
    if (m->time_state != SEG_TIME_GIVEN)
        m->given_ms = m->record_ms;
    m->time_ms = m->given_ms;
    if (m->time_ms > m->record_ms && !MUTATED(CLAMP_OFF))
        m->time_ms = m->record_ms;
}

int oracle_message_read(struct oracle_message *m, const char *text, size_t len,
                        int topic, int64_t offset, int64_t record_ms)
{
    int error = 0;
    *m = (struct oracle_message){
        .topic = topic, .offset = offset, .record_ms = record_ms};
    if (!len)
        return SEG_ERR_EMPTY;
    if (len > SEG_EVENT_BYTES_MAX)
        return SEG_ERR_EVENT_BYTES;
    m->json = load(text, len);
    if (!m->json)
        return SEG_ERR_JSON;
    if (!json_is_object(m->json))
        error = SEG_ERR_NOT_OBJECT;
    error = error ? error : read_type(m);
    error = error ? error : read_user(m);
    error = error ? error : read_name(m);
    error = error ? error : read_group(m);
    error = error ? error : count_properties(m);
    if (error)
        return error;
    m->message_id = text_of_json(json_object_get(m->json, "messageId"));
    if (!m->message_id.len || m->message_id.len > SEG_ID_BYTES_MAX)
        m->message_id.bytes = NULL;
    read_time(m);
    return 0;
}

void oracle_message_done(struct oracle_message *m)
{
    json_decref(m->json);
    free(m->selected);
}

/* ---- values -------------------------------------------------------------- */

json_t *oracle_message_below(json_t *json, const struct seg_text *names,
                             int count)
{
    for (int i = 0; i < count && json; i++)
        json = json_object_getn(json, names[i].bytes, names[i].len);
    return json;
}

static struct naive_value event_value(const struct oracle_message *m,
                                      struct seg_text name)
{
    static const char *const types[] = {"track", "page", "screen"};
    if (is_word(name, "name"))
        return naive_value_text(m->name);
    if (is_word(name, "id"))
        return naive_value_text(MUTATED(EVENT_ID) ? (struct seg_text){NULL, 0}
                                                  : m->message_id);
    const char *type = types[MUTATED(EVENT_TYPE) ? 0 : m->type];
    return naive_value_text((struct seg_text){type, strlen(type)});
}

/* A page's own name is its property `name`, unless one stands among the
 * properties. */
static json_t *property_root(const struct oracle_message *m, const char *name,
                             size_t len)
{
    json_t *own = json_object_get(m->json, "name");
    json_t *property =
        json_object_getn(json_object_get(m->json, "properties"), name, len);
    if (m->type != SEG_TRACK && is_word((struct seg_text){name, len}, "name") &&
        is_absent(property) && !MUTATED(PAGE_PROPERTY))
        return own;
    return property;
}

struct naive_value oracle_message_value(const struct oracle_message *m,
                                        const struct path *path)
{
    const struct seg_text *names = path->names;
    if (path->root == PATH_EVENT)
        return event_value(m, names[0]);
    json_t *root;
    if (path->root == PATH_CONTEXT && !MUTATED(CONTEXT))
        root = json_object_getn(json_object_get(m->json, "context"),
                                names[0].bytes, names[0].len);
    else
        root = property_root(m, names[0].bytes, names[0].len);
    return naive_value_of(
        oracle_message_below(root, names + 1, path->count - 1));
}

/* ---- order and selection ------------------------------------------------- */

static int before(int64_t a, int64_t b, int *decided)
{
    *decided = a != b;
    return a < b;
}

int oracle_message_before(const struct oracle_message *a,
                          const struct oracle_message *b)
{
    int decided, less;
    if (MUTATED(ORDER_ARRIVAL))
        return 0; /* Callers keep the later of two that are not ordered. */
    if (MUTATED(ORDER_RECORD))
        less = before(a->record_ms, b->record_ms, &decided);
    else
        less = before(a->time_ms, b->time_ms, &decided);
    if (decided)
        return less;
    less = before(a->topic, b->topic, &decided);
    if (decided)
        return MUTATED(TIE_TOPIC) ? !less : less;
    less = before(a->offset, b->offset, &decided);
    return MUTATED(TIE_OFFSET) ? !less : less;
}

static int passes_where(const struct oracle_message *m,
                        const struct rule_where *where)
{
    enum rule_where_kind kind = where->kind;
    struct naive_value value;
    if (MUTATED(WHERE_AND_OR) && kind == WHERE_AND)
        kind = WHERE_OR;
    else if (MUTATED(WHERE_OR_AND) && kind == WHERE_OR)
        kind = WHERE_AND;
    switch (kind) {
    case WHERE_AND:
        for (int i = 0; i < where->count; i++)
            if (!passes_where(m, where->children[i]))
                return 0;
        return 1;
    case WHERE_OR:
        for (int i = 0; i < where->count; i++)
            if (passes_where(m, where->children[i]))
                return 1;
        return 0;
    case WHERE_NOT:
        return passes_where(m, where->children[0]) == MUTATED(WHERE_NOT);
    case WHERE_TEST:
        break;
    }
    value = oracle_message_value(m, &where->path);
    return naive_value_passes(&value, &where->test, m->time_ms);
}

static int selects(const struct oracle_message *m,
                   const struct rule_event *event)
{
    int named = event->any;
    if (m->type == SEG_IDENTIFY || m->type == SEG_GROUP)
        return event->any && MUTATED(ANY_ALL);
    for (int i = 0; i < event->count; i++)
        if (!(MUTATED(NAMES_FIRST) && i))
            named |=
                m->name.bytes && m->name.len == event->names[i].text.len &&
                !memcmp(m->name.bytes, event->names[i].text.bytes, m->name.len);
    return named && (!event->where || MUTATED(WHERE_OFF) ||
                     passes_where(m, event->where));
}

size_t oracle_selector_slot(const struct oracle *oracle,
                            const struct rule_event *event)
{
    uint64_t bits = (uint64_t)(uintptr_t)event * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(bits >> 32) & (oracle->selector_slots - 1);
}

static int selector_of(const struct oracle *oracle,
                       const struct rule_event *event)
{
    size_t slot = oracle_selector_slot(oracle, event);
    while (oracle->selectors[slot] != event)
        slot = (slot + 1) & (oracle->selector_slots - 1);
    return oracle->selector_index[slot];
}

static int is_selected(struct oracle_message *m, int selector,
                       const struct rule_event *event)
{
    char *known = &m->selected[selector];
    if (!*known)
        *known = selects(m, event) ? 2 : 1;
    return *known == 2;
}

int oracle_message_selected(const struct oracle *oracle,
                            const struct oracle_message *m,
                            const struct rule_event *event)
{
    return is_selected((struct oracle_message *)m, selector_of(oracle, event),
                       event);
}

void oracle_selection_add(struct oracle_selection *to, struct oracle_message *m)
{
    if (to->count == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 8;
        to->items = realloc(to->items, (size_t)to->cap * sizeof(*to->items));
        assert(to->items);
    }
    to->items[to->count++] = m;
}

const struct oracle_selection *oracle_selection(const struct oracle *oracle,
                                                const struct oracle_user *user,
                                                const struct rule_event *event)
{
    int selector = selector_of(oracle, event);
    struct oracle_selection *all = &user->selections[selector];
    for (; all->looked_at < user->count; all->looked_at++)
        if (is_selected(user->messages[all->looked_at], selector, event))
            oracle_selection_add(all, user->messages[all->looked_at]);
    return all;
}
