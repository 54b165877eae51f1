/* library.h: the librdkafka in use, and what is known to be wrong with it.
 *
 * The one in use is not the one segmentd was built with: it is found when the
 * process starts. */
#ifndef KAFKA_LIBRARY_H
#define KAFKA_LIBRARY_H

#include "daemon/base/conf.h"
#include "daemon/base/log.h"
#include "daemon/kafka/library_table.h"

#define LIBRARY_VERSION(major, minor, revision) \
    ((major) << 16 | (minor) << 8 | (revision))

enum library_fault_name {
#define X(name, first, last, level, if_mechanism, text) LIBRARY_FAULT_##name,
    LIBRARY_TABLE(X)
#undef X
        LIBRARY_FAULTS
};

struct library_fault {
    int first, last; /* LIBRARY_VERSION. */
    enum log_level level;
    const char *if_mechanism; /* NULL: always. */
    const char *text;
};

/* The faults that VERSION has for those whose sasl.mechanism is MECHANISM ("":
 * none), as bits 1 << enum library_fault_name. */
unsigned library_faults(int version, const char *mechanism);

/* Fault NAME. Static. */
const struct library_fault *library_fault(int name);

/* The sentence about SCRAM if the version in use has that fault, else "". */
const char *library_scram_fault(void);

/* Log the version in use, and its faults that matter to CONF. */
void library_log(const struct conf *conf);

/* "2.0.2". Static. */
const char *library_version(void);

#endif
