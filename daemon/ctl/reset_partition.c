/* reset_partition.c: one partition is restored, mended and written.
 *
 * The restore is the daemon's own (daemon/protocol/restore.c), told to take
 * what there is (mend.h). What it ends with is written as the daemon writes it
 * (share.c): changes that differ, every user, the catalogue record, the meta
 * record and the offsets of all inputs, in one transaction:
 *
 *     begin, records, offsets ── is the group still empty? ── commit
 *
 * A segmentd that starts before the question is seen by it; one that starts
 * later finds offsets pending and waits for the end of the transaction, as
 * after any crash. So nobody works on what is half mended. */
#include "daemon/ctl/reset_partition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/ctl.h"
#include "daemon/protocol/restore.h"
#include "daemon/protocol/share.h"

#define TURN_WORK 10000
#define WAIT_MS   50
#define SILENT_MS 5000 /* Longer waits are told. */
#define AGAIN_MAX 10   /* Restores that somebody's commits made void. */

/* ---- where an input goes on ---------------------------------------------- */

/* Ask until there is an answer. Returns an exit status. */
static int ask_place(struct reset *reset, int partition, int64_t *low,
                     int64_t *high, int64_t *at)
{
    struct broker *broker = reset->broker;
    uint64_t question = broker_question(broker);
    int topic = BROKER_INPUT(reset->input), answer;
    int instant = reset->offset < 0 && reset->to_ms != LEDGER_EARLIEST &&
                  reset->to_ms != LEDGER_LATEST;

    while ((answer = broker->watermarks(broker->impl, question, topic,
                                        partition, low, high)) == BROKER_AGAIN)
        bell_wait(&reset->bell, -1, WAIT_MS);
    *at = reset->to_ms == LEDGER_LATEST ? *high : *low;
    if (answer == BROKER_OK && instant)
        while ((answer = broker->start_offset(broker->impl, question, topic,
                                              partition, reset->to_ms, at)) ==
               BROKER_AGAIN)
            bell_wait(&reset->bell, -1, WAIT_MS);
    return answer == BROKER_OK ? CTL_GOOD
                               : ctl_fail("%s", broker->reason(broker->impl));
}

static int find_place(struct reset *reset, int partition, struct mend *mend)
{
    int64_t low, high, at;
    int status = ask_place(reset, partition, &low, &high, &at);

    if (status != CTL_GOOD)
        return status;
    if (reset->offset >= 0)
        at = reset->offset;
    if (at < low || at > high)
        return ctl_fail("topic %s partition %d goes from offset %" PRId64
                        " to %" PRId64 ": offset %" PRId64 " is not in it",
                        reset->inputs[reset->input].topic, partition, low, high,
                        at);
    mend->to[reset->input] = at;
    mend->found = 1;
    return CTL_GOOD;
}

/* ---- restoring ----------------------------------------------------------- */

static void tell_wait(const struct restore *restore, int partition,
                      int64_t *told_ms)
{
    struct restore_waits waits;
    int64_t now_ms = clock_monotonic_ms();

    restore_waits(restore, &waits);
    if (now_ms - waits.since_ms < SILENT_MS || now_ms - *told_ms < SILENT_MS)
        return;
    *told_ms = now_ms;
    fprintf(stderr,
            "partition %d: waits for the brokers, which are asked for %s "
            "of %s; somebody's open transaction ends by itself. %s\n",
            partition, waits.asked, waits.topic, waits.why);
}

/* Turn RESTORE until it is done. Returns an exit status. */
static int run(struct reset *reset, struct restore *restore,
               const struct ledger *ledger)
{
    struct restore_stats stats;
    int64_t told_ms = clock_monotonic_ms();

    for (;;) {
        switch (restore_turn(restore, clock_monotonic_ms(), TURN_WORK)) {
        case RESTORE_BUSY:
            break;
        case RESTORE_WAITS:
            tell_wait(restore, ledger->partition, &told_ms);
            bell_wait(&reset->bell, -1, WAIT_MS);
            break;
        case RESTORE_NO_ROOM:
            return ctl_fail("partition %d: there is not enough memory",
                            ledger->partition);
        case RESTORE_DONE:
            return CTL_GOOD;
        case RESTORE_REFUSED:
            return ctl_fail("partition %d cannot be mended so: %s",
                            ledger->partition, ledger->broken.message);
        }
        restore_stats(restore, &stats);
        if (stats.again > AGAIN_MAX)
            return ctl_fail(
                "partition %d is being worked on: stop segmentd first",
                ledger->partition);
    }
}

/* ---- telling ------------------------------------------------------------- */

static void tell_inputs(const struct reset *reset, const struct ledger *ledger,
                        const struct mend *mend, const int64_t *before)
{
    for (int i = 0; i < reset->options.input_count; i++) {
        int64_t at = ledger->inputs[i].position;
        printf("  topic %s goes on at offset %" PRId64, reset->inputs[i].topic,
               at);
        if (mend->to[i] >= 0 && at > before[i])
            printf(" instead of %" PRId64 ": %" PRId64 " records are left out",
                   before[i], at - before[i]);
        else if (mend->to[i] >= 0 && at < before[i])
            printf(" instead of %" PRId64 ": %" PRId64
                   " records are applied again",
                   before[i], before[i] - at);
        putchar('\n');
    }
}

static void tell(const struct reset *reset, struct ledger *ledger,
                 struct mend *mend, const int64_t *before)
{
    const char *would = reset->yes ? "" : "would be ";
    struct seg_engine_stats stats;
    const char *line = buf_string(&mend->said);

    seg_engine_stats(ledger->engine, &stats);
    while (*line) {
        int len = (int)strcspn(line, "\n");
        printf("  %.*s\n", len, line);
        line += len + (line[len] == '\n');
    }
    if (mend->records)
        printf("  at most %" PRIu64 " records are lost\n", mend->records);
    for (int i = 0; i < 2; i++)
        if (mend->leap[i])
            printf("  the numbers of everybody's %s %sincreased by %" PRIu32
                   "\n",
                   i ? "triggers" : "changes", would, mend->leap[i]);
    tell_inputs(reset, ledger, mend, before);
    printf("  %" PRIu64 " entered and %" PRIu64
           " exited %sput out, cause repair\n",
           stats.entered, stats.exited, would);
    printf("  %" PRIu32 " users %swritten, transaction %" PRIu64
           " follows %" PRIu64 "\n",
           seg_engine_dirty_count(ledger->engine), would,
           ledger->committed.txn + 1, ledger->committed.txn);
}

/* ---- writing ------------------------------------------------------------- */

static int failed(const char *why, int err)
{
    return ctl_fail("%s. Nothing was done in this partition",
                    *why ? why : seg_error_sentence(err ? err : SEG_ERR_NOMEM));
}

/* All records of SHARE. Returns 0 or an error. */
static int send_records(struct reset *reset, struct share *share, char *why)
{
    struct share_room *room = calloc(1, sizeof(*room));
    struct broker_record record;
    char topic[CLIENT_TOPIC_BYTES];
    int more = room ? 1 : SEG_ERR_NOMEM;

    for (size_t at = 0; more > 0; at++) {
        more = share_record(share, at, room, &record);
        if (more <= 0)
            break;
        struct sender_record out = {
            client_topic(reset->conf, record.topic, topic),
            share->ledger->partition,
            clock_wall_ms(),
            record.key,
            record.key_len,
            record.value,
            record.value_len,
            record.headers,
            record.header_count};
        int err = sender_send(reset->sender, &out, why);
        more = err < 0 ? err : 1;
    }
    if (room)
        buf_done(&room->meta);
    free(room);
    return more;
}

static int send_offsets(struct reset *reset, const struct share *share,
                        char *why)
{
    const struct ledger *ledger = share->ledger;
    char metadata[BROKER_METADATA_BYTES];
    int err = 0;

    meta_offsets_write(metadata, &share->offsets);
    for (int i = 0; i < reset->options.input_count && err >= 0; i++)
        err = sender_note(reset->sender, conf_group(reset->conf),
                          reset->inputs[i].topic, ledger->partition,
                          ledger->inputs[i].position, metadata, why);
    return err;
}

/* Nobody of the group may live. Returns 0 or SEG_ERR_INVALID. */
static int check_group(struct reset *reset, char *why)
{
    char who[CLIENT_WHY_BYTES] = "";
    int count = admin_members(&reset->client, conf_group(reset->conf), who);

    if (count > 0)
        snprintf(
            why, CLIENT_WHY_BYTES,
            "group %s has %d live members, the first is %.300s: stop segmentd "
            "first (one that was killed counts until its session ends)",
            conf_group(reset->conf), count, who);
    else if (count < 0)
        snprintf(why, CLIENT_WHY_BYTES, "%s", who);
    return count ? SEG_ERR_INVALID : 0;
}

static int write_all(struct reset *reset, struct ledger *ledger)
{
    struct share share = {.ledger = ledger,
                          .in = 1,
                          .users = seg_engine_dirty_count(ledger->engine),
                          .with_meta = 1,
                          .with_catalogue = 1};
    char why[CLIENT_WHY_BYTES] = "";
    int err =
        reset->sender ? 0 : sender_open(&reset->sender, &reset->client, why);

    if (err >= 0)
        err = sender_begin(reset->sender, why);
    if (err < 0)
        return failed(why, err);
    share_begin(&share, reset->broker->random(reset->broker->impl));
    err = send_records(reset, &share, why);
    if (err >= 0)
        err = send_offsets(reset, &share, why);
    if (err >= 0)
        err = check_group(reset, why);
    if (err < 0)
        sender_abort(reset->sender);
    else
        err = sender_commit(reset->sender, why);
    return err < 0 ? failed(why, err) : CTL_GOOD;
}

/* ---- all of it ----------------------------------------------------------- */

static int mend_ledger(struct reset *reset, struct ledger *ledger,
                       struct mend *mend, int *open)
{
    struct restore *restore = NULL;
    int64_t before[SEG_TOPICS_MAX], clock_ms;
    int status;

    if (restore_new(&restore, reset->broker, ledger))
        return ctl_fail("there is not enough memory");
    restore_mend(restore, mend);
    status = run(reset, restore, ledger);
    for (int i = 0; i < reset->options.input_count; i++)
        if (!restore_position(restore, i, &before[i], &clock_ms))
            before[i] = mend->to[i]; /* Never read: the start is replaced. */
    restore_free(restore);
    if (status != CTL_GOOD)
        return status;
    if (reset->mode == MEND_ACCEPT && !mend->found) {
        printf("partition %d: nothing is to be mended\n", ledger->partition);
        return CTL_GOOD;
    }
    printf("partition %d:\n", ledger->partition);
    if (reset->yes)
        status = write_all(reset, ledger);
    if (status == CTL_GOOD)
        tell(reset, ledger, mend, before);
    *open += !reset->yes;
    return status;
}

int reset_partition(struct reset *reset, int partition, int *open)
{
    struct ledger *ledger = NULL;
    struct mend mend;
    int status = CTL_GOOD;

    mend_init(&mend, reset->mode);
    if (reset->mode == MEND_MOVE)
        status = find_place(reset, partition, &mend);
    if (status == CTL_GOOD && ledger_new(&ledger, &reset->options, partition))
        status = ctl_fail("there is not enough memory");
    if (status == CTL_GOOD)
        status = mend_ledger(reset, ledger, &mend, open);
    ledger_free(ledger);
    mend_done(&mend);
    return status;
}
