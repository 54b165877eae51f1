/* restore_wait.c: an error is told once and asked for again and again: it is
 * kept until the same question is answered. */
#include "daemon/protocol/restore_wait.h"

#include <stdio.h>

void restore_wait_note(struct restore_wait *wait, struct broker *broker,
                       enum restore_asked asked, int topic, int answer)
{
    const char *why = broker->reason(broker->impl);

    if (wait->noted && !why[0])
        return;
    if (wait->asked != asked || wait->topic != topic)
        *wait = (struct restore_wait){.asked = asked, .topic = topic};
    wait->noted = 1;
    wait->answer = answer;
    if (why[0])
        snprintf(wait->why, sizeof(wait->why), "%s", why);
}
