/* mapping.c: a message of the Segment spec as a struct seg_event. */
#include "lib/event/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

/* Twice as many as there may be traits, a power of two. */
#define TRAIT_SLOTS (2 * SEG_PROPERTIES_MAX)
_Static_assert((TRAIT_SLOTS & (TRAIT_SLOTS - 1)) == 0, "a power of two");

int mapping_init(struct mapping *mapping, const struct event_spec *spec)
{
    *mapping = (struct mapping){.spec = spec};
    mapping->trait_slots = malloc(TRAIT_SLOTS * sizeof(uint32_t));
    if (!mapping->trait_slots)
        return SEG_ERR_NOMEM;
    return pick_init(&mapping->pick, spec);
}

void mapping_done(struct mapping *mapping)
{
    pick_done(&mapping->pick);
    free(mapping->trait_slots);
    *mapping = (struct mapping){0};
}

/* ---- members of the message ------------------------------------------ */

enum member {
    TYPE,
    USER_ID,
    ANONYMOUS_ID,
    MESSAGE_ID,
    TIMESTAMP,
    EVENT,
    NAME,
    PROPERTIES,
    CONTEXT,
    TRAITS,
    GROUP_ID,
    MEMBERS_,
    OTHER = MEMBERS_,
};

/* Whether `name`, of the same length, is LITERAL. */
#define IS(literal) (!memcmp(name.bytes, literal, sizeof(literal) - 1))

static enum member member_of(struct seg_text name)
{
    switch (name.len) {
    case 4:
        return IS("type") ? TYPE : IS("name") ? NAME : OTHER;
    case 5:
        return IS("event") ? EVENT : OTHER;
    case 6:
        return IS("userId") ? USER_ID : IS("traits") ? TRAITS : OTHER;
    case 7:
        return IS("context") ? CONTEXT : IS("groupId") ? GROUP_ID : OTHER;
    case 9:
        return IS("messageId")   ? MESSAGE_ID
               : IS("timestamp") ? TIMESTAMP
                                 : OTHER;
    case 10:
        return IS("properties") ? PROPERTIES : OTHER;
    case 11:
        return IS("anonymousId") ? ANONYMOUS_ID : OTHER;
    default:
        return OTHER;
    }
}

/* The tokens of the values that are there and not null; 0 for others. */
static int find_members(const struct json *json, uint32_t at[MEMBERS_])
{
    memset(at, 0, MEMBERS_ * sizeof(*at));
    for (uint32_t key = json_first(json, 0); key;
         key = json_next(json, key + 2)) {
        struct seg_text name;
        int result = json_peek(json, key, &name);
        if (result < 0)
            return result;
        enum member member = member_of(name);
        if (member != OTHER)
            at[member] = json_byte(json, key + 2) == 'n' ? 0 : key + 2;
    }
    return 0;
}

/* ---- who, what, when ------------------------------------------------- */

static const struct seg_text type_names[] = {
    [SEG_TRACK] = {"track", 5},   [SEG_PAGE] = {"page", 4},
    [SEG_SCREEN] = {"screen", 6}, [SEG_IDENTIFY] = {"identify", 8},
    [SEG_GROUP] = {"group", 5},
};

static int type_of(struct seg_text name)
{
    switch (name.len) {
    case 4:
        return IS("page") ? SEG_PAGE : SEG_ERR_TYPE_UNKNOWN;
    case 5:
        return IS("track")   ? SEG_TRACK
               : IS("group") ? SEG_GROUP
               : IS("alias") ? SEG_ERR_TYPE_ALIAS
                             : SEG_ERR_TYPE_UNKNOWN;
    case 6:
        return IS("screen") ? SEG_SCREEN : SEG_ERR_TYPE_UNKNOWN;
    case 8:
        return IS("identify") ? SEG_IDENTIFY : SEG_ERR_TYPE_UNKNOWN;
    default:
        return SEG_ERR_TYPE_UNKNOWN;
    }
}

static int read_type(const struct json *json, uint32_t at,
                     struct seg_event *event)
{
    struct seg_text name;
    if (!at)
        return SEG_ERR_TYPE_MISSING;
    if (json_byte(json, at) != '"')
        return SEG_ERR_TYPE_UNKNOWN;
    if (json_peek(json, at, &name) < 0)
        return SEG_ERR_NOMEM;
    int type = type_of(name);
    event->type = (uint8_t)type;
    return type < 0 ? type : 0;
}

/* The id at AT into *ID, absent if there is none or "". An id is a key of ours
 * and of others who read what we write: it must be text, and whole. BAD is the
 * error if it is not. */
static int read_id(const struct json *json, uint32_t at, int bad,
                   struct seg_text *id)
{
    *id = (struct seg_text){NULL, 0};
    if (!at)
        return 0;
    if (json_byte(json, at) != '"')
        return bad;
    int mended = json_peek(json, at, id);
    if (mended < 0)
        return mended;
    if (mended || id->len > SEG_ID_BYTES_MAX ||
        (json->escapes && memchr(id->bytes, 0, id->len)))
        return bad;
    if (id->len)
        return json_keep(json, id);
    id->bytes = NULL;
    return 0;
}

static int read_user(const struct json *json, const uint32_t at[MEMBERS_],
                     struct seg_event *event)
{
    int result = read_id(json, at[USER_ID], SEG_ERR_USER_ID, &event->user_id);
    if (result < 0 || event->user_id.len)
        return result;
    result = read_id(json, at[ANONYMOUS_ID], SEG_ERR_USER_ID, &event->user_id);
    return result < 0 || event->user_id.len ? result : SEG_ERR_USER_MISSING;
}

/* A message id that is none only means that duplicates stay unseen. */
static int read_message_id(const struct json *json, uint32_t at,
                           struct seg_text *id)
{
    *id = (struct seg_text){NULL, 0};
    if (!at || json_byte(json, at) != '"')
        return 0;
    if (json_peek(json, at, id) < 0)
        return SEG_ERR_NOMEM;
    if (id->len && id->len <= SEG_ID_BYTES_MAX)
        return json_keep(json, id);
    *id = (struct seg_text){NULL, 0};
    return 0;
}

static int read_time(const struct json *json, uint32_t at,
                     struct seg_event *event)
{
    struct seg_value value = {.type = SEG_MISSING};
    struct seg_text text;
    int readable;
    event->time_state = SEG_TIME_MISSING;
    if (!at)
        return 0;
    if (json_byte(json, at) == '"') {
        if (json_peek(json, at, &text) < 0)
            return SEG_ERR_NOMEM;
        readable = instant_parse(text, &event->time_ms) == 0;
    } else {
        if (json_byte(json, at) != '[' && json_value(json, at, 1, &value) < 0)
            return SEG_ERR_NOMEM;
        readable = instant_of_value(&value, &event->time_ms) == 0;
    }
    event->time_state = readable ? SEG_TIME_GIVEN : SEG_TIME_UNREADABLE;
    return 0;
}

_Static_assert(SEG_NAME_NONE == INTERN_NONE, "one number for no name");

/* A name that some segment knows is there already. */
static int find_name(const struct event_spec *spec, const struct json *json,
                     struct seg_event *event)
{
    event->name_id = intern_find(&spec->names, event->name);
    if (event->name_id == INTERN_NONE)
        return json_keep(json, &event->name);
    event->name = spec->names.texts[event->name_id];
    return 0;
}

static int read_name(const struct event_spec *spec, const struct json *json,
                     uint32_t at, struct seg_event *event)
{
    event->name =
        text_of(event->type == SEG_PAGE ? "Page Viewed" : "Screen Viewed");
    if (event->type == SEG_TRACK) {
        if (!at || json_byte(json, at) != '"')
            return SEG_ERR_NAME_MISSING;
        if (json_peek(json, at, &event->name) < 0)
            return SEG_ERR_NOMEM;
        if (event->name.len > SEG_NAME_BYTES_MAX)
            return SEG_ERR_NAME_BYTES;
        if (!event->name.len)
            return SEG_ERR_NAME_MISSING;
    }
    return find_name(spec, json, event);
}

/* ---- what came with it ----------------------------------------------- */

/* Whether AT is an object: anything else, PHP's empty array say, is none. */
static int is_object(const struct json *json, uint32_t at)
{
    return at && json_byte(json, at) == '{';
}

/* A member takes four tokens or more, which saves counting most of the time. */
static int check_count(const struct json *json, uint32_t at)
{
    return (json->partner[at] - at) / 4 <= SEG_PROPERTIES_MAX ||
                   json_count(json, at, SEG_PROPERTIES_MAX) <=
                       SEG_PROPERTIES_MAX
               ? 0
               : SEG_ERR_PROPERTIES;
}

static int read_page_name(struct pick *pick, const struct json *json,
                          uint32_t at)
{
    if (!at || pick->page_name == PICK_NONE || pick_has(pick, pick->page_name))
        return 0;
    return pick_value(pick, pick->page_name, json, at, 1);
}

static int read_event(struct mapping *mapping, const struct json *json,
                      const uint32_t at[MEMBERS_], struct seg_event *event)
{
    struct pick *pick = &mapping->pick;
    int result = read_name(mapping->spec, json, at[EVENT], event);
    if (result >= 0 && is_object(json, at[PROPERTIES])) {
        result = check_count(json, at[PROPERTIES]);
        if (result >= 0)
            result =
                pick_object(pick, PICK_PROPERTIES, json, at[PROPERTIES], 2);
    }
    if (result >= 0 && event->type != SEG_TRACK)
        result = read_page_name(pick, json, at[NAME]);
    if (result >= 0 && is_object(json, at[CONTEXT]))
        result = pick_object(pick, PICK_CONTEXT, json, at[CONTEXT], 2);
    if (result < 0)
        return result;
    pick_text(pick, pick->event_name, event->name);
    pick_text(pick, pick->event_type, type_names[event->type]);
    pick_text(pick, pick->event_id, event->message_id);
    return 0;
}

/* ---- traits ---------------------------------------------------------- */

/* Make the table of names empty, with room for COUNT. */
static void clear_slots(struct mapping *mapping, uint32_t count)
{
    uint32_t size = 1;
    while (size < count * 2)
        size *= 2;
    mapping->trait_mask = size - 1;
    memset(mapping->trait_slots, 0, size * sizeof(*mapping->trait_slots));
}

/* The place of NAME among the first COUNT of TRAITS, COUNT if it is new. Names
 * come from strangers: at worst each is compared with all others, which
 * SEG_PROPERTIES_MAX bounds. */
static uint32_t trait_place(struct mapping *mapping,
                            const struct seg_trait *traits, uint32_t count,
                            struct seg_text name)
{
    uint64_t hash = hash_bytes(name.bytes, name.len, 0);
    for (uint32_t i = (uint32_t)hash;; i++) {
        uint32_t *slot = &mapping->trait_slots[i & mapping->trait_mask];
        if (!*slot) {
            *slot = count + 1;
            return count;
        }
        if (text_equal(traits[*slot - 1].name, name))
            return *slot - 1;
    }
}

/* Find the traits of the object at AT. Of each the name is read, and the token
 * of its last value stands in value.len. */
static int find_traits(struct mapping *mapping, const struct json *json,
                       uint32_t at, struct seg_trait *traits, uint32_t *count)
{
    for (uint32_t key = json_first(json, at); key;
         key = json_next(json, key + 2)) {
        struct seg_trait *last = &traits[*count];
        int result = json_text(json, key, &last->name);
        if (result >= 0 && last->name.len > SEG_STRING_BYTES_MAX)
            result = SEG_ERR_STRING_BYTES;
        if (result < 0)
            return result;
        uint32_t place = trait_place(mapping, traits, *count, last->name);
        *count += place == *count;
        traits[place].value.len = key + 2;
    }
    return 0;
}

static int read_traits(struct mapping *mapping, const struct json *json,
                       uint32_t at, struct seg_event *event)
{
    uint32_t members = json_count(json, at, SEG_PROPERTIES_MAX), count = 0;
    if (members > SEG_PROPERTIES_MAX)
        return SEG_ERR_PROPERTIES;
    struct seg_trait *traits =
        arena_alloc(json->arena, members * sizeof(*traits));
    if (!traits)
        return SEG_ERR_NOMEM;
    clear_slots(mapping, members);
    int result = find_traits(mapping, json, at, traits, &count);
    for (uint32_t i = 0; i < count && result >= 0; i++)
        result =
            mapping->spec->whole_traits
                ? json_value_whole(json, traits[i].value.len, 2,
                                   &traits[i].value)
                : json_value(json, traits[i].value.len, 2, &traits[i].value);
    event->traits = traits;
    event->trait_count = count;
    return result;
}

static int read_attributes(struct mapping *mapping, const struct json *json,
                           const uint32_t at[MEMBERS_], struct seg_event *event)
{
    int result = 0, group = event->type == SEG_GROUP;
    if (group) {
        result =
            read_id(json, at[GROUP_ID], SEG_ERR_GROUP_ID, &event->group_id);
        if (result >= 0 && !event->group_id.len)
            result = SEG_ERR_GROUP_MISSING;
    }
    if (result < 0 || !is_object(json, at[TRAITS]))
        return result;
    result = read_traits(mapping, json, at[TRAITS], event);
    return result < 0
               ? result
               : pick_object(&mapping->pick, group ? PICK_ACCOUNT : PICK_USER,
                             json, at[TRAITS], 2);
}

/* ---- all of it ------------------------------------------------------- */

int mapping_decode(struct mapping *mapping, const struct json *json,
                   struct seg_event *event)
{
    uint32_t at[MEMBERS_];
    struct pick *pick = &mapping->pick;
    event->name_id = SEG_NAME_NONE;
    event->name = (struct seg_text){NULL, 0};
    event->group_id = (struct seg_text){NULL, 0};
    event->fields = NULL;
    event->traits = NULL;
    event->field_count = event->trait_count = 0;
    int result = pick_begin(pick, json);
    if (result >= 0)
        result = find_members(json, at);
    if (result >= 0)
        result = read_type(json, at[TYPE], event);
    if (result >= 0)
        result = read_user(json, at, event);
    if (result >= 0)
        result = read_message_id(json, at[MESSAGE_ID], &event->message_id);
    if (result >= 0)
        result = read_time(json, at[TIMESTAMP], event);
    if (result < 0)
        return result;
    result = event->type == SEG_IDENTIFY || event->type == SEG_GROUP
                 ? read_attributes(mapping, json, at, event)
                 : read_event(mapping, json, at, event);
    pick_sort(pick);
    event->fields = pick->fields;
    event->field_count = pick->field_count;
    return result;
}
