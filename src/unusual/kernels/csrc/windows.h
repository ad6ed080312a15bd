/* The nearest windows of a series as the parts of the search share them.

   Pairs of windows (i, j) are visited along diagonals of one lag j - i, LAGS of them side by side, one lag a lane. What
   is sought is the highest likeness: the negative squared distance of the values, or the sum over channels of the
   correlation (plus a half for each window that is constant, so that m and 2 m come out as the distances). Rows are
   numbered i in the first series, lanes j in the second; either side may keep what it finds. */
#ifndef UNUSUAL_WINDOWS_H
#define UNUSUAL_WINDOWS_H
#include "loops.h"

enum { LAGS = 64 };

/* A series and its windows, channel after channel; each line has LAGS spare places at its end. */
typedef struct {
    size n, m, channels, steps; /* windows, their length; length of a line of values */
    const double *values; /* (channels, steps): spare and missing ones are NaN, or 0 where windows are normalised */
    /* where windows are normalised, (channels, n + LAGS): mean; half the step in - the step out; the step in - its mean
       + the step out - its mean; 1 / root of the sum of squares about the mean, 0 for constant windows */
    const double *mean, *half, *gap, *inverse;
    const double *bonus; /* (n + LAGS,): half the number of constant channels, -infinity where there is no window */
} series;

/* The k highest likenesses of each window, best first. */
typedef struct {
    double *worst; /* (n + LAGS,): the lowest that is kept, infinite where nothing shall be */
    double *likeness; /* (n, k) */
    int64_t *index; /* (n, k) */
    size k;
} kept;

typedef struct {
    const series *row, *lane;
    kept of_row, of_lane;
    size lag; /* of the first lane */
    uint64_t lanes; /* bit q: lane q is looked at */
} diagonals;

typedef void follow(const diagonals *d, double *covariance, size from, size to);
typedef void begin(const diagonals *d, double *covariance, size row);
typedef void pile(const diagonals *d, double *sums, size from);
typedef void compare(const diagonals *d, double *sums, size from, size to);

void take(const diagonals *d, size row, uint64_t hits, const double *likeness);

/* lags (count, 2): first lag and number of lags, at most LAGS, of each group. Returns 0, or -1 when memory ran out. */
int windows_values(diagonals d, const int64_t *lags, size count, int level);
int windows_shapes(diagonals d, const int64_t *lags, size count, int level);
/* Squared distances (n, k) of normalised windows to those named in index, from the values; infinite for -1. */
void windows_measure(const series *a, const series *b, const int64_t *index, size k, double *distance);
#endif
