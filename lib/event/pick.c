/* pick.c: the values at some paths of a JSON text. */
#include "lib/event/pick.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

struct pick_node {
    uint64_t filter; /* Names of its children, see filter_bit. */
    uint32_t path;   /* Of the field that ends here, or PICK_NONE. */
};

/* The first and last bytes of a name: all of it up to 16. */
struct ends {
    uint64_t first, last;
};

struct pick_slot {
    struct ends ends;
    struct seg_text name;
    uint32_t parent;
    uint32_t node; /* 0: the slot is free; a root is nobody's child. */
};

static uint64_t load(const char *bytes, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, bytes, len);
    return word;
}

static struct ends ends_of(struct seg_text name)
{
    const char *bytes = name.bytes;
    size_t len = name.len;
    if (len >= 8)
        return (struct ends){load(bytes, 8), load(bytes + len - 8, 8)};
    if (len >= 4)
        return (struct ends){load(bytes, 4), load(bytes + len - 4, 4)};
    if (!len)
        return (struct ends){0, 0};
    return (struct ends){load(bytes, 1), load(bytes + len / 2, 1) |
                                             load(bytes + len - 1, 1) << 8};
}

static uint64_t filter_bit(struct ends ends, size_t len)
{
    return UINT64_C(1) << ((ends.first + (ends.last >> 8) + 11 * len) & 63);
}

/* The slot of the child NAME of PARENT, or the free one where it belongs. Names
 * in the table come from segment files, so nobody is tempted to make them
 * collide; strangers' names only look. */
static struct pick_slot *probe(const struct pick *pick, uint32_t parent,
                               struct seg_text name, struct ends ends)
{
    uint64_t hash = (ends.first ^ (uint64_t)parent << 32 ^ name.len) *
                    UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32 ^ ends.last) * UINT64_C(0xd6e8feb86659fd93);
    for (uint32_t i = (uint32_t)(hash >> 32);; i++) {
        struct pick_slot *slot = &pick->slots[i & pick->mask];
        if (!slot->node ||
            (slot->ends.first == ends.first && slot->ends.last == ends.last &&
             slot->parent == parent && slot->name.len == name.len &&
             (name.len <= 16 || text_equal(slot->name, name))))
            return slot;
    }
}

static uint32_t child(const struct pick *pick, uint32_t parent,
                      struct seg_text name)
{
    struct ends ends = ends_of(name);
    if (!(pick->nodes[parent].filter & filter_bit(ends, name.len)))
        return 0;
    return probe(pick, parent, name, ends)->node;
}

/* ---- building -------------------------------------------------------- */

/* Let the field FIELD be at PATH below ROOT. */
static void add_path(struct pick *pick, enum pick_root root,
                     const struct path *path, uint32_t field)
{
    uint32_t node = root;
    for (int i = 0; i < path->count; i++) {
        struct seg_text name = path->names[i];
        struct ends ends = ends_of(name);
        struct pick_slot *slot = probe(pick, node, name, ends);
        if (!slot->node) {
            uint32_t added = pick->node_count++;
            pick->nodes[added] = (struct pick_node){0, PICK_NONE};
            *slot = (struct pick_slot){ends, name, node, added};
            pick->nodes[node].filter |= filter_bit(ends, name.len);
        }
        node = slot->node;
    }
    pick->nodes[node].path = field;
}

static void add_event_path(struct pick *pick, const struct path *path,
                           uint32_t field)
{
    if (text_equal(path->names[0], text_of("name")))
        pick->event_name = field;
    else if (text_equal(path->names[0], text_of("type")))
        pick->event_type = field;
    else if (text_equal(path->names[0], text_of("id")))
        pick->event_id = field;
}

static void add_any_path(struct pick *pick, const struct path *path,
                         uint32_t field)
{
    switch (path->root) {
    case PATH_PROPERTIES:
        if (path->count == 1 && text_equal(path->names[0], text_of("name")))
            pick->page_name = field;
        add_path(pick, PICK_PROPERTIES, path, field);
        break;
    case PATH_CONTEXT:
        add_path(pick, PICK_CONTEXT, path, field);
        break;
    case PATH_USER:
        add_path(pick, PICK_USER, path, field);
        break;
    case PATH_ACCOUNT:
        add_path(pick, PICK_ACCOUNT, path, field);
        break;
    case PATH_EVENT:
        add_event_path(pick, path, field);
        break;
    case PATH_ELEMENT: /* Of a value, not of the message. */
        break;
    }
}

static size_t count_names(const struct path *paths, int count)
{
    size_t names = 0;
    for (int i = 0; i < count; i++)
        names += (size_t)paths[i].count;
    return names;
}

static int allocate(struct pick *pick, size_t nodes)
{
    size_t slots = 8;
    while (slots < nodes * 2)
        slots *= 2;
    pick->mask = (uint32_t)slots - 1;
    pick->slots = calloc(slots, sizeof(*pick->slots));
    pick->nodes = calloc(nodes, sizeof(*pick->nodes));
    pick->values = calloc(nodes, sizeof(*pick->values));
    pick->touched = calloc(nodes, sizeof(*pick->touched));
    return pick->slots && pick->nodes && pick->values && pick->touched
               ? 0
               : SEG_ERR_NOMEM;
}

int pick_init(struct pick *pick, const struct event_spec *spec)
{
    size_t names = count_names(spec->paths, spec->path_count) +
                   count_names(spec->trait_paths, spec->trait_path_count);
    int fields = spec->path_count + spec->trait_path_count;
    *pick = (struct pick){.event_name = PICK_NONE,
                          .event_type = PICK_NONE,
                          .event_id = PICK_NONE,
                          .page_name = PICK_NONE,
                          .whole = spec->whole};
    pick->field_max = (uint32_t)fields;
    if (allocate(pick, PICK_ROOTS_ + names) < 0)
        return SEG_ERR_NOMEM;
    for (; pick->node_count < PICK_ROOTS_; pick->node_count++)
        pick->nodes[pick->node_count].path = PICK_NONE;
    for (int i = 0; i < spec->path_count; i++)
        add_any_path(pick, &spec->paths[i], (uint32_t)i);
    for (int i = spec->path_count; i < fields; i++)
        add_any_path(pick, &spec->trait_paths[i - spec->path_count],
                     (uint32_t)i);
    return 0;
}

void pick_done(struct pick *pick)
{
    free(pick->slots);
    free(pick->nodes);
    free(pick->values);
    free(pick->touched);
    *pick = (struct pick){0};
}

/* ---- picking --------------------------------------------------------- */

/* A field of a text's takes a member, that is four tokens; three are of the
 * message itself. */
int pick_begin(struct pick *pick, const struct json *json)
{
    size_t room = json->count / 4 + 3;
    room = room < pick->field_max ? room : pick->field_max;
    pick->field_count = 0;
    pick->fields = arena_alloc(json->arena, room * sizeof(*pick->fields));
    return pick->fields ? 0 : SEG_ERR_NOMEM;
}

int pick_value(struct pick *pick, uint32_t path, const struct json *json,
               uint32_t token, int depth)
{
    struct seg_field *field = &pick->fields[pick->field_count];
    int result = pick->whole && pick->whole[path]
                     ? json_value_whole(json, token, depth, &field->value)
                     : json_value(json, token, depth, &field->value);
    field->path = path;
    pick->field_count += result >= 0 && field->value.type != SEG_MISSING;
    return result;
}

void pick_text(struct pick *pick, uint32_t path, struct seg_text text)
{
    struct seg_field *field = &pick->fields[pick->field_count];
    if (path == PICK_NONE || !text.bytes)
        return;
    field->path = path;
    field->value.type = SEG_TEXT;
    field->value.len = (uint32_t)text.len;
    field->value.as.text = text.bytes;
    pick->field_count++;
}

int pick_has(const struct pick *pick, uint32_t path)
{
    for (uint32_t i = 0; i < pick->field_count; i++)
        if (pick->fields[i].path == path)
            return 1;
    return 0;
}

/* Note the value of each member of the object that NODE has a child for. */
static int touch_members(struct pick *pick, uint32_t node,
                         const struct json *json, uint32_t token)
{
    for (uint32_t at = json_first(json, token); at;
         at = json_next(json, at + 2)) {
        struct seg_text name;
        int result = json_peek(json, at, &name);
        if (result < 0)
            return result;
        uint32_t found = child(pick, node, name);
        if (!found)
            continue;
        if (!pick->values[found])
            pick->touched[pick->touched_count++] = found;
        pick->values[found] = at + 2;
    }
    return 0;
}

static int pick_node(struct pick *pick, uint32_t node, const struct json *json,
                     uint32_t token, int depth)
{
    uint32_t base = pick->touched_count;
    if (!pick->nodes[node].filter)
        return 0;
    int result = depth > SEG_DEPTH_MAX ? SEG_ERR_DEPTH
                                       : touch_members(pick, node, json, token);
    for (uint32_t i = base; i < pick->touched_count; i++) {
        uint32_t below = pick->touched[i], at = pick->values[below];
        pick->values[below] = 0;
        if (result < 0)
            continue;
        if (pick->nodes[below].path != PICK_NONE)
            result = pick_value(pick, pick->nodes[below].path, json, at, depth);
        /* What is below stacks above the nodes of this object. */
        if (result >= 0 && json_byte(json, at) == '{')
            result = pick_node(pick, below, json, at, depth + 1);
    }
    pick->touched_count = base;
    return result;
}

int pick_object(struct pick *pick, enum pick_root root, const struct json *json,
                uint32_t token, int depth)
{
    return pick_node(pick, root, json, token, depth);
}

static int is_sorted(const struct pick *pick)
{
    for (uint32_t i = 1; i < pick->field_count; i++)
        if (pick->fields[i - 1].path > pick->fields[i].path)
            return 0;
    return 1;
}

/* Shell's sort: no memory, and no order of members makes it slow. */
void pick_sort(struct pick *pick)
{
    struct seg_field *fields = pick->fields;
    uint32_t count = pick->field_count, gap = 1;
    if (is_sorted(pick))
        return;
    while (gap < count / 3)
        gap = gap * 3 + 1;
    for (; gap; gap /= 3) {
        for (uint32_t i = gap; i < count; i++) {
            struct seg_field field = fields[i];
            uint32_t to = i;
            for (; to >= gap && fields[to - gap].path > field.path; to -= gap)
                fields[to] = fields[to - gap];
            fields[to] = field;
        }
    }
}
