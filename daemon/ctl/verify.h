/* verify.h: segmentctl topics verify. */
#ifndef CTL_VERIFY_H
#define CTL_VERIFY_H

#include "daemon/base/conf.h"
#include "daemon/ctl/fit.h"
#include "daemon/kafka/topics.h"
#include "lib/base/buf.h"

/* What a topic is to segmentd. */
enum verify_role {
    VERIFY_CHANGES,
    VERIFY_TRIGGERS,
    VERIFY_TRAITS,
    VERIFY_STATE,
    VERIFY_DEAD_LETTERS,
    VERIFY_INPUT,
};

struct verify {
    const struct conf *conf;
    int partitions; /* Of the first input; 0: it is not there. */
    int problems;   /* Counted here. */
    struct buf out; /* What is to be said. */
};

/* Judge the topic INFO, which is ROLE. */
void verify_topic(struct verify *verify, enum verify_role role,
                  const struct topics_info *info);

/* Judge what FIT says of INPUT. */
void verify_fit(struct verify *verify, const struct conf_input *input,
                const struct fit *fit);

/* Look at all topics of the configuration at CONF (NULL: CTL_CONF_PATH), and at
 * SAMPLES records of each partition of the inputs. Returns an exit status. */
int verify_run(const char *conf, int64_t samples);

#endif
