/* Exact nearest neighbours: which tiles to look at, for which queries together. See nearest.h. */
#include <math.h>
#include <stdlib.h>

#include "nearest.h"
#if HAS_AVX
#include <immintrin.h>
#endif

#if defined(__GNUC__) || defined(__clang__)
#define FETCH_AHEAD(at) __builtin_prefetch(at)
#else
#define FETCH_AHEAD(at) (void)(at)
#endif

typedef void scan(search *s, size count, const float *doubled, const haystack *h, const questions *q, size first,
                  size last);

#define LEVEL 0
#include "lanes.h"
#include "nearest_of.h"
#undef LEVEL
#if HAS_AVX
#define LEVEL 1
#include "lanes.h"
#include "nearest_of.h"
#undef LEVEL
#define LEVEL 2
#include "lanes.h"
#include "nearest_of.h"
#undef LEVEL
#endif

static void measure_gaps(group *g, const haystack *h, const questions *q) {
    const float *low = h->box, *high = h->box + h->d * h->bundles;
    for (size b = 0; b < h->bundles; b++) g->gap[b] = 0;
    for (size j = 0; j < h->d; j++, low += h->bundles, high += h->bundles) {
        float from = INFINITY, to = -INFINITY;
        for (size i = 0; i < g->count; i++) {
            float x = q->moved[g->s[i].query * h->d + j];
            from = x < from ? x : from, to = x > to ? x : to;
        }
        for (size b = 0; b < h->bundles; b++) {
            float above = low[b] - to, below = from - high[b], apart = above > below ? above : below;
            apart = apart > 0 ? apart : 0;
            g->gap[b] += apart * apart;
        }
    }
    g->nearest = 0;
    for (size b = 1; b < h->bundles; b++)
        if (g->gap[b] < g->gap[g->nearest]) g->nearest = b;
}

static int can_skip(const group *g, const haystack *h, size bundle) {
    double reach = 0;
    for (size i = 0; i < g->count; i++) {
        double own = g->s[i].worst + h->slack * (g->s[i].norm + h->norm[bundle]);
        if (own != own) return 0; /* overflow: nothing is known, so nothing is skipped */
        reach = own > reach ? own : reach;
    }
    return (double)g->gap[bundle] * (1 - h->slack) > reach;
}

static int touches(const group *g, size bundle) { return g->gap[bundle] == 0 || bundle == g->nearest; }

static void look(scan *look_at, group *g, const haystack *h, const questions *q, size bundle) {
    size first = bundle * BUNDLE, last = first + BUNDLE;
    look_at(g->s, g->count, g->doubled, h, q, first, last < h->tiles_count ? last : h->tiles_count);
}

/* Bundles whose box a group touches come first; they leave few others within reach. */
static void answer(scan *look_at, group *groups, size count, const haystack *h, const questions *q) {
    for (size pass = h->box ? 0 : 1; pass < 2; pass++)
        for (size b = 0; b < h->bundles; b++)
            for (group *g = groups; g < groups + count; g++) {
                int wanted = !h->box || (pass == 0 ? touches(g, b) : !touches(g, b) && !can_skip(g, h, b));
                if (wanted) look(look_at, g, h, q, b);
            }
}

static void open_group(group *g, neighbour *heap, size start, const haystack *h, const questions *q) {
    g->count = q->asked - start < GROUP ? q->asked - start : GROUP;
    for (size i = 0; i < g->count; i++) {
        size query = (size)q->which[start + i];
        g->s[i].heap = heap + i * q->k;
        open_search(g->s + i, h, q, query);
        for (size j = 0; j < h->d; j++) g->doubled[i * h->d + j] = -2 * q->moved[query * h->d + j];
    }
    if (h->box) measure_gaps(g, h, q);
}

int nearest_rows(const haystack *h, const questions *q, int level) {
    scan *look_at = scan_plain;
    group groups[TOGETHER];
    neighbour *heap = malloc((size_t)(TOGETHER * GROUP * q->k) * sizeof(neighbour));
    float *doubled = malloc((size_t)(TOGETHER * GROUP * h->d) * sizeof(float));
    float *gap = malloc((size_t)(TOGETHER * h->bundles) * sizeof(float));
    int status = heap && doubled && gap ? 0 : -1;
#if HAS_AVX
    look_at = level == AVX512 ? scan_avx512 : level == AVX2 ? scan_avx2 : scan_plain;
#endif
    (void)level;
    for (size start = 0; status == 0 && start < q->asked;) {
        size count = 0;
        for (; count < TOGETHER && start < q->asked; count++, start += GROUP) {
            groups[count].doubled = doubled + count * GROUP * h->d, groups[count].gap = gap + count * h->bundles;
            open_group(groups + count, heap + count * GROUP * q->k, start, h, q);
        }
        answer(look_at, groups, count, h, q);
        for (size c = 0; c < count; c++)
            for (size i = 0; i < groups[c].count; i++) close_search(groups[c].s + i, q);
    }
    free(heap), free(doubled), free(gap);
    return status;
}
