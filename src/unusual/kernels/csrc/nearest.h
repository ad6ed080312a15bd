/* The neighbour search as its parts share it.

   Rows are centred and scaled by a power of two ("moved"), rounded to float32 and laid out in tiles of 16, column by
   column, after a first row that holds (1 - slack) |x|^2. For a query q the sum of that row and of -2 q x is at most
   |q - x|^2 - |q|^2, less a bound on every rounding error: so a row whose sum exceeds the limit of the query cannot
   be among its k nearest, and all others are measured in float64 from the values as given. The answer is exact. */
#ifndef UNUSUAL_NEAREST_H
#define UNUSUAL_NEAREST_H
#include "loops.h"

enum { TILE = 16, BUNDLE = 8, GROUP = 8, TOGETHER = 8 };

typedef struct { double distance; int64_t row; } neighbour;

typedef struct {
    const float *tiles; /* (tiles, d + 1, TILE) */
    const int64_t *row; /* (tiles * TILE,), -1 in empty lanes */
    const float *box; /* (2, d, bundles): lowest and highest moved value; NULL without boxes */
    const double *norm; /* (bundles,): largest |x|^2, moved */
    const void *rows; /* (n, d) as given */
    size n, d, tiles_count, bundles;
    double scale2, slack;
    int wide; /* rows are float64 */
} haystack;

typedef struct {
    const float *moved; /* (m, d) */
    const void *rows; /* (m, d) as given */
    const int64_t *without; /* (m,) */
    const int64_t *which; /* (asked,): queries to answer, in this order */
    size m, asked, k;
    int wide;
    double *distance; /* (m, k) */
    int64_t *index; /* (m, k) */
} questions;

/* One query under way. */
typedef struct {
    neighbour *heap; /* (k,): the worst on top */
    size held, k, query;
    int64_t without;
    double norm; /* |q|^2, moved */
    double worst; /* squared distance a newcomer must not exceed, moved; infinite while the heap is not full */
    float limit; /* what a sum must not exceed */
} search;

int place_order(const float *rows, size n, size d, size unit, size fine, int64_t *order);
int nearest_rows(const haystack *h, const questions *q, int level);

/* GROUP queries that stand near each other. TOGETHER groups look at a bundle while it is in the cache. */
typedef struct {
    search s[GROUP];
    size count, nearest; /* nearest: the bundle with the least gap */
    float *doubled; /* (GROUP, d): -2 q, moved */
    float *gap; /* (bundles,): squared distance between the box of a bundle and that of the group, moved */
} group;

void open_search(search *s, const haystack *h, const questions *q, size query);
void close_search(search *s, const questions *q);
void measure(search *s, const haystack *h, const questions *q, size lane, unsigned hits);
#endif
