/* One query's k nearest so far: a heap with the worst on top, ordered by distance, then row number. See nearest.h. */
#include <math.h>

#include "nearest.h"

static inline int worse(neighbour a, neighbour b) {
    return a.distance > b.distance || (a.distance == b.distance && a.row > b.row);
}

static void sift_down(neighbour *heap, size held, size at) {
    neighbour moving = heap[at];
    for (;;) {
        size child = 2 * at + 1;
        if (child >= held) break;
        if (child + 1 < held && worse(heap[child + 1], heap[child])) child++;
        if (!worse(heap[child], moving)) break;
        heap[at] = heap[child], at = child;
    }
    heap[at] = moving;
}

static void sift_up(neighbour *heap, size at) {
    neighbour moving = heap[at];
    while (at > 0 && worse(moving, heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moving;
}

/* The limit of the sums that `worst` and the rounding errors leave (nearest.h); NaN and overflow let all rows pass. */
static void set_limit(search *s, const haystack *h) {
    double limit = s->worst - (1 - h->slack) * s->norm + (double)h->d * 1e-44;
    s->limit = isfinite(limit) && s->norm < 1e30 ? nextafterf((float)limit, INFINITY) : INFINITY;
}

void open_search(search *s, const haystack *h, const questions *q, size query) {
    s->held = 0, s->k = q->k, s->query = query, s->without = q->without[query], s->norm = 0;
    for (size j = 0; j < h->d; j++) {
        double x = q->moved[query * h->d + j];
        s->norm += x * x;
    }
    s->worst = INFINITY;
    set_limit(s, h);
}

static void offer(search *s, const haystack *h, neighbour candidate) {
    if (s->held < s->k) {
        s->heap[s->held] = candidate;
        sift_up(s->heap, s->held++);
        if (s->held < s->k) return;
    } else {
        if (!worse(s->heap[0], candidate)) return;
        s->heap[0] = candidate;
        sift_down(s->heap, s->held, 0);
    }
    s->worst = s->heap[0].distance * h->scale2;
    set_limit(s, h);
}

/* Four sums, so that one addition need not wait for the last. */
#define SQUARED(A, B)                                                \
    for (; j + 4 <= d; j += 4)                                       \
        for (size l = 0; l < 4; l++) {                               \
            double step = (double)(A)[j + l] - (double)(B)[j + l];   \
            sum[l] += step * step;                                   \
        }                                                            \
    for (; j < d; j++) {                                             \
        double step = (double)(A)[j] - (double)(B)[j];               \
        sum[0] += step * step;                                       \
    }

static double squared_distance(const haystack *h, const questions *q, size query, size row) {
    size d = h->d, j = 0;
    double sum[4] = {0};
    const float *xf = (const float *)h->rows + row * d, *qf = (const float *)q->rows + query * d;
    const double *xd = (const double *)h->rows + row * d, *qd = (const double *)q->rows + query * d;
    if (h->wide && q->wide) { SQUARED(qd, xd) }
    else if (h->wide) { SQUARED(qf, xd) }
    else if (q->wide) { SQUARED(qd, xf) }
    else { SQUARED(qf, xf) }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void measure(search *s, const haystack *h, const questions *q, size lane, unsigned hits) {
    for (; hits; hits >>= 1, lane++) {
        int64_t row = h->row[lane];
        if (!(hits & 1) || row < 0 || row == s->without) continue;
        offer(s, h, (neighbour){squared_distance(h, q, s->query, (size)row), row});
    }
}

void close_search(search *s, const questions *q) {
    size k = s->k;
    for (size held = s->held; held > 0; held--) {
        q->distance[s->query * k + held - 1] = s->heap[0].distance;
        q->index[s->query * k + held - 1] = s->heap[0].row;
        s->heap[0] = s->heap[held - 1];
        sift_down(s->heap, held - 1, 0);
    }
}
