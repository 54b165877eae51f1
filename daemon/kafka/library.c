/* library.c: the librdkafka in use, and what is known to be wrong with it. */
#include "daemon/kafka/library.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

static const struct library_fault faults[] = {
#define X(name, first, last, level, if_mechanism, text) \
    {first, last, level, if_mechanism, text},
    LIBRARY_TABLE(X)
#undef X
};

unsigned library_faults(int version, const char *mechanism)
{
    unsigned found = 0;
    for (int i = 0; i < LIBRARY_FAULTS; i++) {
        const char *only = faults[i].if_mechanism;
        if (version >= faults[i].first && version <= faults[i].last &&
            (!only || !strncmp(mechanism, only, strlen(only))))
            found |= 1u << i;
    }
    return found;
}

const struct library_fault *library_fault(int name)
{
    return &faults[name];
}

/* 0xMMmmrrpp, pp = 0xff in a release. */
static int in_use(void)
{
    return rd_kafka_version() >> 8;
}

const char *library_scram_fault(void)
{
    return library_faults(in_use(), "SCRAM") & 1u << LIBRARY_FAULT_SCRAM
               ? faults[LIBRARY_FAULT_SCRAM].text
               : "";
}

static const char *mechanism_of(const struct conf *conf)
{
    const char *found = "";
    for (int i = 0; i < conf->property_count; i++)
        if (!strcmp(conf->properties[i].name, "sasl.mechanism") ||
            !strcmp(conf->properties[i].name, "sasl.mechanisms"))
            found = conf->properties[i].value.value;
    return found;
}

void library_log(const struct conf *conf)
{
    unsigned found = library_faults(in_use(), mechanism_of(conf));
    log_info("librdkafka", "version=%s", library_version());
    for (int i = 0; i < LIBRARY_FAULTS; i++)
        if (found & 1u << i)
            log_line(faults[i].level, faults[i].text, " ");
}

const char *library_version(void)
{
    return rd_kafka_version_str();
}
