/* seg.h: all of libseg.
 *
 * Reading order: error.h, event.h, catalogue.h, engine.h, query.h, diff.h,
 * cost.h. The shortest whole program is tests/example/embed.c. */
#ifndef SEG_SEG_H
#define SEG_SEG_H

#include <seg/catalogue.h>
#include <seg/cost.h>
#include <seg/diff.h>
#include <seg/engine.h>
#include <seg/error.h>
#include <seg/event.h>
#include <seg/query.h>

#endif
