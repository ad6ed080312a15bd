/* The nearest windows: which diagonals are followed from where. See windows.h.

   Raw windows: squared distances of steps are summed from both sides of every m-th step, so that a window is the sum of
   two sums of one sign and nothing is ever subtracted (van Herk, A Fast Algorithm for Local Minimum and Maximum Filters
   on Rectangular and Octagonal Kernels, 1992). Normalised windows: the covariance of a pair follows from that of the
   pair before (Zimmerman et al., Matrix Profile XIV, 2019); it starts anew from the values wherever the spread of a
   window has fallen so far that what large values have left in the sum could be seen. */
#include <math.h>
#include <stdlib.h>

#include "windows.h"
#if HAS_AVX
#include <immintrin.h>
#endif

enum { FALL = 32, SPAN = 4096, SPAN_WINDOWS = 32 };

#define LEVEL 0
#include "lanes.h"
#include "lanes_double.h"
#include "windows_of.h"
#undef LEVEL
#if HAS_AVX
#define LEVEL 1
#include "lanes.h"
#include "lanes_double.h"
#include "windows_of.h"
#undef LEVEL
#define LEVEL 2
#include "lanes.h"
#include "lanes_double.h"
#include "windows_of.h"
#undef LEVEL
#endif

static void keep(const kept *of, size window, double likeness, size other) {
    double *values = of->likeness + window * of->k;
    int64_t *index = of->index + window * of->k;
    size at = of->k - 1;
    for (; at > 0 && likeness > values[at - 1]; at--) values[at] = values[at - 1], index[at] = index[at - 1];
    values[at] = likeness, index[at] = (int64_t)other;
    of->worst[window] = values[of->k - 1];
}

void take(const diagonals *d, size row, uint64_t hits, const double *likeness) {
    for (size q = 0; hits; q++, hits >>= 1) {
        size lane = row + d->lag + q;
        if (!(hits & 1)) continue;
        if (likeness[q] > d->of_row.worst[row]) keep(&d->of_row, row, likeness[q], lane);
        if (likeness[q] > d->of_lane.worst[lane]) keep(&d->of_lane, lane, likeness[q], row);
    }
}

/* Windows whose spread has fallen by more than FALL, in some channel, since the last of them; then n. */
static int64_t *falls(const series *s) {
    int64_t *found = malloc((size_t)(s->n + 1) * sizeof(int64_t)), *next = found;
    double *least = malloc((size_t)s->channels * sizeof(double));
    if (found && least) {
        for (size c = 0; c < s->channels; c++) least[c] = INFINITY;
        for (size i = 0; i < s->n; i++) {
            int fell = 0;
            for (size c = 0; c < s->channels; c++) {
                double inverse = s->inverse[c * (s->n + LAGS) + i];
                fell |= inverse > FALL * least[c];
                if (inverse > 0 && inverse < least[c]) least[c] = inverse;
            }
            if (!fell) continue;
            *next++ = i;
            for (size c = 0; c < s->channels; c++) {
                double inverse = s->inverse[c * (s->n + LAGS) + i];
                least[c] = inverse > 0 ? inverse : INFINITY;
            }
        }
        *next = s->n;
    }
    free(least);
    if (found && least) return found;
    free(found);
    return NULL;
}

static void begin_lane(const diagonals *d, double *covariance, size row, size q) {
    const series *a = d->row, *b = d->lane;
    size j = row + d->lag + q;
    for (size c = 0; c < a->channels; c++) {
        const double *x = a->values + c * a->steps + row, *y = b->values + c * b->steps + j;
        double mean = a->mean[c * (a->n + LAGS) + row], other = b->mean[c * (b->n + LAGS) + j], sum = 0;
        for (size t = 0; t < a->m; t++) sum += (x[t] - mean) * (y[t] - other);
        covariance[c * LAGS + q] = sum;
    }
}

static size rows_of(const diagonals *d) {
    size rows = d->lane->n - d->lag;
    return rows < d->row->n ? rows : d->row->n;
}

/* The first row after i at which something starts anew, or `rows`. */
static size next_event(const diagonals *d, size i, size span, const int64_t *row_fall, const int64_t *lane_fall) {
    size next = i - i % span + span, rows = rows_of(d), row = *row_fall > i ? *row_fall : row_fall[1];
    next = row < next ? row : next;
    if (*lane_fall < d->lane->n) {
        size first = *lane_fall - d->lag - (LAGS - 1);
        first = first > i ? first : i + 1; /* it is passing through the lanes */
        next = first < next ? first : next;
    }
    return next < rows ? next : rows;
}

/* One group of lags. All lanes start anew where the window of the row has fallen, and after `span` rows; a lane where
   its own window has fallen. */
static void follow_group(const diagonals *d, const int64_t *row_fall, const int64_t *lane_fall, double *covariance,
                         begin *anew, follow *on) {
    size rows = rows_of(d), span = d->row->m * SPAN_WINDOWS > SPAN ? d->row->m * SPAN_WINDOWS : SPAN;
    for (size i = 0, to; i < rows; i = to) {
        while (*row_fall < i) row_fall++;
        while (*lane_fall < d->lane->n && *lane_fall < i + d->lag) lane_fall++;
        if (i % span == 0 || *row_fall == i)
            anew(d, covariance, i);
        else
            for (const int64_t *at = lane_fall; *at < d->lane->n && *at < i + d->lag + LAGS; at++)
                begin_lane(d, covariance, i, *at - i - d->lag);
        to = next_event(d, i, span, row_fall, lane_fall);
        on(d, covariance, i, to);
    }
}

static uint64_t first_lanes(size count) { return count < LAGS ? ((uint64_t)1 << count) - 1 : ~(uint64_t)0; }

int windows_shapes(diagonals d, const int64_t *lags, size count, int level) {
    begin *anew = begin_plain;
    follow *one = follow_one_plain, *all = follow_all_plain;
#if HAS_AVX
    if (level == AVX512) anew = begin_avx512, one = follow_one_avx512, all = follow_all_avx512;
    if (level == AVX2) anew = begin_avx2, one = follow_one_avx2, all = follow_all_avx2;
#endif
    (void)level;
    int64_t *row_falls = falls(d.row), *lane_falls = falls(d.lane);
    double *covariance = malloc((size_t)(LAGS * d.row->channels) * sizeof(double));
    int status = row_falls && lane_falls && covariance ? 0 : -1;
    for (size g = 0; status == 0 && g < count; g++) {
        d.lag = lags[2 * g], d.lanes = first_lanes(lags[2 * g + 1]);
        follow_group(&d, row_falls, lane_falls, covariance, anew, d.row->channels == 1 ? one : all);
    }
    free(row_falls), free(lane_falls), free(covariance);
    return status;
}

int windows_values(diagonals d, const int64_t *lags, size count, int level) {
    pile *fill = pile_plain;
    compare *through = compare_plain;
    size m = d.row->m;
#if HAS_AVX
    if (level == AVX512) fill = pile_avx512, through = compare_avx512;
    if (level == AVX2) fill = pile_avx2, through = compare_avx2;
#endif
    (void)level;
    double *sums = malloc((size_t)(m * LAGS) * sizeof(double));
    if (!sums) return -1;
    for (size g = 0; g < count; g++) {
        d.lag = lags[2 * g], d.lanes = first_lanes(lags[2 * g + 1]);
        size rows = rows_of(&d);
        fill(&d, sums, 0);
        for (size i = 0; i < rows; i += m) through(&d, sums, i, i + m < rows ? i + m : rows);
    }
    free(sums);
    return 0;
}

void windows_measure(const series *a, const series *b, const int64_t *index, size k, double *distance) {
    for (size i = 0; i < a->n; i++)
        for (size p = i * k; p < (i + 1) * k; p++) {
            size j = index[p];
            distance[p] = j < 0 ? INFINITY : 0;
            for (size c = 0; j >= 0 && c < a->channels; c++) {
                const double *x = a->values + c * a->steps + i, *y = b->values + c * b->steps + j;
                size own = c * (a->n + LAGS) + i, other = c * (b->n + LAGS) + j;
                double sum[4] = {0, 0, 0, 0};
                for (size t = 0; t < a->m; t++) {
                    double gap = (x[t] - a->mean[own]) * a->inverse[own] - (y[t] - b->mean[other]) * b->inverse[other];
                    sum[t % 4] += gap * gap;
                }
                distance[p] += (double)a->m * ((sum[0] + sum[1]) + (sum[2] + sum[3]));
            }
        }
}
