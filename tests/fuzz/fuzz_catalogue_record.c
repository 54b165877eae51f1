/* fuzz_catalogue_record.c: any bytes as the catalogue record of a partition.
 *
 * What is refused is named. What is accepted leaves an engine that is swept,
 * lives, and writes a record that reads as the same. The first byte says which
 * catalogue reads it, and whether it is taken as it is or given a right sum
 * before, so that what is behind the sum is reached.
 *
 * The seeds are written by a unit test:
 *
 *     make B=build tests
 *     RECORDS=tests/fuzz/corpus/fuzz_catalogue_record \
 *         build/tests/unit/check_observed */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/engine/engine.h"
#include "tests/fuzz/require.h"
#include "tests/support/small_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seg_catalogue *catalogues[2];
static struct buf user; /* Ada's record, under the first. */

static void prepare(void)
{
    catalogues[0] = small_world_catalogue();
    catalogues[1] = small_world_compile(
        "segment exporters {\n"
        "  when did \"Report Exported\" at least 5 times in 7d\n"
        "}\n"
        "segment quiet { when did not any in 2d and user.nick is set }\n"
        "segment oslo { when in segment quiet or user.address.zip = \"1\" }\n");
    struct seg_engine *engine = small_world_engine(catalogues[0]);
    buf_init(&user);
    small_world_run(engine, catalogues[0]);
    small_world_record(engine, small_world_user(engine, "ada"), &user);
    seg_engine_free(engine);
}

static int restore(struct seg_engine *engine, struct seg_text record)
{
    static const int64_t positions[] = {1000, 1000};
    struct seg_error detail = {0};
    require(seg_engine_restore_user(engine, user.bytes, user.len, NULL) == 0);
    int ret = seg_engine_restore_catalogue(engine, record.bytes, record.len,
                                           positions, INT64_MIN, &detail);
    require(ret == 0 || ret == SEG_ERR_RECORD || ret == SEG_ERR_RECORD_VERSION);
    require(ret == 0 || (detail.code == ret && *detail.message));
    if (ret == 0)
        ret = seg_engine_restore_finish(engine,
                                        SMALL_WORLD_START_MS + 3 * DAY_MS, 10);
    require(ret == 0 || ret == SEG_ERR_RECORD || ret == SEG_ERR_RECORD_VERSION);
    return ret;
}

/* What ENGINE, of CATALOGUE, writes is read as the same. */
static void require_same(struct seg_engine *engine,
                         const struct seg_catalogue *catalogue)
{
    struct seg_engine *other = small_world_engine(catalogue);
    struct seg_text record, again;
    require(seg_engine_catalogue_record(engine, &record) == 0);
    require(restore(other, record) == 0);
    require(seg_engine_catalogue_record(other, &again) == 0);
    require(record.len == again.len &&
            !memcmp(record.bytes, again.bytes, again.len));
    seg_engine_free(other);
}

static void live(struct seg_engine *engine)
{
    while (seg_engine_sweep(engine, 1))
        ;
    require(seg_engine_swept(engine));
    for (int i = 0; i < 20; i++)
        require(seg_engine_advance(
                    engine, SMALL_WORLD_START_MS + i * 2 * DAY_MS, 1000) == 0);
    for (uint32_t i = 0; i < engine->store.user_count; i++)
        require(user_validate(store_at(&engine->store, i)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes;
    if (!catalogues[0])
        prepare();
    if (!size || !(bytes = malloc(size + 8)))
        return 0;
    const struct seg_catalogue *catalogue = catalogues[data[0] & 1];
    struct seg_engine *engine = small_world_engine(catalogue);
    struct seg_text record = {bytes, size - 1};
    memcpy(bytes, data + 1, size - 1);
    if (data[0] & 2) {
        uint64_t sum = hash_bytes(bytes, size - 1, 0);
        for (int i = 0; i < 8; i++)
            bytes[record.len++] = (char)(sum >> 8 * i);
    }
    if (restore(engine, record) == 0) {
        require_same(engine, catalogue);
        live(engine);
        require(seg_engine_catalogue_record(engine, &record) == 0);
    }
    seg_engine_free(engine);
    free(bytes);
    return 0;
}
