/* owners.h: which process has a partition, asked of the coordinator of the
 * group.
 *
 * Somebody asks a process for a user whom another process has. Who that is, the
 * coordinator knows: it holds who has which partitions, and of each member what
 * it calls itself (client.id), in which a process tells where it answers:
 *
 *     segmentd-host7-0@10.0.0.7:7070      <app>-<process>-<worker>@<advertise>
 *
 *   trust      what a member says of itself. Who may be a member may read and
 *              commit everything here; an address that is none is not used.
 *   staleness  none beyond the group's own: a partition that moves is nobody's
 *              until it has an owner; one who died has it until his session is
 *              over. An answer is used again for OWNERS_KEEP_MS.
 *   fencing    none needed: this is only where to ask. Whoever is asked answers
 *              for what he owns himself, or asks the coordinator anew.
 *   cost       nothing as long as nobody asks; then one question to each broker
 *              and one to the coordinator, at most every OWNERS_KEEP_MS, and a
 *              handle that stays. No topic, no record, no right but those a
 *              member has.
 *
 * Other ways: a record of each owner in the state topic (whoever wants to know
 * follows a compacted topic of all users), the metadata of committed offsets
 * (its format is fixed, and a quiet partition would have to be written when it
 * moves), a list of peers in the configuration (to be kept right by hand). */
#ifndef KAFKA_OWNERS_H
#define KAFKA_OWNERS_H

#include "daemon/kafka/client.h"

#define OWNERS_ASK_MS        1500 /* Longest wait for the brokers. */
#define OWNERS_KEEP_MS       1000
#define OWNERS_MAX           256 /* Processes told of. */
#define OWNERS_ADDRESS_BYTES 256

enum owners_verdict {
    OWNERS_HERE,      /* This process has it. */
    OWNERS_ELSEWHERE, /* The processes in `list`, which may have no address. */
    OWNERS_MOVING,    /* The group rebalances, or nobody has it. */
    OWNERS_UNKNOWN,   /* The brokers do not answer. */
};

struct owners_process {
    char address[OWNERS_ADDRESS_BYTES]; /* host:port; "": it tells none. */
    char host[OWNERS_ADDRESS_BYTES];    /* Where the broker sees it. */
};

/* A question. The memory is the caller's, until `told` was called. */
struct owners_question {
    int partition; /* Below 0: all processes but this one. */
    void (*told)(void *arg);
    void *arg;
    /* The answer. */
    enum owners_verdict verdict;
    int count;
    struct owners_process *list;  /* To be freed by the caller; may be NULL. */
    struct owners_question *next; /* Inside. */
};

struct owners;

/* CLIENT is copied, what it borrows must live as long. Returns 0 or
 * SEG_ERR_NOMEM. Nothing is asked, and no thread runs, before owners_ask. */
int owners_open(struct owners **ret, const struct client *client);

/* Answer QUESTION, whose `told` is called once, on a thread of ours. Returns 0;
 * or SEG_ERR_LIMIT, and it never will be. */
int owners_ask(struct owners *owners, struct owners_question *question);

/* Answer what is open with UNKNOWN, and end. NULL: nothing. */
void owners_close(struct owners *owners);

/* ---- for tests ----------------------------------------------------------- */

/* Whether the LEN bytes at BYTES, an assignment as the group keeps it, hold
 * PARTITION of TOPIC. */
int owners_assigned(const char *bytes, size_t len, const char *topic,
                    int partition);

/* The address in ID, a client.id, into the OWNERS_ADDRESS_BYTES at OUT; "" if
 * there is none that could be one. */
void owners_address(char *out, const char *id);

#endif
