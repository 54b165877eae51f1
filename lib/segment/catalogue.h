/* catalogue.h: what a struct seg_catalogue is made of. */
#ifndef SEGMENT_CATALOGUE_H
#define SEGMENT_CATALOGUE_H

#include <stdatomic.h>

#include <seg/catalogue.h>

#include "lib/segment/plan.h"
#include "lib/segment/rule.h"

struct seg_catalogue {
    struct rules rules;
    struct plan plan;
    char hash[9];       /* 8 hex digits. */
    atomic_uint owners; /* Freed with the last one. */
};

#endif
