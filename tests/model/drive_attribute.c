/* drive_attribute.c: the attributes that an engine lists of a user.
 *
 * Those that the catalogue reads are all there; of others the engine keeps
 * scalars as far as there is room. Whatever is listed is right. */
#include <assert.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/model/drive_inside.h"
#include "tests/model/oracle_inside.h"

#define NAMES_MAX  4
#define LISTED_MAX 64

struct listing {
    struct drive *drive;
    const struct oracle_user *user;
    int64_t now_ms;
    int result;
    int count;
    struct listed {
        int account;
        char name[64];
    } listed[LISTED_MAX];
};

/* The names of this model have no dot in them, so that a dotted one is a path.
 */
static struct path split(const struct seg_attribute *attribute,
                         struct seg_text names[NAMES_MAX])
{
    struct path path = {attribute->account ? PATH_ACCOUNT : PATH_USER, 0,
                        names};
    const char *at = attribute->name.bytes, *end = at + attribute->name.len;
    while (at <= end && path.count < NAMES_MAX) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot ? dot : end;
        names[path.count++] = (struct seg_text){at, (size_t)(stop - at)};
        at = stop + 1;
    }
    return path;
}

static void check_listed(void *arg, const struct seg_attribute *attribute)
{
    struct listing *l = arg;
    struct seg_text names[NAMES_MAX];
    struct path path = split(attribute, names);
    struct naive_value want = oracle_eval_attribute(l->user, &path, l->now_ms);
    if (l->drive->stats)
        l->drive->stats->attributes++;
    if (want.type == NAIVE_MISSING ||
        !drive_same_value(&attribute->value, &want))
        l->result =
            drive_fail(l->drive, "attribute %s.%.*s of %s is of type %d",
                       attribute->account ? "account" : "user",
                       (int)attribute->name.len, attribute->name.bytes,
                       oracle_user_id(l->user).bytes, attribute->value.type);
    assert(l->count < LISTED_MAX && attribute->name.len < 64);
    struct listed *listed = &l->listed[l->count++];
    listed->account = attribute->account;
    memcpy(listed->name, attribute->name.bytes, attribute->name.len);
    listed->name[attribute->name.len] = 0;
}

static void check_path(struct listing *l, const struct path *path)
{
    struct naive_value want = oracle_eval_attribute(l->user, path, l->now_ms);
    struct buf name;
    int found = want.type == NAIVE_MISSING;
    buf_init(&name);
    for (int i = 0; i < path->count; i++) {
        buf_str(&name, i ? "." : "");
        buf_text(&name, path->names[i]);
    }
    for (int i = 0; i < l->count; i++)
        found |= l->listed[i].account == (path->root == PATH_ACCOUNT) &&
                 !strcmp(l->listed[i].name, buf_string(&name));
    if (!found)
        l->result =
            drive_fail(l->drive, "attribute %s of %s is not listed",
                       buf_string(&name), oracle_user_id(l->user).bytes);
    buf_done(&name);
}

static void check_cond(struct listing *l, const struct rule_cond *cond)
{
    if (cond->kind == COND_PATH &&
        oracle_eval(l->drive->oracle, l->user, cond, l->now_ms) != SEG_UNKNOWN)
        check_path(l, &cond->path);
    for (int i = 0; i < cond->count; i++)
        check_cond(l, cond->children[i]);
}

int drive_attributes(struct drive *d, const struct oracle_user *want,
                     const struct seg_user *got)
{
    struct listing l = {.drive = d,
                        .user = want,
                        .now_ms = oracle_clock(d->oracle),
                        .result = DRIVE_SAME};
    seg_user_attributes(d->engine, got, check_listed, &l);
    for (int i = 0; i < d->rules->segment_count; i++)
        if (d->rules->segments[i].when)
            check_cond(&l, d->rules->segments[i].when);
    return l.result;
}
