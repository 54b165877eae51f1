/* catalogue.c: a ledger goes over to another catalogue.
 *
 * The options name the catalogue that is to be in force; ledgers follow, each
 * when it suits it. What libseg does for that (lib/engine/adopt.c) is cut into
 * two:
 *
 *     adopt    users move to an engine of the new catalogue; nothing is applied
 *              meanwhile, other partitions go on
 *     sweep    everybody is judged, in slices between which records are
 *              applied; the changes go out as all others do
 *
 * In Kafka the change is part of one transaction: the one after the move
 * carries the catalogue record and the meta record that name it, with the
 * positions up to which the catalogue before was in force. Whoever restores
 * before that goes over by himself; whoever restores after it, but before the
 * transaction that says the sweep is done, sweeps again: judging twice changes
 * nothing.
 *
 * A catalogue that comes while another is being moved to simply takes its
 * place; one that was taken back meanwhile is forgotten before anything is
 * applied again.
 */
#include "daemon/base/fail.h"
#include "daemon/protocol/ledger.h"
#include "daemon/protocol/mutation.h"

int ledger_engine(const struct ledger *ledger,
                  const struct seg_catalogue *catalogue, int64_t clock_ms,
                  struct seg_engine **ret)
{
    const struct ledger_options *options = ledger->options;
    struct seg_engine_options engine = options->engine;
    const char *topics[SEG_TOPICS_MAX];

    for (int i = 0; i < options->input_count; i++)
        topics[i] = options->inputs[i].topic;
    engine.catalogue = catalogue;
    engine.topics = topics;
    engine.topic_count = options->input_count;
    engine.clock_ms = clock_ms;
    engine.trigger_max_age_ms = options->trigger_max_age_ms;
    engine.state_version = ledger->state_version;
    return seg_engine_new(ret, &engine);
}

int ledger_use_catalogue(struct ledger *ledger)
{
    struct seg_decoder *decoder;

    if (seg_decoder_new(&decoder, ledger->options->catalogue))
        return SEG_ERR_NOMEM;
    seg_decoder_free(ledger->decoder);
    ledger->decoder = decoder;
    seg_catalogue_free(ledger->catalogue);
    ledger->catalogue = seg_catalogue_share(ledger->options->catalogue);
    return 0;
}

/* Forget what was moved so far. */
static void drop_next(struct ledger *ledger)
{
    seg_engine_free(ledger->next.engine);
    seg_catalogue_free(ledger->next.catalogue);
    ledger->next = (struct ledger_next){NULL, NULL};
}

/* What was moved takes the place of what was. */
static int take_over(struct ledger *ledger)
{
    if (ledger_use_catalogue(ledger))
        return SEG_ERR_NOMEM;
    seg_engine_free(ledger->engine);
    ledger->engine = ledger->next.engine;
    ledger->next.engine = NULL;
    drop_next(ledger);
    ledger->catalogue_due = 1;
    ledger->flush.meta_due = 1;
    return 0;
}

int ledger_adopt(struct ledger *ledger, int work_max, int64_t now_ms)
{
    const struct seg_catalogue *catalogue = ledger->options->catalogue;
    struct ledger_next *next = &ledger->next;
    int64_t positions[SEG_TOPICS_MAX];
    int more = ledger_drain(ledger, now_ms);

    if (more < 0)
        return more;
    if (next->catalogue != catalogue)
        drop_next(ledger);
    if (!next->engine) {
        if (ledger_engine(ledger, catalogue, seg_engine_clock(ledger->engine),
                          &next->engine))
            return SEG_ERR_NOMEM;
        next->catalogue = seg_catalogue_share(catalogue);
    }
    for (int i = 0; i < ledger->options->input_count; i++)
        positions[i] =
            MUTATED(MOVED_FROM_START) ? 0 : ledger->inputs[i].position;
    more = seg_engine_adopt(next->engine, ledger->engine, positions, work_max);
    (void)FAIL_POINT(ADOPT_HALF);
    if (more == 0)
        more = take_over(ledger);
    if (more < 0)
        drop_next(ledger);
    return more;
}

void ledger_stay(struct ledger *ledger)
{
    if (ledger->next.engine)
        drop_next(ledger);
}

int ledger_sweep(struct ledger *ledger, int work_max, int64_t now_ms)
{
    int more, drained;

    if (seg_engine_swept(ledger->engine) ||
        (seg_engine_backfill_pending(ledger->engine) &&
         !MUTATED(SWAPPED_IS_SWEPT)))
        return 0;
    drained = ledger_drain(ledger, now_ms);
    if (drained < 0)
        return drained;
    more = seg_engine_sweep(ledger->engine, work_max);
    drained = ledger_drain(ledger, now_ms);
    (void)FAIL_POINT(SWEEP_HALF);
    if (more == 0) {
        ledger->catalogue_due = 1;
        ledger->flush.meta_due = 1;
    }
    return drained < 0 ? drained : more;
}
