/* ask.h: questions to a running segmentd, over HTTP. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "lib/base/buf.h"

#define ASK_TIMEOUT_S 10

/* Where and how to ask, from the command line. */
struct ask_options {
    const char *verb;
    const char *url;        /* NULL: as CONF says. */
    const char *conf;       /* NULL: CTL_CONF_PATH. */
    const char *token_file; /* NULL: as CONF says; none with URL. */
};

/* Read the options of VERB, which may have no others. Returns an exit status;
 * optind is the first argument. */
int ask_read(struct ask_options *options, int argc, char **argv);

/* GET /v1/users/ID SUFFIX, with ID escaped here, as the media type ACCEPT. A
 * refusal, or no answer, is said on standard error. Returns an exit status and,
 * when it is CTL_GOOD, the answer in BODY, which is initialized. */
int ask_user(struct buf *body, const struct ask_options *options, const char *id,
             const char *suffix, const char *accept);

#endif
