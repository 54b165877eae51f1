/* check_conf_secret.c: a mistake in segmentd.conf is shown with its line, and no
 * secret of that line. */
#include "daemon/base/conf.h"

#include <string.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

#define INPUT "input \"in\" { partitioner murmur2 start earliest }\n"
#define KAFKA "kafka { bootstrap.servers = \"k:9092\""

/* The secret is made of hunter and of 2pass. */
static const struct {
    const char *text, *said;
} mistakes[] = {
    {INPUT KAFKA " sasl.password = hunter/2pass }",
     "A value like this stands in quotes."},
    {INPUT KAFKA " sasl.password = hunter 2pass }", "x.conf:2:"},
    {INPUT KAFKA " sasl.pasword hunter }\nhttp { adress \"\" }",
     "did you mean address?"},
    {INPUT KAFKA " sasl.password = \"hunter2pass }",
     "sasl.password = ************"},
    {INPUT KAFKA " ssl.key.pem = \"hunter2pass\" } wrong",
     "ssl.key.pem = *************"},
    {INPUT KAFKA " }\nredis { passwort \"hunter2pass\" }",
     "There is no setting redis.passwort."},
    {INPUT KAFKA " }\nredis { password \"hunter\" 2pass }", "x.conf:3:"},
    {INPUT KAFKA " }\nredis { password \"hunter\" password \"2pass\" }",
     "This is no setting; a secret stands in quotes."},
    {INPUT KAFKA " }\nredis { password hunter.2pass }", "x.conf:3:"},
    {INPUT KAFKA " }\nredis { timeout \"1x\" password \"hunter2pass\" }",
     "redis { timeout \"1x\" password *************"},
    {INPUT KAFKA " }\nhttp { token hunter2pass }", "x.conf:3:"},
    {INPUT KAFKA " }\nhttp { token \"hunter\"2pass }", "x.conf:3:"},
    {INPUT KAFKA " }\nhttp{token=\"\xff\x01hunter2pass\"}", "x.conf:3:"},
};

START_TEST(a_mistake_is_shown_without_the_secrets_of_its_line)
{
    struct conf_options options = {.embedded = 0};
    struct conf *conf = NULL;
    struct buf errors;
    buf_init(&errors);
    int err = conf_parse(&conf, "x.conf", text_of(mistakes[_i].text), &options,
                         &errors);
    const char *said = buf_string(&errors);
    ck_assert_msg(err < 0, "row %d: it is good", _i);
    ck_assert_msg(strstr(said, mistakes[_i].said) != NULL, "row %d: %s", _i,
                  said);
    ck_assert_msg(!strstr(said, "hunter") && !strstr(said, "2pass"),
                  "row %d: %s", _i, said);
    conf_free(conf);
    buf_done(&errors);
}
END_TEST

SUITE("conf_secret", NULL, NULL,
      TABLE(a_mistake_is_shown_without_the_secrets_of_its_line, mistakes))
