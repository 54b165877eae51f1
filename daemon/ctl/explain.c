/* explain.c: segmentctl explain. */
#include <stdio.h>
#include <stdlib.h>

#include <event2/http.h>

#include "daemon/ctl/ask.h"
#include "daemon/ctl/ctl.h"

int ctl_explain(int argc, char **argv)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, 'j'},
        ASK_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    struct ask_options options = {.verb = "explain"};
    struct buf suffix, body;
    const char *accept = "text/plain";
    for (int found; (found = ctl_option(argc, argv, known)) != -1;) {
        if (found == '?')
            return CTL_USAGE;
        if (!ask_take(&options, found))
            accept = "application/json";
    }
    int words = argc - optind;
    if (words < 1 || words > 2)
        return ctl_usage("explain", "a user id, and a segment if you like");
    buf_init(&suffix);
    buf_init(&body);
    buf_str(&suffix, "/explain");
    if (words == 2) {
        char *segment = evhttp_uriencode(argv[optind + 1], -1, 0);
        buf_printf(&suffix, "?segment=%s", segment ? segment : "");
        free(segment);
    }
    int status =
        ask_user(&body, &options, argv[optind], buf_string(&suffix), accept);
    if (status == CTL_GOOD)
        fwrite(body.bytes, 1, body.len, stdout);
    buf_done(&body);
    buf_done(&suffix);
    return status;
}
