/* Empirical tails for float32 and float64: the same code, see tails_of.h. */
#include <math.h>
#include <stdlib.h>

#include "loops.h"

enum { MOST_CELLS = 1 << 20, PER_CELL = 2, BATCH = 128 };

#if defined(__GNUC__) || defined(__clang__)
#define FETCH(at) __builtin_prefetch(at)
#else
#define FETCH(at) (void)(at)
#endif

/* -log(count / n) with a count of 0 taken as 0.5. From a table when there are many questions: the same function
   fills it, so the answers have the same bits. */
typedef struct { double *table; size n; } surprise;

static double surprise_at(double count, size n) { return -log((count > 0 ? count : 0.5) / (double)n); }

static double surprised(const surprise *s, size count) {
    return s->table ? s->table[count] : surprise_at((double)count, s->n);
}

static int open_surprise(surprise *s, size n, size questions) {
    s->n = n, s->table = NULL;
    if (questions < n / 4) return 0;
    s->table = malloc((size_t)(n + 1) * sizeof(double));
    if (!s->table) return -1;
    for (size c = 0; c <= n; c++) s->table[c] = surprise_at((double)c, n);
    return 0;
}

/* What one column adds; `left` and `right` count the reference values on either side, the value itself included. */
static inline double term(const surprise *s, size left, size right, double skew, int copod) {
    if (!copod && skew != 0) return surprised(s, left < right ? left : right);
    double L = surprised(s, left), R = surprised(s, right);
    double away = skew < 0 ? L : (skew > 0 ? R : L + R);
    double other = copod ? (L + R) / 2 : (L > R ? L : R);
    return away > other ? away : other;
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
    surprise s;
    for (size i = 0; i < t.n; i++) out[i] = 0.0;
    if (open_surprise(&s, t.reference - leave_out, t.n * t.d)) return -1;
    int status = t.wide ? score_double(t, &s, skew, out, copod, leave_out)
                        : score_float(t, &s, skew, out, copod, leave_out);
    free(s.table);
    return status;
}
