/* Empirical tails for float32 and float64: the same code, see tails_of.h. */
#include <math.h>
#include <stdlib.h>

#include "loops.h"

enum { MOST_CELLS = 1 << 18, PER_CELL = 8, BATCH = 128 };

#if defined(__GNUC__) || defined(__clang__)
#define FETCH(at) __builtin_prefetch(at)
#else
#define FETCH(at) (void)(at)
#endif

/* surprise[i] = -log(count[i] / n), with a count of 0 taken as 0.5. Written out, because a compiler can turn this loop
   into vectors, and a call of log it cannot: with x = m 2^e and s = (m - 1) / (m + 1), log x = e log 2 + 2 atanh s. */
static void surprised(const double *count, size batch, double n, double *surprise) {
    for (size i = 0; i < batch; i++) {
        union { double value; uint64_t bits; } x = {(count[i] > 0 ? count[i] : 0.5) / n}, m = x;
        m.bits = (x.bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u;
        int32_t e = (int32_t)(x.bits >> 52) - 1023, high = m.value > 1.4142135623730951;
        double half = high ? 0.5 * m.value : m.value, s = (half - 1) / (half + 1), t = s * s;
        double series = 1.0 / 21;
        for (int k = 19; k > 0; k -= 2) series = series * t + 1.0 / k;
        surprise[i] = -(0.6931471805599453 * (double)(e + high) + 2 * s * series);
    }
}

typedef struct { double n, skew; int copod, leave_out; size reference; } rule;

/* Adds what one column gives each row of a batch, from the counts of reference values below and at most its value. */
static void add_terms(rule r, const size *below, const size *at_most, size batch, double *out) {
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

#define VALUE float
#define OF(name) name##_float
#include "tails_of.h"
#undef VALUE
#undef OF

#define VALUE double
#define OF(name) name##_double
#include "tails_of.h"
#undef VALUE
#undef OF

int tails_counts(tails t, int64_t *at_most, int64_t *below) {
    return t.wide ? counts_double(t, at_most, below) : counts_float(t, at_most, below);
}

int tails_score(tails t, const double *skew, double *out, int copod, int leave_out) {
    rule r = {(double)(t.reference - leave_out), 0, copod, leave_out, t.reference};
    for (size i = 0; i < t.n; i++) out[i] = 0.0;
    return t.wide ? score_double(t, r, skew, out) : score_float(t, r, skew, out);
}
