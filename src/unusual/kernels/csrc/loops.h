/* The loops, as the bindings in module.c see them. All sizes have been checked before a loop is called.
   A loop returns 0, or -1 when memory ran out. */
#ifndef UNUSUAL_LOOPS_H
#define UNUSUAL_LOOPS_H
#include <stddef.h>
#include <stdint.h>

/* Levels, in the order of dispatch.NAMES. */
enum { PLAIN = 0, AVX2 = 1, AVX512 = 2 };

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define HAS_AVX 1
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#else
#define HAS_AVX 0
#endif

typedef ptrdiff_t size;

int widest_level(void);
int runnable(int level); /* the widest level of this processor that is at most `level` */

/* Trees as implicit heaps: (trees, 2^depth - 1) features and thresholds, (trees, 2^depth) leaves. */
typedef struct {
    const int32_t *feature;
    const float *threshold, *leaf;
    size trees, depth, inner;
} forest;

int forest_sum(const float *X, size n, size d, forest f, double *out, int level);
int forest_sum_every_node(const float *X, size n, size d, forest f, double *out, int level);
int forest_grow(const float *X, size d, const int64_t *sample, size trees, size psi, const double *uniform,
                const double *path, size depth, int32_t *feature, float *threshold, float *leaf);

/* `wide` says that X and the reference are float64, else float32. */
typedef struct {
    const void *X, *columns;
    size n, d, reference;
    int wide;
} tails;

int tails_counts(tails t, int64_t *at_most, int64_t *below, int level);
/* Columns first..first + count - 1 of X (n, d), each sorted: (count, n). */
int columns_sort(const float *X, size n, size d, size first, size count, float *columns);
int tails_score(tails t, const double *skew, double *out, int copod, int leave_out, int level);

/* The tables have d (bins + 2) entries, which must be fewer than INT32_MAX / 8. Counts are added to. */
int histogram_fit(const void *X, size n, size d, int wide, const double *low, const double *scale, size bins,
                  int64_t *counts, int level);
int histogram_score(const void *X, size n, size d, int wide, const double *low, const double *scale, size bins,
                    const double *table, double *out, int level);

/* out (4, d): mean, sum of squares about the mean, lowest and highest value; n > 0. Blocks are `lines` lines of `side`
   rows. */
int column_spread(const void *X, size n, size d, int wide, size side, size lines, double *out, int level);
/* out (2, d): sums of x - centre and of its cube. */
int column_cubes(const void *X, size n, size d, int wide, size side, size lines, const double *centre, double *out,
                 int level);

int balls_sum(const float *X, size n, size d, const float *centres, const float *radius2, const double *value,
              const int64_t *order, size sets, size psi, double *out, int level);
#endif
