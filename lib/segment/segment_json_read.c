/* segment_json_read.c: JSON to the text of a segment file.
 *
 * Each object becomes the words it stands for, brackets where the tree needs
 * them; the parser then judges the text as if somebody had written it. So that
 * no string can become more than what it stands for, texts are quoted, and
 * what stands without quotes (keys, durations, dates, numbers) is looked at
 * byte by byte. Members that are not known are refused: they would be mistakes
 * that nobody sees. */
#include "lib/segment/segment_json.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/lex.h"
#include "lib/base/text.h"
#include "lib/segment/segment_json_inside.h"

/* ---- what is wrong --------------------------------------------------- */

int json_wrong(struct json_reader *r, const char *what)
{
    if (!r->wrong)
        diagnostics_add(r->diagnostics, SEG_SEVERITY_ERROR, r->rules,
                        (struct rule_pos){.line = 1, .column = 1, .width = 1},
                        "In %s: %s", r->depth ? buf_string(&r->path) : "all",
                        what);
    r->wrong = 1;
    return -1;
}

size_t json_enter(struct json_reader *r, const char *name, size_t index)
{
    size_t mark = r->path.len;
    r->depth++;
    if (name)
        buf_printf(&r->path, "%s%s", mark ? "." : "", name);
    else
        buf_printf(&r->path, "[%zu]", index);
    return mark;
}

void json_leave(struct json_reader *r, size_t mark)
{
    r->depth--;
    if (!r->wrong)
        r->path.len = mark;
}

/* Whether NAME is one of NAMES, separated by |. */
static int is_listed(const char *name, const char *names)
{
    size_t len = strlen(name);
    if (strchr(name, '|'))
        return 0;
    for (const char *at = names; (at = strstr(at, name)); at++)
        if ((at == names || at[-1] == '|') &&
            (at[len] == '|' || at[len] == 0) && len)
            return 1;
    return 0;
}

int json_known(struct json_reader *r, json_t *object, const char *names)
{
    char what[300];
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return json_wrong(r, "an object is missing.");
    json_object_foreach(object, name, value)
    {
        if (is_listed(name, names))
            continue;
        snprintf(what, sizeof(what), "the member `%.100s` is not known here.",
                 name);
        return json_wrong(r, what);
    }
    return 0;
}

int json_member(struct json_reader *r, json_t *object, const char *name,
                json_put *put)
{
    json_t *value = json_object_get(object, name);
    char what[100];
    if (!value) {
        snprintf(what, sizeof(what), "`%s` is missing.", name);
        return json_wrong(r, what);
    }
    size_t mark = json_enter(r, name, 0);
    int ret = put(r, value);
    json_leave(r, mark);
    return ret;
}

int json_if_there(struct json_reader *r, json_t *object, const char *name,
                  const char *before, json_put *put)
{
    if (!json_object_get(object, name))
        return 0;
    buf_str(r->text, before);
    return json_member(r, object, name, put);
}

int json_each(struct json_reader *r, json_t *array, const char *between,
              json_put *put)
{
    if (!json_is_array(array))
        return json_wrong(r, "a list is missing.");
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            buf_str(r->text, between);
        size_t mark = json_enter(r, NULL, i);
        int ret = put(r, json_array_get(array, i));
        json_leave(r, mark);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/* Whether OBJECT has the member NAME, which can only be true. */
int json_flag(struct json_reader *r, json_t *object, const char *name,
              const char *word)
{
    json_t *value = json_object_get(object, name);
    if (!value || json_is_false(value))
        return 0;
    if (!json_is_true(value))
        return json_wrong(r, "true is missing.");
    buf_str(r->text, word);
    return 0;
}

/* ---- texts ----------------------------------------------------------- */

static struct seg_text text_in(json_t *value)
{
    return (struct seg_text){json_string_value(value),
                             json_string_length(value)};
}

int json_put_text(struct json_reader *r, json_t *value)
{
    if (!json_is_string(value))
        return json_wrong(r, "a text is missing.");
    buf_json_text(r->text, text_in(value));
    return 0;
}

/* A text that stands without quotes and consists of what CHARS says. */
static int put_bare(struct json_reader *r, json_t *value, const char *chars,
                    const char *what)
{
    if (!json_is_string(value) || !json_string_length(value) ||
        strspn(json_string_value(value), chars) != json_string_length(value))
        return json_wrong(r, what);
    buf_text(r->text, text_in(value));
    return 0;
}

int json_put_key(struct json_reader *r, json_t *value)
{
    return put_bare(r, value, "abcdefghijklmnopqrstuvwxyz0123456789_",
                    "a key is missing: a-z, 0-9 and _.");
}

int json_put_duration(struct json_reader *r, json_t *value)
{
    return put_bare(r, value, "0123456789dhmsw",
                    "a duration is missing, such as \"7d\".");
}

int json_put_date(struct json_reader *r, json_t *value)
{
    if (json_is_string(value) && !strchr(json_string_value(value), '-'))
        return json_wrong(r, "a date is missing, such as \"2026-01-31\".");
    return put_bare(r, value, "0123456789-:.+TZ",
                    "a date is missing, such as \"2026-01-31\".");
}

int json_put_percent(struct json_reader *r, json_t *value)
{
    if (put_bare(r, value, "0123456789.",
                 "a percentage is missing, such as \"12.5\".") < 0)
        return -1;
    buf_char(r->text, '%');
    return 0;
}

int json_put_integer(struct json_reader *r, json_t *value)
{
    if (!json_is_integer(value))
        return json_wrong(r, "a whole number is missing.");
    buf_int(r->text, json_integer_value(value));
    return 0;
}

/* ---- values ---------------------------------------------------------- */

static int put_number(struct json_reader *r, json_t *value)
{
    return put_bare(r, value, "0123456789-+.eE",
                    "a number is missing, such as \"1.50\".");
}

/* {"date": …} or {"number": …} */
static int put_spelled(struct json_reader *r, json_t *value)
{
    if (json_object_size(value) != 1 || json_known(r, value, "date|number") < 0)
        return json_wrong(r, "either `date` or `number` is missing.");
    return json_object_get(value, "date")
               ? json_member(r, value, "date", json_put_date)
               : json_member(r, value, "number", put_number);
}

int json_put_value(struct json_reader *r, json_t *value)
{
    struct seg_value number = {.type = SEG_DOUBLE};
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_put_text(r, value);
    case JSON_INTEGER:
        return json_put_integer(r, value);
    case JSON_REAL:
        number.as.number = json_real_value(value);
        buf_json_value(r->text, &number);
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_str(r->text, json_is_true(value) ? "true" : "false");
        return 0;
    case JSON_OBJECT:
        return put_spelled(r, value);
    case JSON_ARRAY:
    case JSON_NULL:
        break;
    }
    return json_wrong(r, "a value is missing: a text, a number, true or "
                         "false.");
}

int json_put_values(struct json_reader *r, json_t *value)
{
    if (json_is_object(value)) {
        buf_char(r->text, '@');
        return json_known(r, value, "list") < 0
                   ? -1
                   : json_member(r, value, "list", json_put_key);
    }
    buf_char(r->text, '(');
    int ret = json_each(r, value, ", ", json_put_value);
    buf_char(r->text, ')');
    return ret;
}

/* ---- paths ----------------------------------------------------------- */

static int put_name(struct json_reader *r, json_t *value)
{
    if (!json_is_string(value))
        return json_wrong(r, "a name is missing.");
    if (lex_is_name(text_in(value)))
        buf_text(r->text, text_in(value));
    else
        buf_json_text(r->text, text_in(value));
    return 0;
}

int json_put_names(struct json_reader *r, json_t *value)
{
    return json_each(r, value, ".", put_name);
}

int json_put_path(struct json_reader *r, json_t *value)
{
    json_t *root = json_array_get(value, 0);
    if (json_array_size(value) < 2 || !json_is_string(root) ||
        !is_listed(json_string_value(root),
                   "user|account|properties|context|event|element"))
        return json_wrong(r, "a path is missing, such as [\"user\", "
                             "\"plan\"].");
    if (strcmp(json_string_value(root), "element"))
        return json_put_names(r, value);
    /* A member of an element has no root, so even `user` is quoted. */
    for (size_t i = 1; i < json_array_size(value); i++) {
        if (i > 1)
            buf_char(r->text, '.');
        if (json_put_text(r, json_array_get(value, i)) < 0)
            return -1;
    }
    return 0;
}

/* ---- entry ----------------------------------------------------------- */

/* The file as jansson has it, or NULL after saying what is wrong with it. */
static json_t *load(struct json_reader *r, const struct seg_source *source)
{
    json_error_t error;
    json_t *all =
        json_loadb(source->text, source->len, JSON_REJECT_DUPLICATES, &error);
    if (all)
        return all;
    r->wrong = 1;
    if (json_error_code(&error) == json_error_out_of_memory)
        r->text->failed = 1;
    else
        diagnostics_add(
            r->diagnostics, SEG_SEVERITY_ERROR, r->rules,
            (struct rule_pos){.line = error.line > 0 ? (uint32_t)error.line : 1,
                              .column = 1,
                              .width = 1},
            "This is no JSON: %s.", error.text);
    return NULL;
}

static int add_file(struct rules *rules, const struct seg_source *source)
{
    struct seg_text text = {source->text, source->len};
    rules->files = calloc(1, sizeof(*rules->files));
    if (!rules->files)
        return SEG_ERR_NOMEM;
    rules->file_count = 1;
    rules->files[0].name = arena_text(&rules->arena, text_of(source->name));
    rules->files[0].text = arena_text(&rules->arena, text);
    return rules->files[0].name.bytes && rules->files[0].text.bytes
               ? 0
               : SEG_ERR_NOMEM;
}

int segment_json_read(struct buf *text, const struct seg_source *source,
                      struct seg_diagnostics *diagnostics)
{
    struct rules rules;
    struct json_reader reader = {
        .text = text, .rules = &rules, .diagnostics = diagnostics};
    json_t *all = NULL;
    rules_init(&rules);
    buf_init(&reader.path);
    int ret = add_file(&rules, source);
    if (ret == 0 && (all = load(&reader, source)) != NULL &&
        json_known(&reader, all, "definitions") == 0)
        json_member(&reader, all, "definitions", json_put_definitions);
    json_decref(all);
    if (ret < 0 || buf_failed(text) || buf_failed(&reader.path))
        ret = SEG_ERR_NOMEM;
    else if (reader.wrong)
        ret = SEG_ERR_SYNTAX;
    buf_done(&reader.path);
    rules_done(&rules);
    return ret;
}
