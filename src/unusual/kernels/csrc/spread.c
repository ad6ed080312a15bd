/* Mean, sum of squares about the mean, lowest and highest value of columns, in one walk over the rows. Short rows are
   taken several side by side, block after block; the NumPy twin adds in the same order. See spread_of.h. */
#include <stdlib.h>

#include "loops.h"
#if HAS_AVX
#include <immintrin.h>
#endif

/* Four lines at a time, each added after the one before. */
#define SUM(VALUE)                                                                               \
    for (const VALUE *x = X; lines >= 4; lines -= 4, x += 4 * k, X = x)                          \
        for (size j = 0; j < k; j++) {                                                           \
            double p = x[j], q = x[j + k], r = x[j + 2 * k], s = x[j + 3 * k];                   \
            double lower = p < q ? p : q, upper = p < q ? q : p;                                 \
            double least = r < s ? r : s, most = r < s ? s : r;                                  \
            least = lower < least ? lower : least, most = upper > most ? upper : most;           \
            sum[j] = sum[j] + p + q + r + s;                                                     \
            low[j] = least < low[j] ? least : low[j], high[j] = most > high[j] ? most : high[j]; \
        }                                                                                        \
    for (const VALUE *x = X; lines > 0; lines--, x += k)                                         \
        for (size j = 0; j < k; j++) {                                                           \
            double p = x[j];                                                                     \
            sum[j] += p, low[j] = p < low[j] ? p : low[j], high[j] = p > high[j] ? p : high[j];  \
        }

#define SQUARE(VALUE)                                                                                \
    for (const VALUE *x = X; lines >= 4; lines -= 4, x += 4 * k, X = x)                              \
        for (size j = 0; j < k; j++) {                                                               \
            double c = centre[j], p = x[j] - c, q = x[j + k] - c, r = x[j + 2 * k] - c, s = x[j + 3 * k] - c; \
            sum[j] = sum[j] + p * p + q * q + r * r + s * s;                                         \
        }                                                                                            \
    for (const VALUE *x = X; lines > 0; lines--, x += k)                                             \
        for (size j = 0; j < k; j++) {                                                               \
            double p = x[j] - centre[j];                                                             \
            sum[j] += p * p;                                                                         \
        }

#define CUBE(VALUE)                                                      \
    for (const VALUE *x = X; lines > 0; lines--, x += k)                 \
        for (size j = 0; j < k; j++) {                                   \
            double p = x[j] - centre[j];                                 \
            sum[j] += p, sum[j + k] += p * p * p;                        \
        }

#define LEVEL 0
#include "lanes.h"
#include "spread_of.h"
#undef LEVEL
#if HAS_AVX
#define LEVEL 1
#include "lanes.h"
#include "spread_of.h"
#undef LEVEL
#define LEVEL 2
#include "lanes.h"
#include "spread_of.h"
#undef LEVEL
#endif

typedef void summer(const void *X, size lines, size k, int wide, double *sum, double *low, double *high);
typedef void squarer(const void *X, size lines, size k, int wide, const double *centre, double *sum);

typedef struct {
    size d, count; /* rows seen */
    int wide;
    summer *sum;
    squarer *square;
    double *lane[4]; /* (side d,): sums, lowest, highest and centres of a block's rows side by side */
    double *mean, *squares, *low, *high; /* (d,) */
} spread;

/* Sum over the `side` rows next to each other. */
static double folded(const double *lanes, size d, size side, size j) {
    double sum = lanes[j];
    for (size s = 1; s < side; s++) sum += lanes[s * d + j];
    return sum;
}

static void add_block(spread *t, const void *X, size lines, size side) {
    size d = t->d, k = side * d;
    double rows = (double)(lines * side), seen = (double)t->count, all = seen + rows;
    double *sum = t->lane[0], *low = t->lane[1], *high = t->lane[2], *centre = t->lane[3];
    for (size j = 0; j < k; j++) sum[j] = 0, low[j] = t->low[j % d], high[j] = t->high[j % d];
    t->sum(X, lines, k, t->wide, sum, low, high);
    for (size j = 0; j < k; j++) {
        t->low[j % d] = low[j] < t->low[j % d] ? low[j] : t->low[j % d];
        t->high[j % d] = high[j] > t->high[j % d] ? high[j] : t->high[j % d];
        centre[j] = j < d ? folded(sum, d, side, j) / rows : centre[j - d];
    }
    for (size j = 0; j < k; j++) sum[j] = 0;
    t->square(X, lines, k, t->wide, centre, sum);
    for (size j = 0; j < d; j++) {
        double gap = centre[j] - t->mean[j];
        t->squares[j] += folded(sum, d, side, j);
        t->squares[j] += gap * gap * (seen * rows / all);
        t->mean[j] += gap * (rows / all);
    }
    t->count += lines * side;
}

int column_spread(const void *X, size n, size d, int wide, size side, size lines, double *out, int level) {
    spread t = {d, 0, wide, sum_plain, square_plain, {NULL}, out, out + d, out + 2 * d, out + 3 * d};
    const char *at = X;
    size row = d * (wide ? (size)sizeof(double) : (size)sizeof(float));
#if HAS_AVX
    if (level == AVX512) t.sum = sum_avx512, t.square = square_avx512;
    if (level == AVX2) t.sum = sum_avx2, t.square = square_avx2;
#endif
    (void)level;
    if (!(t.lane[0] = malloc((size_t)(4 * side * d) * sizeof(double)))) return -1;
    for (int i = 1; i < 4; i++) t.lane[i] = t.lane[i - 1] + side * d;
    for (size j = 0; j < d; j++) {
        t.mean[j] = t.squares[j] = 0;
        t.low[j] = t.high[j] = wide ? ((const double *)X)[j] : (double)((const float *)X)[j];
    }
    for (size left = n / side, some; left > 0; left -= some, at += some * side * row) {
        some = left < lines ? left : lines;
        add_block(&t, at, some, side);
    }
    if (n % side) add_block(&t, at, n % side, 1);
    free(t.lane[0]);
    return 0;
}

int column_cubes(const void *X, size n, size d, int wide, size side, size lines, const double *centre, double *out,
                 int level) {
    squarer *cube = cube_plain;
    const char *at = X;
    size row = d * (wide ? (size)sizeof(double) : (size)sizeof(float));
    double *sum = malloc((size_t)(3 * side * d) * sizeof(double)), *centres = sum + 2 * side * d;
#if HAS_AVX
    cube = level == AVX512 ? cube_avx512 : level == AVX2 ? cube_avx2 : cube_plain;
#endif
    (void)level;
    if (!sum) return -1;
    for (size j = 0; j < side * d; j++) centres[j] = centre[j % d];
    for (size j = 0; j < 2 * d; j++) out[j] = 0;
    for (size done = 0, some; done < n; done += some, at += some * row) {
        size next_to = n - done < side ? 1 : side, whole = (n - done) / next_to, k = next_to * d;
        whole = whole < lines ? whole : lines, some = whole * next_to;
        for (size j = 0; j < 2 * k; j++) sum[j] = 0;
        cube(at, whole, k, wide, centres, sum);
        for (size j = 0; j < d; j++) out[j] += folded(sum, d, next_to, j), out[d + j] += folded(sum + k, d, next_to, j);
    }
    free(sum);
    return 0;
}
