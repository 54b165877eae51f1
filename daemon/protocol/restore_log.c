/* restore_log.c: reading one log.
 *
 *     low     witness   mark              target
 *      |---------x--------|-----------------|----- high
 *                ^ read from here: this record must be the one remembered
 *
 * The target of an output is its read_uncommitted end at one moment. Reading
 * ends when the position has reached it; the reader's position moves over
 * aborted records and markers but not into an open transaction, so that is
 * waited out. */
#include "daemon/protocol/restore_log.h"

#include <string.h>

#include "daemon/protocol/ledger.h"
#include "daemon/protocol/mutation.h"

void restore_log_init(struct restore_log *log, struct broker *broker,
                      struct restore_wait *wait, int topic, int partition)
{
    memset(log, 0, sizeof(*log));
    log->broker = broker;
    log->wait = wait;
    log->topic = topic;
    log->partition = partition;
    log->question = broker_question(broker);
}

int restore_log_ask(struct restore_log *log)
{
    struct broker *broker = log->broker;
    int answer;

    if (log->known)
        return 1;
    answer = broker->watermarks(broker->impl, log->question, log->topic,
                                log->partition, &log->low, &log->high);
    log->known = answer == BROKER_OK;
    if (!log->known)
        restore_wait_note(log->wait, broker, RESTORE_ASKED_ENDS, log->topic,
                          answer);
    return log->known;
}

void restore_log_start(struct restore_log *log, const struct meta_mark *mark,
                       int64_t target)
{
    log->mark = log->last = *mark;
    log->proving = mark->witness >= log->low;
    log->position = log->proving ? mark->witness : mark->position;
    log->target = target;
}

static int is_input(const struct restore_log *log)
{
    return log->topic >= BROKER_OUTPUTS;
}

/* Whether RECORD, the first one read, is the witness. Outputs may be stamped by
 * the broker, so only inputs, which we did not write, are compared by time; and
 * inputs may be compacted: a witness that is gone proves nothing there. */
static enum restore_log_state prove(struct restore_log *log,
                                    const struct broker_record *record)
{
    struct meta_mark mark = ledger_mark(record);

    log->proving = 0;
    if (mark.witness != log->mark.witness)
        return is_input(log) ? RESTORE_LOG_RECORD : RESTORE_LOG_MISSING;
    if (mark.checksum != log->mark.checksum ||
        (is_input(log) && mark.timestamp_ms != log->mark.timestamp_ms))
        return RESTORE_LOG_REMADE;
    return RESTORE_LOG_RECORD;
}

/* The record at the position was not given. */
static void note_wait(struct restore_log *log, int answer)
{
    restore_wait_note(log->wait, log->broker, RESTORE_ASKED_RECORDS, log->topic,
                      answer);
    if (log->wait->topic == log->topic) {
        log->wait->from = log->position;
        log->wait->until = log->target;
    }
}

enum restore_log_state restore_log_next(struct restore_log *log,
                                        struct broker_record *record)
{
    struct broker *broker = log->broker;
    enum restore_log_state state = RESTORE_LOG_RECORD;
    struct broker_read read;
    int answer;

    while (log->position < log->target) {
        log->open = 1;
        answer = broker->read(broker->impl, log->topic, log->partition,
                              log->position, log->target, &read);
        if (answer == BROKER_GONE)
            return RESTORE_LOG_GONE;
        if (answer == BROKER_AGAIN && read.position > log->position) {
            log->position = read.position;
            continue;
        }
        if (answer != BROKER_OK)
            note_wait(log, answer);
        if (answer != BROKER_OK)
            return MUTATED(RESTORE_STOPS_AT_LSO) ? RESTORE_LOG_END
                                                 : RESTORE_LOG_WAITS;
        if (read.record.offset >= log->target)
            break;
        log->position = read.position;
        *record = read.record;
        if (log->proving)
            state = prove(log, record);
        if (state != RESTORE_LOG_RECORD)
            return state;
        if (record->offset < log->mark.position)
            continue;
        log->last = ledger_mark(record);
        return RESTORE_LOG_RECORD;
    }
    return log->proving && !is_input(log) ? RESTORE_LOG_MISSING
                                          : RESTORE_LOG_END;
}

void restore_log_done(struct restore_log *log)
{
    if (log->open)
        log->broker->stop(log->broker->impl, log->topic, log->partition);
    log->open = 0;
}
