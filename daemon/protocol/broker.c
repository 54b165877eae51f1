/* broker.c: names of answers and topics. */
#include "daemon/protocol/broker.h"

const char *broker_answer_name(int answer)
{
    static const char *const names[] = {"ok",     "again", "abort", "fatal",
                                        "fenced", "lost",  "gone",  "refused"};

    return answer >= 0 && answer <= BROKER_REFUSED ? names[answer] : "unknown";
}

const char *broker_topic_name(int topic)
{
    static const char *const names[] = {"changes", "triggers", "state",
                                        "dead-letters", "traits"};

    return topic >= 0 && topic < BROKER_OUTPUTS ? names[topic] : "input";
}
