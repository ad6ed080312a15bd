/* Histograms of columns, and the sum of a table over the bins of a row; float32 and float64. */
#include "loops.h"

/* 0 below the range, 1 + bin inside, bins + 1 above; the upper end, give or take rounding, belongs to the last bin. NaN
   counts as below. */
static inline size cell(double x, double low, double scale, size bins) {
    double place = (x - low) * scale, top = (double)bins, kept = place >= 0 ? place : 0;
    size inside = (size)(int32_t)(kept < top ? kept : top - 1);
    return place >= 0 ? (place <= top * (1 + 1e-12) ? inside + 1 : bins + 1) : 0;
}

#define FIT(VALUE)                                                                                        \
    for (size i = 0; i < n; i++)                                                                          \
        for (size j = 0; j < d; j++)                                                                      \
            counts[j * (bins + 2) + cell((double)((const VALUE *)X)[i * d + j], low[j], scale[j], bins)]++;

void histogram_fit(const void *X, size n, size d, int wide, const double *low, const double *scale, size bins,
                   int64_t *counts) {
    if (wide) FIT(double) else FIT(float)
}

#define SCORE(VALUE)                                                                                      \
    for (size i = 0; i < n; i++) {                                                                        \
        double sum = 0;                                                                                   \
        for (size j = 0; j < d; j++)                                                                      \
            sum += table[j * (bins + 2) + cell((double)((const VALUE *)X)[i * d + j], low[j], scale[j], bins)]; \
        out[i] = sum;                                                                                     \
    }

void histogram_score(const void *X, size n, size d, int wide, const double *low, const double *scale, size bins,
                     const double *table, double *out) {
    if (wide) SCORE(double) else SCORE(float)
}
