/* fuzz_segment_json.c: any bytes as a segment file in JSON.
 *
 * Nothing crashes or hangs; an answer that is not 0 comes with an error; what
 * is one has a spelling as a segment file, which goes to JSON and back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <seg/catalogue.h>

#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seg_source source = {"x.json", (const char *)data, size};
    struct seg_diagnostics *diagnostics;
    char *text = NULL, *json = NULL, *again = NULL;
    require(seg_diagnostics_new(&diagnostics) == 0);
    int ret = seg_from_json(&text, &source, diagnostics);
    require((ret < 0) == (seg_diagnostics_errors(diagnostics) > 0));
    if (ret == 0) {
        source = (struct seg_source){"x.seg", text, strlen(text)};
        require(seg_to_json(&json, &source, diagnostics) == 0);
        source = (struct seg_source){"x.json", json, strlen(json)};
        require(seg_from_json(&again, &source, diagnostics) == 0);
        require(!strcmp(text, again));
    }
    free(text);
    free(json);
    free(again);
    seg_diagnostics_free(diagnostics);
    return 0;
}
