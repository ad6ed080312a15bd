/* Empirical tails for float32 and float64: the same code, see tails_of.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loops.h"
#if HAS_AVX
#include <immintrin.h>
#endif

enum { MOST_CELLS = 1 << 18, PER_CELL = 4, BATCH = 128, WINDOW = 16, TURNED = 5, MOST_ROWS = 1 << 20 };

#if defined(__GNUC__) || defined(__clang__)
#define FETCH(at) __builtin_prefetch(at)
#define INTO_CALLER static inline __attribute__((always_inline)) /* compiled for the level of the caller */
#else
#define FETCH(at) (void)(at)
#define INTO_CALLER static inline
#endif

/* surprise[i] = -log(count[i] / n), with a count of 0 taken as 0.5. Written out, because a compiler can turn this loop
   into vectors, and a call of log it cannot: with x = m 2^e and s = (m - 1) / (m + 1), log x = e log 2 + 2 atanh s. */
INTO_CALLER void surprised(const double *count, size batch, double n, double *surprise) {
    const double two52 = 4503599627370496.0;
    for (size i = 0; i < batch; i++) {
        union { double value; uint64_t bits; } x = {(count[i] > 0 ? count[i] : 0.5) / n}, m, e;
        m.bits = (x.bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u;
        e.bits = (x.bits >> 52) | 0x4330000000000000u; /* 2^52 + the exponent: a conversion that vectors have */
        double high = m.value > 1.4142135623730951 ? 1.0 : 0.0, half = m.value - high * (0.5 * m.value);
        double s = (half - 1) / (half + 1), t = s * s, series = 1.0 / 21;
        series = series * t + 1.0 / 19;
        series = series * t + 1.0 / 17;
        series = series * t + 1.0 / 15;
        series = series * t + 1.0 / 13;
        series = series * t + 1.0 / 11;
        series = series * t + 1.0 / 9;
        series = series * t + 1.0 / 7;
        series = series * t + 1.0 / 5;
        series = series * t + 1.0 / 3;
        series = series * t + 1.0;
        surprise[i] = -(0.6931471805599453 * (e.value - two52 - 1023.0 + high) + 2 * s * series);
    }
}

typedef struct { double n, skew; int copod, leave_out; size reference; } rule;

/* Adds what one column gives each row of a batch, from the counts of reference values below and at most its value. */
INTO_CALLER void add_terms(rule r, const size *below, const size *at_most, size batch, double *out) {
    double left[BATCH] = {0}, right[BATCH] = {0}, L[BATCH], R[BATCH];
    for (size i = 0; i < batch; i++) {
        left[i] = (double)(at_most[i] - r.leave_out);
        right[i] = (double)(r.reference - below[i] - r.leave_out);
    }
    if (!r.copod && r.skew != 0) { /* the larger surprise is that of the smaller count */
        for (size i = 0; i < batch; i++) left[i] = left[i] < right[i] ? left[i] : right[i];
        surprised(left, batch, r.n, L);
        for (size i = 0; i < batch; i++) out[i] += L[i];
        return;
    }
    surprised(left, batch, r.n, L);
    surprised(right, batch, r.n, R);
    for (size i = 0; i < batch; i++) {
        double away = r.skew < 0 ? L[i] : (r.skew > 0 ? R[i] : L[i] + R[i]);
        double other = r.copod ? (L[i] + R[i]) / 2 : (L[i] > R[i] ? L[i] : R[i]);
        out[i] += away > other ? away : other;
    }
}

#define LEVEL 0
#include "lanes.h"
#include "tails_types.h"
#undef LEVEL
#if HAS_AVX
#define LEVEL 1
#include "lanes.h"
#include "tails_types.h"
#undef LEVEL
#define LEVEL 2
#include "lanes.h"
#include "tails_types.h"
#undef LEVEL
#endif

typedef int counter(tails t, int64_t *at_most, int64_t *below);
typedef int scorer(tails t, rule r, const double *skew, double *out);

int tails_counts(tails t, int64_t *at_most, int64_t *below, int level) {
    counter *count = t.wide ? counts_double_plain : counts_float_plain;
#if HAS_AVX
    if (level == AVX512) count = t.wide ? counts_double_avx512 : counts_float_avx512;
    if (level == AVX2) count = t.wide ? counts_double_avx2 : counts_float_avx2;
#endif
    (void)level;
    return count(t, at_most, below);
}

int tails_score(tails t, const double *skew, double *out, int copod, int leave_out, int level) {
    rule r = {(double)(t.reference - leave_out), 0, copod, leave_out, t.reference};
    scorer *score = t.wide ? score_double_plain : score_float_plain;
#if HAS_AVX
    if (level == AVX512) score = t.wide ? score_double_avx512 : score_float_avx512;
    if (level == AVX2) score = t.wide ? score_double_avx2 : score_float_avx2;
#endif
    (void)level;
    for (size i = 0; i < t.n; i++) out[i] = 0.0;
    return score(t, r, skew, out);
}
