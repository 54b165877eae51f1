/* parse_cursor.h: where the parser of segment files stands.
 *
 * A window of tokens that looks a few ahead, and the ways to complain about
 * them. Parsing functions return 0, or -1 after the error has been said; the
 * caller passes -1 on up to who can recover. When nothing more can come of it
 * (no memory, enough errors) every token is END and nothing more is said, so
 * that all loops end.
 *
 * Items of a list whose length is not known yet are pushed on one stack and
 * taken off it into the arena when the list is complete. */
#ifndef SEGMENT_PARSE_CURSOR_H
#define SEGMENT_PARSE_CURSOR_H

#include <seg/catalogue.h>

#include "lib/base/lex.h"
#include "lib/base/suggest.h"
#include "lib/segment/diagnostics.h"
#include "lib/segment/rule.h"

#define CURSOR_LOOKAHEAD 4

struct cursor {
    struct rules *rules;
    struct seg_diagnostics *diagnostics;
    struct lexer lexer;
    uint32_t file;
    struct token ring[CURSOR_LOOKAHEAD];
    int head, filled;
    struct token last; /* Consumed last; END at the start of the file. */
    int taken;         /* Tokens so far: whether there was progress. */
    int braces;        /* { taken that are not closed yet. */
    int depth;         /* Of nested conditions. */
    int element;       /* Depth of `has one`: paths are of the element. */
    const void *bare;  /* The group joined last by `and`, no bracket since. */
    const struct rule_cond *pred; /* Read last of a condition; NULL: none. */
    int said;                     /* Errors of this file. */
    int hinted;                   /* The error said last takes no hint. */
    int stop;                     /* 0, or why nothing more is read. */
    char *stack;
    size_t stack_len, stack_cap;
};

/* Begin at the start of file FILE of RULES. Ended by cursor_done. */
void cursor_init(struct cursor *cursor, struct rules *rules, uint32_t file,
                 struct seg_diagnostics *diagnostics);
void cursor_done(struct cursor *cursor);

/* The token AHEAD (below CURSOR_LOOKAHEAD) of the current one, valid until
 * the next cursor_take. */
const struct token *cursor_peek(struct cursor *cursor, int ahead);

/* The current token, which becomes the last one. */
const struct token *cursor_take(struct cursor *cursor);

/* Whether the token AHEAD is the word or mark TEXT. */
int cursor_at(struct cursor *cursor, int ahead, const char *text);

/* Whether it is one of WORDS, separated by spaces. */
int cursor_at_any(struct cursor *cursor, int ahead, const char *words);

/* Take the current token if it is the word or mark TEXT. */
int cursor_accept(struct cursor *cursor, const char *text);

/* Take the word or mark TEXT, or say that it is missing. */
int cursor_expect(struct cursor *cursor, const char *text);

struct rule_pos cursor_pos(const struct cursor *cursor,
                           const struct token *token);

/* From POS to the end of the last token, if that is on the same line. */
struct rule_pos cursor_span(const struct cursor *cursor, struct rule_pos pos);

/* Say what is wrong with the current token; what the lexer says of it goes
 * first. Returns -1. */
int cursor_error(struct cursor *cursor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same of another place. */
int cursor_error_at(struct cursor *cursor, struct rule_pos pos,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A warning about POS, which stops nothing; it may get a hint. */
void cursor_warning(struct cursor *cursor, struct rule_pos pos,
                    const char *sentence);

/* A hint for the error said last. Returns -1. */
int cursor_suggest(struct cursor *cursor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* FORMAT says what is missing here, before the current token: the message is
 * that and "is missing before `token`." Returns -1. */
int cursor_missing(struct cursor *cursor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A hint to write the token AHEAD between BEFORE and AFTER instead; none if it
 * is long. Returns -1. */
int cursor_instead(struct cursor *cursor, int ahead, const char *before,
                   const char *after);

/* The current token was to begin WHAT ("definition") with one of WORDS
 * (separated by |), or, WHAT being NULL, to be one of WORDS. Returns -1. */
int cursor_wrong_word(struct cursor *cursor, const char *what,
                      const char *words);

/* The current token begins WHAT (NULL: is itself) this version cannot do.
 * Returns -1. */
int cursor_not_yet(struct cursor *cursor, const char *what);

/* Memory ran out. Returns -1. */
int cursor_no_memory(struct cursor *cursor);

/* SIZE cleared bytes of the arena, or NULL after cursor_no_memory. */
void *cursor_alloc(struct cursor *cursor, size_t size);

/* TEXT as a terminated copy in the arena; 0 or -1. */
int cursor_copy(struct cursor *cursor, struct seg_text text,
                struct seg_text *out);

/* Push an item of SIZE bytes (the same for all of a list); 0 or -1. */
int cursor_push(struct cursor *cursor, const void *item, size_t size);

/* Take the bytes above FROM (cursor->stack_len as it was before the first
 * push) into the arena; NULL after cursor_no_memory. */
void *cursor_pop(struct cursor *cursor, size_t from);

#endif
