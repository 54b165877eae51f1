/* brokers.h: what the verbs share that read topics themselves. */
#ifndef CTL_BROKERS_H
#define CTL_BROKERS_H

#include <jansson.h>

#include "daemon/kafka/client.h"
#include "daemon/kafka/scan.h"

struct brokers {
    struct conf *conf;
    struct client client;
    struct scan *scan;
};

/* Where to begin. */
enum brokers_from { BROKERS_EARLIEST, BROKERS_LATEST, BROKERS_INSTANT };

struct brokers_start {
    int from;           /* enum brokers_from. */
    int64_t instant_ms; /* Of BROKERS_INSTANT. */
};

/* What is read. */
struct brokers_range {
    const char *topic; /* Borrowed until brokers_close. */
    int partition;     /* -1: all. */
    struct brokers_start start;
    int follow; /* 1: for ever; 0: to where the topic ends now. */
};

/* Load the configuration at PATH (NULL: CTL_CONF_PATH) into *RET. What is wrong
 * is said. Returns an exit status. */
int brokers_conf(struct conf **ret, const char *path);

/* The same, and connect; committed records only. BROKERS is to be closed in any
 * case. */
int brokers_open(struct brokers *brokers, const char *path);
void brokers_close(struct brokers *brokers);

/* Read TEXT: earliest, latest or an instant. Returns 0 or SEG_ERR_INVALID. */
int brokers_start(struct brokers_start *start, const char *text);

/* Add RANGE to what is read. Returns an exit status; what is wrong is said. */
int brokers_add(struct brokers *brokers, const struct brokers_range *range);

/* The next record into RECORD. Returns enum scan_answer; below 0 after it was
 * said what is wrong. */
int brokers_next(struct brokers *brokers, int timeout_ms,
                 struct scan_record *record);

/* The number in TEXT, from 0 to MAX, or -1. */
int64_t brokers_number(const char *text, int64_t max);

/* LEN bytes as a JSON string; what is no UTF-8 as {"base64": ...}; NULL as
 * null. */
json_t *brokers_text(const char *bytes, size_t len);

/* JSON, which is ended, on one line of standard output. */
void brokers_print(json_t *json);

#endif
