/* user.c: segmentctl user. */
#include <jansson.h>
#include <stdio.h>

#include "daemon/ctl/ask.h"
#include "daemon/ctl/ctl.h"

int ctl_user(int argc, char **argv)
{
    struct ask_options options;
    struct buf body;
    if (ask_read(&options, argc, argv) != CTL_GOOD)
        return CTL_USAGE;
    if (argc - optind != 1)
        return ctl_usage("user", "one user id");
    buf_init(&body);
    int status =
        ask_user(&body, &options, argv[optind], "", "application/json");
    json_t *user = json_loadb(body.bytes, body.len, JSON_ALLOW_NUL, NULL);
    if (status == CTL_GOOD && user) {
        json_dumpf(user, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (status == CTL_GOOD) {
        status = ctl_fail("the answer is not segmentd's");
    }
    json_decref(user);
    buf_done(&body);
    return status;
}
