/* conf_read.h: the syntax of segmentd.conf. */
#ifndef BASE_CONF_READ_H
#define BASE_CONF_READ_H

#include "daemon/base/conf_value.h"
#include "lib/base/lex.h"

/* One reading of one file. */
struct conf_reader {
    struct conf *conf; /* Takes what is read. */
    const char *path;
    struct seg_text text;
    const char *folder; /* Of path, with slash; relative paths start there. */
    struct lexer lexer;
    struct token token;               /* The next one; never a comment. */
    struct token set[CONF_ROW_COUNT]; /* The value of each row; END: not set. */
    struct token topics[CONF_INPUTS_MAX]; /* Of conf->inputs. */
    unsigned char input_set[CONF_INPUTS_MAX][CONF_ROW_COUNT];
    struct buf *errors;
    int error_count;
    int failed; /* Memory ran out. */
};

/* Read all of reader->text into reader->conf, whose fields hold their initial
 * values. conf, path, text, folder and errors are set by the caller, the rest
 * is 0.
 * What is wrong is in reader->errors, and counted. */
void conf_read(struct conf_reader *reader);

/* PATH as seen from where we run, in the arena; NULL: no memory. */
const char *conf_resolve(struct conf_reader *reader, struct seg_text path);

/* Say that MESSAGE, a sentence, is wrong at TOKEN; BETTER may be NULL. */
void conf_complain(struct conf_reader *reader, const struct token *token,
                   const char *message, const char *better);

#endif
