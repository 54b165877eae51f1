/* parse_path.c: paths of a segment file.
 *
 * What a bare name means depends on where it stands: in a condition on the user
 * the path begins with user or account, in one on an event a bare name is a
 * property, in one on an element of a list a member of it. The messages for
 * mixing them up are most of this file. */
#include "lib/segment/parse_path.h"

#include "lib/base/text.h"

static const struct root {
    const char *word;
    enum path_root root;
} roots[] = {
    {"user", PATH_USER},       {"account", PATH_ACCOUNT},
    {"context", PATH_CONTEXT}, {"properties", PATH_PROPERTIES},
    {"event", PATH_EVENT},
};

static const struct root *find_root(struct seg_text word)
{
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        if (text_equal(word, text_of(roots[i].word)))
            return &roots[i];
    return NULL;
}

int path_is_reserved(struct seg_text name)
{
    return find_root(name) || text_equal(name, text_of("not"));
}

static int parse_name(struct cursor *cursor, struct seg_text *name)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind == TOKEN_WORD && !lex_is_name(token->source)) {
        cursor_error(cursor, "A name with other characters than letters, "
                             "digits and _ stands in quotes.");
        return cursor_instead(cursor, 0, "\"", "\"");
    }
    if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING)
        return cursor_missing(cursor, "A name");
    if (!token->text.len)
        return cursor_error(cursor, "A name has at least one character.");
    if (token->text.len > SEG_NAME_BYTES_MAX)
        return cursor_error(cursor, "A name has at most %d bytes, not %zu.",
                            SEG_NAME_BYTES_MAX, token->text.len);
    if (token->kind == TOKEN_WORD) {
        cursor_take(cursor);
        return cursor_copy(cursor, cursor->last.source, name);
    }
    *name = cursor_take(cursor)->text;
    return 0;
}

int parse_names(struct cursor *cursor, struct path *path)
{
    size_t from = cursor->stack_len;
    struct seg_text name;
    path->count = 0;
    do {
        if (path->count == RULE_PATH_NAMES_MAX)
            return cursor_error(cursor, "A path has at most %d names.",
                                RULE_PATH_NAMES_MAX);
        if (parse_name(cursor, &name) < 0 ||
            cursor_push(cursor, &name, sizeof(name)) < 0)
            return -1;
        path->count++;
    } while (cursor_accept(cursor, "."));
    path->names = cursor_pop(cursor, from);
    return path->names ? 0 : -1;
}

/* The names after a root and its dot. */
static int parse_below(struct cursor *cursor, const struct root *root,
                       struct path *path)
{
    cursor_take(cursor);
    if (!cursor_accept(cursor, ".")) {
        cursor_error(cursor, "After `%s` stands `.` and a name.", root->word);
        if (root->root != PATH_USER && root->root != PATH_ACCOUNT)
            cursor_suggest(cursor,
                           "a property of that name is written "
                           "`properties.%s`",
                           root->word);
        return -1;
    }
    path->root = root->root;
    return parse_names(cursor, path);
}

int parse_user_path(struct cursor *cursor, struct path *path)
{
    const struct root *root = find_root(cursor_peek(cursor, 0)->source);
    if (root && (root->root == PATH_USER || root->root == PATH_ACCOUNT))
        return parse_below(cursor, root, path);
    return cursor_wrong_word(cursor, "path such as user.plan", "user|account");
}

static int check_event_name(struct cursor *cursor, const struct path *path)
{
    static const char names[] = "name|type|id";
    struct suggest suggest;
    if (path->count == 1 && (text_equal(path->names[0], text_of("name")) ||
                             text_equal(path->names[0], text_of("type")) ||
                             text_equal(path->names[0], text_of("id"))))
        return 0;
    cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                    "Of an event itself there are event.name, event.type and "
                    "event.id.");
    suggest_init(&suggest, path->names[path->count - 1]);
    suggest_offer_all(&suggest, names);
    if (suggest.best.bytes)
        return cursor_suggest(cursor, "did you mean `event.%.*s`?",
                              (int)suggest.best.len, suggest.best.bytes);
    return cursor_suggest(cursor, "a property is written without `event.`");
}

/* A member of the element that `has one` looks at; nothing else stands there,
 * so that even its first name may be in quotes. */
static int parse_element_path(struct cursor *cursor, const struct root *root,
                              struct path *path)
{
    path->root = PATH_ELEMENT;
    if (root) {
        cursor_error(cursor,
                     "Inside `has one` stands a member of the element, "
                     "nothing of the %s.",
                     root->root == PATH_USER      ? "user"
                     : root->root == PATH_ACCOUNT ? "account"
                                                  : "event");
        return cursor_suggest(
            cursor, "a member of that name is written `\"%s\"`", root->word);
    }
    if (cursor_peek(cursor, 0)->kind != TOKEN_WORD &&
        cursor_peek(cursor, 0)->kind != TOKEN_STRING)
        return cursor_missing(cursor, "A member of the element");
    return parse_names(cursor, path);
}

int parse_event_path(struct cursor *cursor, struct path *path)
{
    const struct token *token = cursor_peek(cursor, 0);
    const struct root *root =
        token->kind == TOKEN_WORD ? find_root(token->source) : NULL;
    if (cursor->element)
        return parse_element_path(cursor, root, path);
    if (root && (root->root == PATH_USER || root->root == PATH_ACCOUNT)) {
        cursor_error(cursor,
                     "Here stands a property of the event, nothing of "
                     "the %s.",
                     root->word);
        return cursor_suggest(cursor,
                              "a property of that name is written "
                              "`properties.%s`",
                              root->word);
    }
    if (root) {
        if (parse_below(cursor, root, path) < 0)
            return -1;
        return root->root == PATH_EVENT ? check_event_name(cursor, path) : 0;
    }
    if (token->kind == TOKEN_STRING) {
        cursor_error(cursor, "A property in quotes begins with `properties.`.");
        return cursor_instead(cursor, 0, "properties.", "");
    }
    if (token->kind != TOKEN_WORD)
        return cursor_missing(cursor, "A property");
    path->root = PATH_PROPERTIES;
    return parse_names(cursor, path);
}
