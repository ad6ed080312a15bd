/* Exact nearest neighbours: which tiles to look at, for which queries together. See nearest.h. */
#include <math.h>
#include <stdlib.h>

#include "nearest.h"
#if HAS_AVX
#include <immintrin.h>
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

/* Squared distance, moved, between the box of each bundle and the box around `count` queries. */
static void gaps(const haystack *h, const questions *q, const search *s, size count, float *gap) {
    const float *low = h->box, *high = h->box + h->d * h->bundles;
    for (size b = 0; b < h->bundles; b++) gap[b] = 0;
    for (size j = 0; j < h->d; j++, low += h->bundles, high += h->bundles) {
        float from = INFINITY, to = -INFINITY;
        for (size i = 0; i < count; i++) {
            float x = q->moved[s[i].query * h->d + j];
            from = x < from ? x : from, to = x > to ? x : to;
        }
        for (size b = 0; b < h->bundles; b++) {
            float above = low[b] - to, below = from - high[b], apart = above > below ? above : below;
            apart = apart > 0 ? apart : 0;
            gap[b] += apart * apart;
        }
    }
}

static int can_skip(const haystack *h, const search *s, size count, float gap, size bundle) {
    double reach = 0;
    for (size i = 0; i < count; i++) {
        double own = s[i].worst + h->slack * (s[i].norm + h->norm[bundle]);
        if (own != own) return 0; /* overflow: nothing is known, so nothing is skipped */
        reach = own > reach ? own : reach;
    }
    return (double)gap * (1 - h->slack) > reach;
}

static void look(scan *look_at, search *s, size count, const float *doubled, const haystack *h, const questions *q,
                 size bundle) {
    size first = bundle * BUNDLE, last = first + BUNDLE;
    look_at(s, count, doubled, h, q, first, last < h->tiles_count ? last : h->tiles_count);
}

/* Answers up to TOGETHER queries at once: bundles whose box they touch first, then those still within reach. */
static void answer(scan *look_at, search *s, size count, float *doubled, float *gap, const haystack *h,
                   const questions *q) {
    for (size i = 0; i < count; i++)
        for (size j = 0; j < h->d; j++) doubled[i * h->d + j] = -2 * q->moved[s[i].query * h->d + j];
    if (!h->box) {
        for (size b = 0; b < h->bundles; b++) look(look_at, s, count, doubled, h, q, b);
        return;
    }
    gaps(h, q, s, count, gap);
    size nearest = 0;
    for (size b = 1; b < h->bundles; b++)
        if (gap[b] < gap[nearest]) nearest = b;
    for (size b = 0; b < h->bundles; b++)
        if (gap[b] == 0 || b == nearest) look(look_at, s, count, doubled, h, q, b);
    for (size b = 0; b < h->bundles; b++)
        if (gap[b] != 0 && b != nearest && !can_skip(h, s, count, gap[b], b)) look(look_at, s, count, doubled, h, q, b);
}

int nearest_rows(const haystack *h, const questions *q, int level) {
    scan *look_at = scan_plain;
    search s[TOGETHER];
    neighbour *heap = malloc((size_t)(TOGETHER * q->k) * sizeof(neighbour));
    float *doubled = malloc((size_t)(TOGETHER * h->d) * sizeof(float));
    float *gap = malloc((size_t)h->bundles * sizeof(float));
    int status = heap && doubled && gap ? 0 : -1;
#if HAS_AVX
    look_at = level == AVX512 ? scan_avx512 : level == AVX2 ? scan_avx2 : scan_plain;
#endif
    (void)level;
    for (size start = 0; status == 0 && start < q->asked; start += TOGETHER) {
        size count = q->asked - start < TOGETHER ? q->asked - start : TOGETHER;
        for (size i = 0; i < count; i++) {
            s[i].heap = heap + i * q->k;
            open_search(s + i, h, q, (size)q->which[start + i]);
        }
        answer(look_at, s, count, doubled, gap, h, q);
        for (size i = 0; i < count; i++) close_search(s + i, q);
    }
    free(heap), free(doubled), free(gap);
    return status;
}
