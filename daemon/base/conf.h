/* conf.h: segmentd.conf, read and checked.
 *
 * The file is a list of `name value`, and blocks of them:
 *
 *     app             "acme"              # from a # to the end of the line
 *     flush_interval  30s                 # 500ms 90s 15m 6h 7d 1d12h
 *     user_bytes      256KiB              # B KiB MiB GiB
 *     segments        ["segments", "more.seg"]
 *     input "product-events" { partitioner murmur2  start earliest }
 *     kafka { bootstrap.servers = "10.0.0.1:9092"
 *             sasl.password     = file "/etc/segmentd/password" }
 *     redis { address "127.0.0.1:6379" }
 *     http  { address "127.0.0.1:7070" }
 *
 * `=` between name and value and `,` between settings may stand or not. A name
 * is set once. Relative paths start at the folder of the file. Settings are the
 * rows of conf_table.h; every member of struct conf is described there.
 *
 * A struct conf never changes: threads share it freely. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdint.h>

#include <seg/event.h>

#include "daemon/base/conf_table.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"

#define CONF_INPUTS_MAX     64            /* Input topics. */
#define CONF_PROPERTIES_MAX 1000          /* Properties of kafka { }. */
#define CONF_BYTES_MAX      (1024 * 1024) /* Of the file, and of a secret's. */

/* The words of each CHOICE, in the order of the table. */
enum conf_clock { CONF_CLOCK_WALL, CONF_CLOCK_RECORDS };
enum conf_on_bad_input { CONF_BAD_DEAD_LETTER, CONF_BAD_STOP };
enum conf_core_dumps { CONF_CORE_DUMPS_OFF, CONF_CORE_DUMPS_ON };
enum conf_backfill { CONF_BACKFILL_ON, CONF_BACKFILL_OFF };
enum conf_partitioner {
    CONF_PARTITIONER_MURMUR2,
    CONF_PARTITIONER_CRC32,
    CONF_PARTITIONER_TRUST,
};
/* log_level, log_format: enum log_level and log_format of log.h. */

enum conf_start_kind { CONF_EARLIEST, CONF_LATEST, CONF_INSTANT };

struct conf_start {
    int kind;           /* enum conf_start_kind. */
    int64_t instant_ms; /* Of CONF_INSTANT. */
};

struct conf_address {
    const char *text; /* As written; "" if not set. */
    const char *host; /* Without the brackets of IPv6; of a socket its path. */
    int port;         /* -1 for a socket. */
};

struct conf_secret {
    const char *value; /* "" if not set. */
    const char *file;  /* Where it was read; NULL: it stood in the file. */
};

struct conf_paths {
    int count;
    const char *const *items; /* Absolute, or relative to where we run. */
};

/* One property of kafka { }, in the order of the file. */
struct conf_property {
    const char *name;
    struct conf_secret value;
};

/* What the field of each type is. */
#define CONF_C_TEXT     const char *
#define CONF_C_NAME     const char * /* Of letters, digits, dots, dashes, _. */
#define CONF_C_PATH     const char *
#define CONF_C_PATHS    struct conf_paths
#define CONF_C_SECRET   struct conf_secret
#define CONF_C_ADDRESS  struct conf_address
#define CONF_C_START    struct conf_start
#define CONF_C_NUMBER   int64_t
#define CONF_C_DURATION int64_t /* Milliseconds. */
#define CONF_C_SIZE     int64_t /* Bytes. */
#define CONF_C_CHOICE   int     /* Index of the word in `range`. */

#define CONF_FIELD(field, name, type, initial, range, help) CONF_C_##type field;
#define CONF_NONE(field, name, type, initial, range, help)

struct conf_input {
    const char *topic;
    CONF_TABLE(CONF_NONE, CONF_FIELD)
};

struct conf {
    CONF_TABLE(CONF_FIELD, CONF_NONE)
    int input_count;
    struct conf_input *inputs; /* Sorted by topic: the engine's topics. */
    int property_count;
    struct conf_property *properties;
    const char *path; /* Of the file. */
    struct arena arena;
};

/* What the command line says. */
struct conf_options {
    int embedded;              /* No broker needs to be named. */
    const char *run_directory; /* Wins over the file; NULL: as in the file. */
};

/* Read and check the file PATH.
 *
 * OPTIONS is borrowed during the call. Everything wrong with the file, up to
 * SEG_DIAGNOSTICS_MAX errors, is written to ERRORS as people read it. Returns 0
 * and *RET (end with conf_free), SEG_ERR_SYNTAX, SEG_ERR_NOT_FOUND if a file
 * cannot be read, or SEG_ERR_NOMEM. */
int conf_load(struct conf **ret, const char *path,
              const struct conf_options *options, struct buf *errors);

/* The same of the LEN bytes at TEXT, as if they stood in the file PATH. */
int conf_parse(struct conf **ret, const char *path, struct seg_text text,
               const struct conf_options *options, struct buf *errors);

void conf_free(struct conf *conf);

/* What is in force, as a file that conf_load would read: group, process and
 * workers as they are used, secrets masked, relative paths as seen from where
 * we run. */
void conf_print(const struct conf *conf, struct buf *out);

/* The name of the group; and of this process for transactional ids, written
 * into the SIZE bytes at OUT: process, else instance_id, else
 * <host name>-<HTTP port>, with anything else than letters, digits, dot, dash
 * and underscore replaced by a dash. */
const char *conf_group(const struct conf *conf);
void conf_process(const struct conf *conf, char *out, int size);

/* host:port of http.advertise, else of http.address if others can reach it: of
 * a particular address that is not loopback, and a particular port. "" if
 * nothing is to be told. Borrowed from CONF. */
const char *conf_advertise(const struct conf *conf);

/* Worker threads: `workers`, or the number of processors. */
int conf_workers(const struct conf *conf);

#endif
