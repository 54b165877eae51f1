/* slab.c: many blocks of few sizes. */
#include "lib/base/slab.h"

#include <stdint.h>
#include <stdlib.h>

#define PAGE_BYTES ((size_t)64 * 1024)
#define SPAN_PAGES 16

struct slab_span {
    struct slab_span *next, *prev;
    char *memory;
    int used; /* Pages that have a class. */
};

#define UNIT 8 /* Blocks begin at a multiple of it. */

struct slab_free {
    uint16_t next; /* In units; 0: none. */
};

/* The head of a page: small, so that it costs no page a block. */
struct slab_page {
    struct slab_page *next,
        *prev; /* In its class's partial list, or the pool. */
    struct slab_span *span;
    uint16_t free;   /* The first block given back, in units; 0: none. */
    uint16_t uncut;  /* Blocks never given out begin here, in units. */
    uint16_t live;   /* Blocks given out. */
    uint16_t listed; /* Whether it is in the partial list. */
};

_Static_assert(sizeof(struct slab_page) == 32, "blocks are aligned");

#define STEP         8 /* Of the fine classes, up to FINE_MAX. */
#define FINE_MAX     512
#define FINE_BITS    9
#define FINE_CLASSES ((FINE_MAX - SLAB_MIN) / STEP + 1)

/* Above FINE_MAX: three bits below the highest one of NEED - 1. */
int slab_class(size_t need)
{
    if (need <= SLAB_MIN)
        return 0;
    if (need <= FINE_MAX)
        return (int)((need - SLAB_MIN + STEP - 1) / STEP);
    int high = 63 - __builtin_clzll(need - 1);
    return FINE_CLASSES + (high - FINE_BITS) * 8 +
           (int)((need - 1) >> (high - 3) & 7);
}

size_t slab_size(int class)
{
    if (class < FINE_CLASSES)
        return SLAB_MIN + (size_t) class * STEP;
    int above = class - FINE_CLASSES;
    return (size_t)(above % 8 + 9) << (above / 8 + FINE_BITS - 3);
}

void slab_init(struct slab *slab)
{
    *slab = (struct slab){0};
}

void slab_done(struct slab *slab)
{
    while (slab->spans) {
        struct slab_span *next = slab->spans->next;
        free(slab->spans->memory);
        free(slab->spans);
        slab->spans = next;
    }
    slab_init(slab);
}

static void push(struct slab_page **list, struct slab_page *page)
{
    page->prev = NULL;
    page->next = *list;
    if (page->next)
        page->next->prev = page;
    *list = page;
}

static void pull(struct slab_page **list, struct slab_page *page)
{
    if (page->next)
        page->next->prev = page->prev;
    if (page->prev)
        page->prev->next = page->next;
    else
        *list = page->next;
}

static int add_span(struct slab *slab)
{
    struct slab_span *span = malloc(sizeof(*span));
    char *memory = aligned_alloc(PAGE_BYTES, SPAN_PAGES * PAGE_BYTES);
    if (!span || !memory) {
        free(span);
        free(memory);
        return 0;
    }
    *span = (struct slab_span){.next = slab->spans, .memory = memory};
    if (span->next)
        span->next->prev = span;
    slab->spans = span;
    for (int i = SPAN_PAGES - 1; i >= 0; i--) {
        struct slab_page *page = (struct slab_page *)(memory + i * PAGE_BYTES);
        page->span = span;
        push(&slab->pool, page);
    }
    slab->pool_count += SPAN_PAGES;
    return 1;
}

static void drop_span(struct slab *slab, struct slab_span *span)
{
    for (int i = 0; i < SPAN_PAGES; i++)
        pull(&slab->pool, (struct slab_page *)(span->memory + i * PAGE_BYTES));
    slab->pool_count -= SPAN_PAGES;
    if (span->next)
        span->next->prev = span->prev;
    if (span->prev)
        span->prev->next = span->next;
    else
        slab->spans = span->next;
    free(span->memory);
    free(span);
}

/* A page of CLASS with a free block; NULL: no memory. */
static struct slab_page *partial_page(struct slab *slab, int class)
{
    struct slab_page *page = slab->partial[class];
    if (page || (!slab->pool && !add_span(slab)))
        return page;
    page = slab->pool;
    pull(&slab->pool, page);
    slab->pool_count--;
    slab->bytes += PAGE_BYTES;
    page->span->used++;
    page->free = 0;
    page->uncut = sizeof(*page) / UNIT;
    page->live = 0;
    page->listed = 1;
    push(&slab->partial[class], page);
    return page;
}

static int is_full(const struct slab_page *page, size_t size)
{
    return !page->free && PAGE_BYTES - page->uncut * UNIT < size;
}

void *slab_alloc(struct slab *slab, int class)
{
    size_t size = slab_size(class);
    if (class >= SLAB_CLASSES) {
        void *block = malloc(size);
        slab->bytes += block ? size : 0;
        return block;
    }
    struct slab_page *page = partial_page(slab, class);
    if (!page)
        return NULL;
    char *block = (char *)page;
    if (page->free) {
        block += page->free * UNIT;
        page->free = ((const struct slab_free *)(const void *)block)->next;
    } else {
        block += page->uncut * UNIT;
        page->uncut = (uint16_t)(page->uncut + size / UNIT);
    }
    page->live++;
    if (is_full(page, size)) {
        pull(&slab->partial[class], page);
        page->listed = 0;
    }
    return block;
}

static struct slab_page *page_of(const void *block)
{
    return (struct slab_page *)((uintptr_t)block & ~(PAGE_BYTES - 1));
}

static void return_page(struct slab *slab, struct slab_page *page)
{
    push(&slab->pool, page);
    slab->pool_count++;
    slab->bytes -= PAGE_BYTES;
    if (--page->span->used == 0 && slab->pool_count > 2 * SPAN_PAGES)
        drop_span(slab, page->span);
}

void slab_release(struct slab *slab, void *block, int class)
{
    if (class >= SLAB_CLASSES) {
        slab->bytes -= slab_size(class);
        free(block);
        return;
    }
    struct slab_page **list = &slab->partial[class];
    struct slab_page *page = page_of(block);
    struct slab_free *entry = block;
    entry->next = page->free;
    page->free = (uint16_t)(((char *)block - (char *)page) / UNIT);
    if (!page->listed) {
        page->listed = 1;
        push(list, page);
    }
    if (--page->live == 0) {
        pull(list, page);
        return_page(slab, page);
    }
}

int slab_sparse(const struct slab *slab, const void *block, int class)
{
    if (class >= SLAB_CLASSES)
        return 0;
    const struct slab_page *page = page_of(block);
    return slab->partial[class] != page &&
           page->live * slab_size(class) < PAGE_BYTES - PAGE_BYTES / 8;
}
