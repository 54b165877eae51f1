/* ask.h: questions to a running segmentd, over HTTP. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "lib/base/buf.h"

#define ASK_TIMEOUT_S  10
#define ASK_FOLLOW_MAX 4 /* Partitions move; not that often. */

/* Where and how to ask, from the command line. */
struct ask_options {
    const char *verb;
    const char *url;        /* NULL: as CONF says. */
    const char *conf;       /* NULL: CTL_CONF_PATH. */
    const char *token_file; /* NULL: as CONF says; none with URL. */
};

/* Rows of getopt_long for verbs with more options than these; what they find
 * goes to ask_take. */
#define ASK_OPTIONS                                \
    {"url", required_argument, NULL, 'u'},         \
        {"conf", required_argument, NULL, 'c'},    \
    {                                              \
        "token-file", required_argument, NULL, 't' \
    }

/* Take the option FOUND, with its argument in optarg. Returns 0 if it is none
 * of these. */
int ask_take(struct ask_options *options, int found);

/* Read the options of VERB, which may have no others. Returns an exit status;
 * optind is the first argument. */
int ask_read(struct ask_options *options, int argc, char **argv);

/* GET /v1/users/ID SUFFIX, with ID escaped here, as the media type ACCEPT, of
 * the process that has him. A refusal, or no answer, is said on standard error.
 * Returns an exit status and, when it is CTL_GOOD, the answer in BODY, which is
 * initialized. */
int ask_user(struct buf *body, const struct ask_options *options,
             const char *id, const char *suffix, const char *accept);

/* ---- more than one question -------------------------------------------- */

struct asker;

/* Find out whom to ask. Returns an exit status; what is wrong is said. */
int ask_open(struct asker **ret, const struct ask_options *options);
void ask_close(struct asker *asker);

/* Ask the process at URL, which another one has named, from now on; the token
 * goes along: a group has one. Returns 0, or -1 if it is no URL of ours. */
int ask_go(struct asker *asker, const char *url);

/* GET PATH as ACCEPT into BODY, which is emptied first. Returns the status of
 * the answer, 0 when none came; nothing is said. */
int ask_get(struct asker *asker, const char *path, const char *accept,
            struct buf *body);

/* Say why the answer with STATUS and BODY is of no use. Returns CTL_FAILED. */
int ask_complain(const struct asker *asker, int status, const struct buf *body);

/* Append TEXT as part of a path. */
void ask_escape(struct buf *path, const char *text);

#endif
