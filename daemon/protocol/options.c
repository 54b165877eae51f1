/* options.c: see options.h. */
#include "daemon/protocol/options.h"

#include "daemon/base/version.h"

#define RECORD_BYTES_MAX 1000000 /* message.max.bytes of the library. */

static void set_input(struct ledger_input *to, const struct conf_input *from)
{
    to->topic = from->topic;
    to->partitioner = partitioner_of(from);
    to->start_ms = from->start.kind == CONF_EARLIEST ? LEDGER_EARLIEST
                   : from->start.kind == CONF_LATEST ? LEDGER_LATEST
                                                     : from->start.instant_ms;
}

void ledger_options_init(struct ledger_options *options,
                         struct ledger_input inputs[SEG_TOPICS_MAX],
                         const struct conf *conf)
{
    for (int i = 0; i < conf->input_count; i++)
        set_input(&inputs[i], &conf->inputs[i]);
    *options = (struct ledger_options){
        .app = conf->app,
        .version = SEGMENTD_VERSION,
        .inputs = inputs,
        .input_count = conf->input_count,
        .clock_records = conf->clock == CONF_CLOCK_RECORDS,
        .engine = {.future_skew_ms = conf->future_skew_ms,
                   .trigger_max_age_ms = conf->trigger_max_age_ms,
                   .trait_interval_ms = conf->trait_interval_ms,
                   .lateness_ms = conf->lateness_ms,
                   .user_bytes_max = (uint32_t)conf->user_bytes,
                   .attribute_bytes = (uint32_t)conf->attribute_bytes,
                   .users_max = (uint32_t)conf->users_max,
                   .state_version = (int)conf->state_version},
        .trigger_max_age_ms = conf->trigger_max_age_ms,
        .flush_interval_ms = conf->flush_interval_ms,
        .users_per_flush = (uint32_t)conf->flush_users,
        .record_bytes_max = RECORD_BYTES_MAX,
        .dead_letter_bytes = (size_t)conf->dead_letter_bytes,
        .stop_on_bad = conf->on_bad_input == CONF_BAD_STOP,
    };
}
