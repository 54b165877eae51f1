/* sim_catalogue.c: see sim_catalogue.h. */
#include "tests/support/sim_catalogue.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#define HELLO \
    "  on enter trigger \"hello\" { offer.id = 1, text = \"x\" } once per 6s "
#define BYE "  on exit trigger \"bye\" once per 5s "

static const struct {
    const char *text;
    struct sim_truth truths[6];
} table[SIM_CATALOGUES] = {
    {"segment twice { title \"t\" when did \"A\" at least 2 times in 4s\n" HELLO
     "}\n"
     "segment gap { when did not \"A\" in 3s and did \"B\" in 6s }\n"
     "segment some { when did \"A\" in 4s\n" BYE "}\n"
     "segment quiet { when did not \"B\" in 4s }\n"
     "segment pro { when user.plan = \"pro\" }\n"
     "segment both { when in segment twice and user.plan = \"pro\" }\n"
     "trait as = count(\"A\") in 4s\n"
     "trait bs = count(\"B\") from 5s to 1s ago\n",
     {{"twice", {{'A', 4000, 2, INT_MAX}}},
      {"gap", {{'A', 3000, 0, 0}, {'B', 6000, 1, INT_MAX}}},
      {"some", {{'A', 4000, 1, INT_MAX}}},
      {"quiet", {{'B', 4000, 0, 0}}}}},
    /* `twice` has another name, `some` is gone. */
    {"segment quiet { when did not \"B\" in 4s }\n"
     "segment double { title \"t\" when did \"A\" at least 2 times in "
     "4s\n" HELLO "}\n"
     "segment gap { when did not \"A\" in 3s and did \"B\" in 6s }\n"
     "segment pro { when user.plan = \"pro\" }\n"
     "segment both { when in segment double and user.plan = \"pro\" }\n"
     "trait as = count(\"A\") in 4s\n",
     {{"double", {{'A', 4000, 2, INT_MAX}}},
      {"gap", {{'A', 3000, 0, 0}, {'B', 6000, 1, INT_MAX}}},
      {"quiet", {{'B', 4000, 0, 0}}}}},
    /* Thresholds and windows are others. */
    {"segment twice { when did \"A\" at least 3 times in 4s\n" HELLO "}\n"
     "segment gap { when did not \"A\" in 3s and did \"B\" in 5s }\n"
     "segment some { when did \"A\" in 4s\n" BYE "}\n"
     "segment quiet { when did not \"B\" in 3s }\n"
     "segment free { when user.plan = \"free\" }\n"
     "segment both { when in segment some and user.plan = \"pro\" }\n"
     "trait all = count(any) in 6s\n"
     "trait as = count(\"A\") in 3s\n",
     {{"twice", {{'A', 4000, 3, INT_MAX}}},
      {"gap", {{'A', 3000, 0, 0}, {'B', 5000, 1, INT_MAX}}},
      {"some", {{'A', 4000, 1, INT_MAX}}},
      {"quiet", {{'B', 3000, 0, 0}}}}},
    /* Little is left, and events have other numbers. */
    {"segment other { when did \"Z\" in 5s }\n"
     "segment calm { when did not \"A\" in 5s }\n"
     "segment busy { when did \"B\" at least 2 times in 5s\n" HELLO "}\n"
     "segment rare { when did \"A\" at most 1 time in 6s and did \"B\" in 6s "
     "}\n"
     "segment some { when did \"A\" in 2s }\n"
     "segment quiet { when did not \"B\" in 4s }\n"
     "trait zs = count(\"Z\") in 5s\n",
     {{"calm", {{'A', 5000, 0, 0}}},
      {"busy", {{'B', 5000, 2, INT_MAX}}},
      {"rare", {{'A', 6000, 0, 1}, {'B', 6000, 1, INT_MAX}}},
      {"some", {{'A', 2000, 1, INT_MAX}}},
      {"quiet", {{'B', 4000, 0, 0}}}}},
    /* What is asked for is never known of those who were there before. */
    {"segment ever { when did \"A\" at least 3 times }\n"
     "segment never { when did not \"B\" }\n"
     "segment some { when did \"A\" in 4s\n" BYE "}\n"
     "segment pro { when user.plan = \"pro\" }\n"
     "trait bs = count(\"B\") from 5s to 1s ago\n",
     {{"ever", {{'A', SIM_ALWAYS, 3, INT_MAX}}},
      {"never", {{'B', SIM_ALWAYS, 0, 0}}},
      {"some", {{'A', 4000, 1, INT_MAX}}}}},
};

struct seg_catalogue *sim_compile(const char *text)
{
    struct seg_source source = {"sim.seg", text, strlen(text)};
    struct seg_diagnostics *diagnostics;
    struct seg_catalogue *catalogue;

    if (seg_diagnostics_new(&diagnostics))
        abort();
    if (seg_catalogue_compile(&catalogue, &source, 1, diagnostics)) {
        for (int i = 0; i < seg_diagnostics_count(diagnostics); i++)
            fprintf(stderr, "%s\n",
                    seg_diagnostic_text(seg_diagnostics_at(diagnostics, i)));
        abort();
    }
    seg_diagnostics_free(diagnostics);
    return catalogue;
}

const struct seg_catalogue *sim_catalogue(int number)
{
    static struct seg_catalogue *catalogues[SIM_CATALOGUES];

    if (!catalogues[number])
        catalogues[number] = sim_compile(table[number].text);
    return catalogues[number];
}

int sim_catalogue_number(const char *hash)
{
    for (int i = 0; i < SIM_CATALOGUES; i++)
        if (!strncmp(seg_catalogue_hash(sim_catalogue(i)), hash, 8))
            return i;
    return -1;
}

const struct sim_truth *sim_catalogue_truth(int number, const char *key)
{
    for (size_t i = 0; i < sizeof(table[0].truths) / sizeof(table[0].truths[0]);
         i++) {
        const struct sim_truth *truth = &table[number].truths[i];
        if (truth->key && !strcmp(truth->key, key))
            return truth;
    }
    return NULL;
}
