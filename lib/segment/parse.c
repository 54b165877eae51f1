/* parse.c: segment files to syntax trees: the file as a whole. */
#include "lib/segment/parse.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "lib/segment/parse_block.h"

/* Add SOURCE to the files of RULES, copied, without a byte order mark. Its
 * number, or SEG_ERR_NOMEM. */
static int add_file(struct rules *rules, const struct seg_source *source)
{
    void *files = rules->files;
    struct seg_text text = {source->text, source->len};
    if (text.len >= 3 && !memcmp(text.bytes, "\xef\xbb\xbf", 3)) {
        text.bytes += 3;
        text.len -= 3;
    }
    if (text.len > SEG_FILE_BYTES_MAX)
        text.len = 0;
    if (alloc_grow(&files, &rules->file_cap, (size_t)rules->file_count + 1,
                   sizeof(*rules->files)) < 0)
        return SEG_ERR_NOMEM;
    rules->files = files;
    struct rule_file *file = &rules->files[rules->file_count];
    file->name = arena_text(&rules->arena, text_of(source->name));
    file->text = arena_text(&rules->arena, text);
    if (!file->name.bytes || !file->text.bytes)
        return SEG_ERR_NOMEM;
    return rules->file_count++;
}

/* To the next definition. After a word that is no definition its block is
 * passed over whole. */
static void skip_definition(struct cursor *cursor)
{
    for (; cursor_peek(cursor, 0)->kind != TOKEN_END; cursor_take(cursor))
        if (definition_is_here(cursor) &&
            (cursor->braces <= 0 || cursor_peek(cursor, 0)->starts_line))
            return;
}

static int wrong_definition(struct cursor *cursor)
{
    if (cursor_at(cursor, 0, "}"))
        return cursor_error(cursor, "This `}` closes nothing.");
    return cursor_wrong_word(cursor, "definition",
                             "segment|list|score|trait|test");
}

static int parse_definition(struct cursor *cursor)
{
    cursor->stack_len = 0;
    cursor->braces = 0;
    cursor->depth = 0;
    if (cursor_accept(cursor, "segment"))
        return parse_segment(cursor);
    if (cursor_accept(cursor, "list"))
        return parse_list(cursor);
    if (cursor_accept(cursor, "score"))
        return parse_score(cursor);
    if (cursor_accept(cursor, "trait"))
        return parse_trait(cursor);
    if (cursor_accept(cursor, "test"))
        return parse_test_block(cursor);
    return wrong_definition(cursor);
}

static void parse_file(struct cursor *cursor)
{
    while (cursor_peek(cursor, 0)->kind != TOKEN_END) {
        int taken = cursor->taken;
        if (parse_definition(cursor) == 0)
            continue;
        if (cursor->taken == taken)
            cursor_take(cursor);
        skip_definition(cursor);
    }
}

int parse_source(struct rules *rules, const struct seg_source *source,
                 struct seg_diagnostics *diagnostics)
{
    struct cursor cursor;
    int file = add_file(rules, source);
    if (file < 0)
        return file;
    if (source->len > SEG_FILE_BYTES_MAX) {
        diagnostics_add(diagnostics, SEG_SEVERITY_ERROR, rules,
                        (struct rule_pos){(uint32_t)file, 1, 1, 1},
                        "A segment file has at most %d bytes, not %zu.",
                        SEG_FILE_BYTES_MAX, source->len);
        return SEG_ERR_LIMIT;
    }
    cursor_init(&cursor, rules, (uint32_t)file, diagnostics);
    parse_file(&cursor);
    int ret = cursor.stop ? cursor.stop : cursor.said ? SEG_ERR_SYNTAX : 0;
    cursor_done(&cursor);
    return ret;
}
