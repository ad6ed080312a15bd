/* Histograms of columns, and the sum of a table over the bins of a row; float32 and float64, see histogram_of.h. */
#include <stdlib.h>

#include "loops.h"
#if HAS_AVX
#include <immintrin.h>
#endif

enum { SIDE = 8, TABLES = 1 << 15, PERIOD = 1 << 9, STRETCH = 1 << 11 };

/* What each of `period` values in a row, `side` rows next to each other, is compared with and where its cells begin. */
typedef struct {
    size d, side, period, stretch; /* stretch: values whose cells are found at once, a multiple of the period */
    double top, limit;
    double *low, *scale;
    uint32_t *first, *place; /* (period,), (stretch,) */
} ruler;

static int open_ruler(ruler *r, size d, const double *low, const double *scale, size bins, int apart) {
    r->d = d, r->side = SIDE * d <= PERIOD ? SIDE : 1, r->period = r->side * d;
    r->stretch = r->period * (r->period < STRETCH ? STRETCH / r->period : 1);
    r->top = (double)bins, r->limit = r->top * (1 + 1e-12);
    r->low = malloc((size_t)r->period * 2 * sizeof(double));
    r->first = malloc((size_t)(r->period + r->stretch) * sizeof(uint32_t));
    if (!r->low || !r->first) return -1;
    r->scale = r->low + r->period, r->place = r->first + r->period;
    for (size i = 0; i < r->period; i++) {
        r->low[i] = low[i % d], r->scale[i] = scale[i % d];
        r->first[i] = (uint32_t)((apart ? i : i % d) * (bins + 2));
    }
    return 0;
}

static void close_ruler(ruler *r) { free(r->low), free(r->first); }

/* Cells: 0 below the range, 1 + bin inside, bins + 1 above; the upper end, give or take rounding, belongs to the last
   bin. NaN counts as below. Written without branches, for vectors. */
#define FIND(VALUE)                                                             \
    for (const VALUE *x = X; count > 0; count -= period, x += period, place += period) { \
        size some = count < period ? count : period;                            \
        for (size i = 0; i < some; i++) {                                       \
            double where = ((double)x[i] - low[i]) * scale[i];                  \
            double kept = where < last ? where : last;                          \
            kept = where > limit ? top : kept;                                  \
            kept = where >= 0 ? kept : -1.0;                                    \
            place[i] = first[i] + 1 + (uint32_t)(int32_t)kept;                  \
        }                                                                       \
    }

#define LEVEL 0
#include "lanes.h"
#include "histogram_of.h"
#undef LEVEL
#if HAS_AVX
#define LEVEL 1
#include "lanes.h"
#include "histogram_of.h"
#undef LEVEL
#define LEVEL 2
#include "lanes.h"
#include "histogram_of.h"
#undef LEVEL
#endif

typedef void finder(const ruler *r, const void *X, size count, int wide);

static finder *finder_of(int level) {
#if HAS_AVX
    return level == AVX512 ? find_avx512 : level == AVX2 ? find_avx2 : find_plain;
#else
    (void)level;
    return find_plain;
#endif
}

static const void *value_at(const void *X, size at, int wide) {
    return wide ? (const void *)((const double *)X + at) : (const void *)((const float *)X + at);
}

int histogram_fit(const void *X, size n, size d, int wide, const double *low, const double *scale, size bins,
                  int64_t *counts, int level) {
    finder *find = finder_of(level);
    ruler r;
    size cells = d * (bins + 2);
    /* Equal values in turn would each wait for the last one's count: rows side by side have tables of their own. */
    int apart = SIDE * cells * (size)sizeof(int64_t) <= TABLES;
    int status = open_ruler(&r, d, low, scale, bins, apart);
    int64_t *tables = calloc((size_t)(cells * (apart ? r.side : 1)), sizeof(int64_t));
    status = tables ? status : -1;
    for (size at = 0; status == 0 && at < n * d; at += r.stretch) {
        size count = n * d - at < r.stretch ? n * d - at : r.stretch;
        find(&r, value_at(X, at, wide), count, wide);
        for (size i = 0; i < count; i++) tables[r.place[i]]++;
    }
    for (size i = 0; status == 0 && i < cells * (apart ? r.side : 1); i++) counts[i % cells] += tables[i];
    close_ruler(&r), free(tables);
    return status;
}

int histogram_score(const void *X, size n, size d, int wide, const double *low, const double *scale, size bins,
                    const double *table, double *out, int level) {
    finder *find = finder_of(level);
    ruler r;
    int status = open_ruler(&r, d, low, scale, bins, 0);
    size rows = status ? 1 : r.stretch / d;
    for (size start = 0; status == 0 && start < n; start += rows) {
        size count = n - start < rows ? n - start : rows, i = 0;
        const uint32_t *at = r.place;
        find(&r, value_at(X, start * d, wide), count * d, wide);
        for (; i + 4 <= count; i += 4, at += 4 * d) {
            double sum[4] = {0};
            for (size j = 0; j < d; j++)
                for (size l = 0; l < 4; l++) sum[l] += table[at[l * d + j]];
            for (size l = 0; l < 4; l++) out[start + i + l] = sum[l];
        }
        for (; i < count; i++, at += d) {
            out[start + i] = 0;
            for (size j = 0; j < d; j++) out[start + i] += table[at[j]];
        }
    }
    close_ruler(&r);
    return status;
}
