/* verify.c: are the topics as segmentd needs them?
 *
 * Whatever is wrong comes with the command that mends it; what is only unwise
 * is a note. verify_run.c asks the brokers. */
#include "daemon/ctl/verify.h"
#include "daemon/protocol/partitioner.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/instant.h"

#define FLUSHES_KEPT   100  /* As the daemon asks for. */
#define OVERHEAD_BYTES 4096 /* Of a record around its value. */

/* ---- saying it --------------------------------------------------------- */

static void say(struct verify *verify, const char *word, const char *topic,
                const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void say(struct verify *verify, const char *word, const char *topic,
                const char *format, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof(text), format, args);
    buf_printf(&verify->out, "%-6s %s: %s\n", word, topic, text);
}

static void wrong(struct verify *verify, const char *topic, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));
static void note(struct verify *verify, const char *topic, const char *format,
                 ...) __attribute__((format(printf, 3, 4)));
static void mend(struct verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void wrong(struct verify *verify, const char *topic, const char *format,
                  ...)
{
    va_list args;
    va_start(args, format);
    say(verify, "WRONG", topic, format, args);
    va_end(args);
    verify->problems++;
}

static void note(struct verify *verify, const char *topic, const char *format,
                 ...)
{
    va_list args;
    va_start(args, format);
    say(verify, "note", topic, format, args);
    va_end(args);
}

static void mend(struct verify *verify, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_printf(&verify->out, "       mend it: %s\n", text);
}

static const char *bootstrap(const struct conf *conf)
{
    for (int i = 0; i < conf->property_count; i++)
        if (!strcmp(conf->properties[i].name, "bootstrap.servers"))
            return conf->properties[i].value.value;
    return "BROKER";
}

static void mend_setting(struct verify *verify, const char *topic,
                         const char *name, const char *value)
{
    mend(verify,
         "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics "
         "--entity-name %s --add-config %s=%s",
         bootstrap(verify->conf), topic, name, value);
}

/* ---- one topic --------------------------------------------------------- */

static void verify_absent(struct verify *verify, enum verify_role role,
                          const struct topics_info *info)
{
    wrong(verify, info->name, "%s", info->error);
    if (role != VERIFY_INPUT)
        mend(verify, "segmentctl topics create --conf %s", verify->conf->path);
    else if (verify->partitions)
        mend(verify,
             "kafka-topics.sh --bootstrap-server %s --create --topic %s "
             "--partitions %d",
             bootstrap(verify->conf), info->name, verify->partitions);
    else
        mend(verify,
             "kafka-topics.sh --bootstrap-server %s --create --topic %s "
             "--partitions N",
             bootstrap(verify->conf), info->name);
}

static void verify_count(struct verify *verify, enum verify_role role,
                         const struct topics_info *info)
{
    int want = verify->partitions;
    if (!want || info->partitions == want)
        return;
    wrong(
        verify, info->name,
        "it has %d partition%s and the first input has %d; partition p of all "
        "topics belongs together",
        info->partitions, info->partitions == 1 ? "" : "s", want);
    if (role != VERIFY_INPUT && info->partitions < want)
        mend(verify,
             "kafka-topics.sh --bootstrap-server %s --alter --topic %s "
             "--partitions %d",
             bootstrap(verify->conf), info->name, want);
    else
        mend(verify,
             "kafka-topics.sh --bootstrap-server %s --delete --topic %s, then "
             "create it with %d",
             bootstrap(verify->conf), info->name, want);
}

static void verify_cleanup(struct verify *verify,
                           const struct topics_info *info, const char *want,
                           const char *why)
{
    if (!strcmp(info->cleanup, want))
        return;
    wrong(verify, info->name, "cleanup.policy=%s, it must be %s: %s",
          info->cleanup, want, why);
    mend_setting(verify, info->name, "cleanup.policy", want);
}

static void verify_kept(struct verify *verify, const struct topics_info *info)
{
    int64_t least_ms = FLUSHES_KEPT * verify->conf->flush_interval_ms;
    char value[24];
    if (least_ms < DAY_MS)
        least_ms = DAY_MS;
    snprintf(value, sizeof(value), "%" PRId64, least_ms);
    if (info->retention_ms >= 0 && info->retention_ms < least_ms) {
        wrong(verify, info->name,
              "retention.ms=%" PRId64
              ", it must be at least %s: a restore reads "
              "its records again",
              info->retention_ms, value);
        mend_setting(verify, info->name, "retention.ms", value);
    }
    if (info->retention_bytes >= 0)
        note(verify, info->name,
             "retention.bytes=%" PRId64 ": records may go before a restore has "
             "read them",
             info->retention_bytes);
}

static void verify_room(struct verify *verify, const struct topics_info *info,
                        int64_t bytes, const char *setting)
{
    char value[24];
    snprintf(value, sizeof(value), "%" PRId64, bytes + OVERHEAD_BYTES);
    if (info->message_bytes < 0 ||
        info->message_bytes >= bytes + OVERHEAD_BYTES)
        return;
    wrong(verify, info->name,
          "max.message.bytes=%" PRId64 ", too little for %s of %" PRId64,
          info->message_bytes, setting, bytes);
    mend_setting(verify, info->name, "max.message.bytes", value);
}

static void verify_settings(struct verify *verify, enum verify_role role,
                            const struct topics_info *info)
{
    switch (role) {
    case VERIFY_CHANGES:
    case VERIFY_TRIGGERS:
        verify_cleanup(verify, info, "delete",
                       "a restore reads every record of the last while");
        verify_kept(verify, info);
        break;
    case VERIFY_TRAITS:
        verify_cleanup(verify, info, "compact",
                       "the last value of a user counts");
        break;
    case VERIFY_STATE:
        verify_cleanup(verify, info, "compact",
                       "it holds the last state of every user");
        verify_room(verify, info, verify->conf->user_bytes, "user_bytes");
        break;
    case VERIFY_DEAD_LETTERS:
        verify_cleanup(verify, info, "delete",
                       "every letter is one of its own");
        verify_room(verify, info, verify->conf->dead_letter_bytes,
                    "dead_letter_bytes");
        break;
    case VERIFY_INPUT:
        if (strstr(info->cleanup, "compact"))
            note(verify, info->name,
                 "cleanup.policy=%s: events that the broker takes out are not "
                 "seen, and a restore may find fewer than were applied",
                 info->cleanup);
        break;
    }
}

void verify_topic(struct verify *verify, enum verify_role role,
                  const struct topics_info *info)
{
    int before = verify->problems;
    if (!info->partitions) {
        verify_absent(verify, role, info);
        return;
    }
    verify_count(verify, role, info);
    if (info->leaderless) {
        wrong(verify, info->name, "%d of %d partitions have no leader",
              info->leaderless, info->partitions);
        mend(verify, "start the brokers that hold them");
    }
    if (*info->cleanup)
        verify_settings(verify, role, info);
    else
        note(verify, info->name, "its settings cannot be seen: %s",
             info->error);
    if (verify->problems == before)
        buf_printf(&verify->out, "%-6s %s: %d partition%s, %d replica%s\n",
                   "ok", info->name, info->partitions,
                   info->partitions == 1 ? "" : "s", info->replicas,
                   info->replicas == 1 ? "" : "s");
}

/* ---- who is where ------------------------------------------------------ */

static const char *partitioner_names[] = {
    [PARTITIONER_TRUST] = "trust",
    [PARTITIONER_MURMUR2] = "murmur2",
    [PARTITIONER_CRC32] = "crc32",
};

/* The records are where FOUND puts them. */
static void verify_partitioner(struct verify *verify,
                               const struct conf_input *input,
                               const struct fit *fit, enum partitioner found)
{
    enum partitioner set = partitioner_of(input);
    int64_t judged = fit->sampled - fit->without_id;
    int64_t right = fit_right(fit, found);
    if (set != found && set != PARTITIONER_TRUST) {
        wrong(verify, input->topic,
              "partitioner %s, but %" PRId64 " of %" PRId64
              " records are where %s "
              "puts them (%s: %" PRId64 ")",
              partitioner_names[set], right, judged, partitioner_names[found],
              partitioner_names[set], fit_right(fit, set));
        mend(verify, "in %s: input \"%s\" { partitioner %s ... }",
             verify->conf->path, input->topic, partitioner_names[found]);
        return;
    }
    buf_printf(&verify->out,
               "%-6s %s: partitioner %s fits: %" PRId64 " of %" PRId64
               " records\n",
               "ok", input->topic, partitioner_names[found], right, judged);
    if (set == PARTITIONER_TRUST)
        note(verify, input->topic,
             "partitioner trust is set: strays are not noticed");
    else if (right < judged)
        note(verify, input->topic,
             "%" PRId64
             " are elsewhere: they become dead letters wrong_partition",
             judged - right);
}

void verify_fit(struct verify *verify, const struct conf_input *input,
                const struct fit *fit)
{
    switch (fit_judge(fit)) {
    case FIT_UNKNOWN:
        note(verify, input->topic,
             "nothing to tell the partitioner by: %" PRId64
             " records sampled, %" PRId64 " without a user id",
             fit->sampled, fit->without_id);
        break;
    case FIT_ANY:
        buf_printf(&verify->out,
                   "%-6s %s: one partition, any partitioner fits\n", "ok",
                   input->topic);
        break;
    case FIT_MURMUR2:
        verify_partitioner(verify, input, fit, PARTITIONER_MURMUR2);
        break;
    case FIT_CRC32:
        verify_partitioner(verify, input, fit, PARTITIONER_CRC32);
        break;
    case FIT_NONE:
        wrong(verify, input->topic,
              "it is not keyed by the user id: of %" PRId64
              " records murmur2 puts "
              "%" PRId64 " where they are, crc32 %" PRId64
              "; a user's events are "
              "in several partitions",
              fit->sampled - fit->without_id, fit->murmur2, fit->crc32);
        mend(verify, "have the producers use the user id as the key");
        break;
    }
}
