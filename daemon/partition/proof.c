/* proof.c: one question at a time. An answer stays until the next one comes:
 * the reader may need a while to get there. */
#include "daemon/partition/proof.h"

void proof_init(struct proof *proof)
{
    *proof = (struct proof){0, INT64_MIN, INT64_MIN, 0};
}

void proof_ask(struct proof *proof, struct broker *broker, int64_t now_ms)
{
    if (proof->question)
        return;
    proof->question = broker_question(broker);
    proof->asked_ms = now_ms;
}

void proof_look(struct proof *proof, struct broker *broker, int topic,
                int partition)
{
    int64_t high;

    if (!proof->question ||
        broker->watermarks(broker->impl, proof->question, topic, partition,
                           NULL, &high) != BROKER_OK)
        return;
    proof->question = 0;
    proof->as_of_ms = proof->asked_ms;
    proof->high = high;
}

int64_t proof_instant(const struct proof *proof, int64_t position)
{
    return position >= proof->high ? proof->as_of_ms : INT64_MIN;
}
