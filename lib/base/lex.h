/* lex.h: text of segment files and of segmentd.conf to tokens.
 *
 *     on enter trigger "upgrade_modal" { offer = "pro" } once per 30d   # why
 *     WORD WORD WORD   STRING         MARK WORD MARK … DURATION      COMMENT
 *
 * Both kinds of file are words, strings with the escapes of JSON, numbers,
 * durations, percents, dates, @names and marks; # starts a comment, lines and
 * spaces mean nothing. The lexer knows no keyword and never stops: what it
 * cannot read is a token too, with a sentence and often a better spelling. A
 * file with a byte that cannot be in a text is one such token, then the end. */
#ifndef BASE_LEX_H
#define BASE_LEX_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/arena.h"

enum token_kind {
    TOKEN_END,
    TOKEN_ERROR,
    TOKEN_COMMENT,
    TOKEN_WORD, /* half-life is one word. */
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_DURATION,
    TOKEN_PERCENT,
    TOKEN_DATE,
    TOKEN_LIST, /* @name */
    TOKEN_MARK, /* A bracket, comma, dot …, or a run of = ! < > & | */
};

struct token {
    enum token_kind kind;
    int starts_line;        /* Nothing but space before it on its line. */
    uint32_t line, column;  /* From 1; column in bytes. */
    struct seg_text source; /* As written; borrowed from the text. */
    struct seg_text text;   /* Content of a STRING, terminated, of the arena;
                               name of a LIST; else as source. */
    struct seg_value value; /* Of NUMBER; of PERCENT in hundredths: 70% 7000. */
    int64_t ms;             /* Of DURATION, and of DATE since 1970. */
    const char *error;      /* Of ERROR: one sentence, static. */
    struct seg_text better; /* Of ERROR: what to write instead, or absent. */
};

struct lexer {
    const char *at, *end;
    const char *line_start;
    const char *bad; /* The first byte that cannot be in a text, or NULL. */
    uint32_t line;
    int starts_line;
    int failed; /* Memory ran out: from there on all is END. */
    struct arena *arena;
};

/* Read TEXT (borrowed as long as its tokens are used). Contents of strings are
 * allocated in ARENA. A byte order mark at the start is skipped. */
void lex_init(struct lexer *lexer, struct seg_text text, struct arena *arena);

/* The next token. At the end, END again and again; if memory ran out,
 * lexer->failed is set and END comes early. */
struct token lex_next(struct lexer *lexer);

/* The unit of durations that WORD means: "d" for day or days; NULL: none. */
const char *lex_unit(struct seg_text word);

/* Whether TEXT is a NAME: [A-Za-z_][A-Za-z0-9_]*. */
int lex_is_name(struct seg_text text);

#endif
