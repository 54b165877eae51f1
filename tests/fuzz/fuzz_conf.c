/* fuzz_conf.c: any bytes as segmentd.conf.
 *
 * Nothing crashes; what is wrong is said; what is right reads back, as it was
 * printed, to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/conf.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(struct conf **conf, struct seg_text text, struct buf *errors)
{
    struct conf_options options = {.embedded = 0};
    return conf_parse(conf, "x.conf", text, &options, errors);
}

/* Masks do not read back. */
static int has_secrets(const struct conf *conf)
{
    int secrets = *conf->http_token.value || *conf->redis_password.value;
    for (int i = 0; i < conf->property_count; i++)
        secrets |= strstr(conf->properties[i].name, "pass") ||
                   strstr(conf->properties[i].name, "secret") ||
                   strstr(conf->properties[i].name, "config") ||
                   strstr(conf->properties[i].name, "jaas") ||
                   strstr(conf->properties[i].name, "key");
    return secrets;
}

static void read_back(const struct conf *conf, struct buf *errors)
{
    struct conf *again = NULL;
    struct buf first, second;
    buf_init(&first);
    buf_init(&second);
    conf_print(conf, &first);
    require(!parse(&again, (struct seg_text){first.bytes, first.len}, errors));
    conf_print(again, &second);
    require(first.len == second.len &&
            !memcmp(first.bytes, second.bytes, first.len));
    buf_done(&first);
    buf_done(&second);
    conf_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf = NULL;
    struct buf errors;
    if (memmem(data, size, "file", 4))
        return -1; /* Devices and pipes of this machine are not the question. */
    buf_init(&errors);
    int err =
        parse(&conf, (struct seg_text){(const char *)data, size}, &errors);
    require(!err == (errors.len == 0));
    require(err || conf->input_count > 0);
    if (!err && !has_secrets(conf))
        read_back(conf, &errors);
    conf_free(conf);
    buf_done(&errors);
    return 0;
}
