/* catalogue_edit.c: see catalogue_edit.h. Segments are edited as text, line by
 * line as catalogue_gen.c writes them. */
#include "tests/model/catalogue_edit.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct edit {
    struct world *world;
    struct random *r;
    struct catalogue_text *all;
    int count;                   /* Catalogues before. */
    struct catalogue_text *next; /* In the making. */
};

void catalogue_text_done(struct catalogue_text *catalogue)
{
    for (int i = 0; i < catalogue->count; i++)
        free(catalogue->segments[i]);
    catalogue->count = 0;
}

static char *copy(const char *text)
{
    char *made = strdup(text);
    assert(made);
    return made;
}

/* ---- keys ---------------------------------------------------------------- */

static void key_of(const char *segment, char out[CATALOGUE_KEY_BYTES])
{
    int n = sscanf(segment, "segment %15s", out);
    assert(n == 1);
}

static char *shadow_line(char *segment)
{
    char *line = strchr(segment, '\n') + 1;
    return strncmp(line, CATALOGUE_SHADOW, strlen(CATALOGUE_SHADOW)) ? NULL
                                                                     : line;
}

static int find(const struct catalogue_text *catalogue, const char *key)
{
    char other[CATALOGUE_KEY_BYTES];
    for (int i = 0; i < catalogue->count; i++) {
        key_of(catalogue->segments[i], other);
        if (!strcmp(other, key))
            return i;
    }
    return -1;
}

/* One that no catalogue has had. */
static void new_key(const struct edit *e, char out[CATALOGUE_KEY_BYTES])
{
    int used = 1;
    for (int index = 0; used; index++) {
        catalogue_gen_key(e->world, index, out);
        used = 0;
        for (int i = 0; i <= e->count; i++)
            used |= find(&e->all[i], out) >= 0;
    }
}

/* The keys of the first COUNT segments. */
static void take_keys(const struct edit *e, int count,
                      char names[][CATALOGUE_KEY_BYTES], const char **keys)
{
    for (int i = 0; i < count; i++) {
        key_of(e->next->segments[i], names[i]);
        keys[i] = names[i];
    }
}

/* ---- references ---------------------------------------------------------- */

static int is_key_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The word before `segment` at AT, if a condition names a segment there. */
static const char *verb_before(const char *text, const char *at)
{
    static const char *const verbs[] = {"in ", "entered ", "left "};
    for (int i = 0; i < 3; i++) {
        size_t len = strlen(verbs[i]);
        if ((size_t)(at - text) >= len && !memcmp(at - len, verbs[i], len))
            return verbs[i];
    }
    return NULL;
}

/* Let every condition of *TEXT that names the segment KEY name WITH; where WITH
 * = NULL be `did any`, with the window of `entered` or `left`. KEY = NULL: those
 * that are not among the first COUNT segments. */
static void replace_references(const struct edit *e, char **text,
                               const char *key, int count, const char *with)
{
    static const char word[] = "segment ";
    struct buf out;
    const char *at = *text, *found;
    buf_init(&out);
    while ((found = strstr(at, word))) {
        char name[CATALOGUE_KEY_BYTES];
        size_t n = 0;
        const char *verb = verb_before(*text, found);
        buf_add(&out, at, (size_t)(found - at) - (verb ? strlen(verb) : 0));
        at = found + strlen(word);
        if (!verb) {
            buf_str(&out, word);
            continue;
        }
        for (; is_key_char(*at); at++)
            if (n < sizeof(name) - 1)
                name[n++] = *at;
        name[n] = 0;
        int place = find(e->next, name);
        int gone = key ? !strcmp(name, key) : place < 0 || place >= count;
        if (gone && !with)
            buf_str(&out, "did any");
        else
            buf_printf(&out, "%s%s%s", verb, word, gone ? with : name);
    }
    buf_str(&out, at);
    free(*text);
    *text = buf_take(&out);
    buf_done(&out);
}

/* ---- edits --------------------------------------------------------------- */

/* The line `when` of *SEGMENT becomes BEFORE, its condition, BETWEEN, a new
 * one, AFTER; without BEFORE the new one alone. */
static void edit_when(struct edit *e, int index, const char *before,
                      const char *between, const char *after)
{
    char names[CATALOGUE_SEGMENTS_MAX][CATALOGUE_KEY_BYTES];
    const char *keys[CATALOGUE_SEGMENTS_MAX];
    char *text = e->next->segments[index];
    char *when = strstr(text, "\n  when ");
    struct buf out;
    if (!when)
        return;
    when += 8;
    char *end = strchr(when, '\n');
    take_keys(e, index, names, keys);
    buf_init(&out);
    buf_add(&out, text, (size_t)(when - text));
    if (before) {
        buf_str(&out, before);
        buf_add(&out, when, (size_t)(end - when));
        buf_str(&out, between);
    }
    catalogue_gen_cond(e->world, &out, keys, index);
    buf_str(&out, before ? after : "");
    buf_str(&out, end);
    e->next->segments[index] = buf_take(&out);
    buf_done(&out);
    free(text);
}

/* The length of the whole number at AT; 0 if there is none. */
static size_t number_len(const char *at)
{
    size_t len = strspn(at, "0123456789");
    return strchr("-.:", at[len]) && at[len] ? 0 : len;
}

/* The first number that something is compared with. */
static void edit_number(struct edit *e, int index)
{
    static const char *const words[] = {" at least ", " at most ", " exactly ",
                                        ") >= ",      ") > ",      ") < "};
    char *text = e->next->segments[index];
    const char *word = RANDOM_OF(e->r, words);
    char *at = strstr(text, word);
    struct buf out;
    if (!at || !number_len(at + strlen(word))) {
        edit_when(e, index, NULL, "", "");
        return;
    }
    at += strlen(word);
    buf_init(&out);
    buf_add(&out, text, (size_t)(at - text));
    buf_printf(&out, "%d", (int)random_between(e->r, 2, 6));
    at += number_len(at);
    if (!strncmp(at, " time", 5)) {
        at += at[5] == 's' ? 6 : 5;
        buf_str(&out, " times");
    }
    buf_str(&out, at);
    e->next->segments[index] = buf_take(&out);
    buf_done(&out);
    free(text);
}

static void rename_segment(struct edit *e, int index)
{
    char old[CATALOGUE_KEY_BYTES], key[CATALOGUE_KEY_BYTES];
    struct catalogue_text *next = e->next;
    struct buf out;
    key_of(next->segments[index], old);
    new_key(e, key);
    for (int i = index + 1; i < next->count; i++)
        replace_references(e, &next->segments[i], old, 0, key);
    buf_init(&out);
    buf_printf(&out, "segment %s%s", key,
               next->segments[index] + strlen("segment ") + strlen(old));
    free(next->segments[index]);
    next->segments[index] = buf_take(&out);
    buf_done(&out);
}

static void remove_segment(struct edit *e, int index)
{
    struct catalogue_text *next = e->next;
    char key[CATALOGUE_KEY_BYTES];
    if (next->count == 1)
        return;
    key_of(next->segments[index], key);
    for (int i = index + 1; i < next->count; i++)
        replace_references(e, &next->segments[i], key, 0, NULL);
    free(next->segments[index]);
    memmove(next->segments + index, next->segments + index + 1,
            (size_t)(next->count - index - 1) * sizeof(*next->segments));
    next->count--;
}

/* New triggers have new names: when one without `once` fired is not kept, so
 * that it is not known when it gets a `once`. */
static void rename_triggers(char *text, int generation)
{
    static const char word[] = " trigger \"";
    for (char *at = text; (at = strstr(at, word)); at++)
        at[sizeof(word) - 1] = (char)('t' + generation);
}

/* With KEY = NULL a new one. */
static void generate(struct edit *e, int index, const char *key)
{
    char names[CATALOGUE_SEGMENTS_MAX][CATALOGUE_KEY_BYTES];
    const char *keys[CATALOGUE_SEGMENTS_MAX];
    char made[CATALOGUE_KEY_BYTES];
    struct buf out;
    if (key)
        memcpy(made, key, sizeof(made));
    else
        new_key(e, made);
    take_keys(e, index, names, keys);
    buf_init(&out);
    catalogue_gen_segment(e->world, &out, CATALOGUE_ANY, made, keys, index);
    if (index < e->next->count)
        free(e->next->segments[index]);
    else
        e->next->count++;
    e->next->segments[index] = buf_take(&out);
    buf_done(&out);
    rename_triggers(e->next->segments[index], e->count);
}

static void regenerate(struct edit *e, int index)
{
    char key[CATALOGUE_KEY_BYTES];
    key_of(e->next->segments[index], key);
    generate(e, index, key);
}

/* A shadow is published, or the other way round. */
static void toggle_shadow(struct edit *e, int index)
{
    char *text = e->next->segments[index], *shadow = shadow_line(text);
    size_t head = (size_t)(strchr(text, '\n') + 1 - text);
    struct buf out;
    buf_init(&out);
    buf_add(&out, text, head);
    if (!shadow)
        buf_str(&out, CATALOGUE_SHADOW);
    buf_str(&out, text + head + (shadow ? strlen(CATALOGUE_SHADOW) : 0));
    e->next->segments[index] = buf_take(&out);
    buf_done(&out);
    free(text);
}

/* One that an earlier catalogue had; a new one if there is none. */
static void bring_back(struct edit *e)
{
    char key[CATALOGUE_KEY_BYTES];
    const struct catalogue_text *old = &e->all[random_below(e->r, e->count)];
    int from = (int)random_below(e->r, old->count), count = e->next->count;
    for (int i = 0; i < old->count; i++) {
        const char *text = old->segments[(from + i) % old->count];
        key_of(text, key);
        if (find(e->next, key) >= 0)
            continue;
        char *made = copy(text);
        replace_references(e, &made, NULL, count, NULL);
        e->next->segments[e->next->count++] = made;
        return;
    }
    generate(e, count, NULL);
}

static void edit_one(struct edit *e)
{
    struct catalogue_text *next = e->next;
    int index = (int)random_below(e->r, next->count);
    int room = next->count < CATALOGUE_SEGMENTS_MAX;
    if (e->world->shadows && random_chance(e->r, 15)) {
        toggle_shadow(e, index);
        return;
    }
    switch (random_below(e->r, 14)) {
    case 0:
        rename_segment(e, index);
        return;
    case 1:
        edit_when(e, index, "(", ") and (", ")");
        return;
    case 2:
        edit_when(e, index, "(", ") or (", ")");
        return;
    case 3:
        edit_when(e, index, NULL, "", "");
        return;
    case 4:
    case 5:
        edit_number(e, index);
        return;
    case 6:
        regenerate(e, index);
        return;
    case 7:
        if (room)
            generate(e, next->count, NULL);
        return;
    case 8:
    case 9:
        remove_segment(e, index);
        return;
    default:
        if (room)
            bring_back(e);
        return;
    }
}

void catalogue_edit(struct world *world, struct catalogue_text *all, int count)
{
    struct edit e = {world, &world->random, all, count, &all[count]};
    const struct catalogue_text *last = &all[count - 1];
    e.next->count = last->count;
    for (int i = 0; i < last->count; i++)
        e.next->segments[i] = copy(last->segments[i]);
    for (int64_t n = random_between(e.r, 1, 4); n > 0; n--)
        edit_one(&e);
    catalogue_publish(e.next);
}

void catalogue_publish(struct catalogue_text *catalogue)
{
    struct edit e = {.next = catalogue};
    for (int i = 0; i < catalogue->count; i++) {
        char key[CATALOGUE_KEY_BYTES];
        if (!shadow_line(catalogue->segments[i]))
            continue;
        key_of(catalogue->segments[i], key);
        for (int j = i + 1; j < catalogue->count; j++)
            if (!shadow_line(catalogue->segments[j]))
                replace_references(&e, &catalogue->segments[j], key, 0, NULL);
    }
}
