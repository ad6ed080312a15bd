/* Growing isolation trees: each on its own copy of its sample, from the root down, rows parted in place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loops.h"

typedef struct {
    const float *rows; /* (psi, d): the sample */
    int32_t *order, *spare; /* (psi,): sample rows, those of a node side by side */
    float *low, *high; /* (d,) */
    size d;
} plot;

static void extremes(plot p, size start, size stop) {
    const float *first = p.rows + (size)p.order[start] * p.d;
    memcpy(p.low, first, (size_t)p.d * sizeof(float));
    memcpy(p.high, first, (size_t)p.d * sizeof(float));
    for (size i = start + 1; i < stop; i++) {
        const float *x = p.rows + (size)p.order[i] * p.d;
        for (size j = 0; j < p.d; j++) {
            p.low[j] = x[j] < p.low[j] ? x[j] : p.low[j];
            p.high[j] = x[j] > p.high[j] ? x[j] : p.high[j];
        }
    }
}

/* A column that varies, or -1. */
static size draw_column(plot p, double uniform) {
    size count = 0;
    for (size j = 0; j < p.d; j++) count += p.high[j] > p.low[j];
    if (count == 0) return -1;
    size pick = (size)(uniform * (double)count);
    if (pick > count - 1) pick = count - 1;
    for (size j = 0; j < p.d; j++)
        if (p.high[j] > p.low[j] && pick-- == 0) return j;
    return -1;
}

static float draw_cut(float low, float high, double uniform) {
    float cut = (float)((double)low + uniform * ((double)high - (double)low));
    return cut >= high ? low : cut; /* rounding must not empty the right side */
}

/* Order-keeping partition; returns where the right side begins. */
static size part(plot p, size start, size stop, size column, float cut) {
    size left = start, right = 0;
    for (size i = start; i < stop; i++) {
        int32_t row = p.order[i];
        if (p.rows[(size)row * p.d + column] > cut) p.spare[right++] = row;
        else p.order[left++] = row;
    }
    memcpy(p.order + left, p.spare, (size_t)right * sizeof(int32_t));
    return left;
}

/* Writes the subtree at heap position `node`, which stands at `level` and holds order[start..stop). */
static void grow(plot p, size node, size level, size start, size stop, const double *uniform, const double *path,
                 forest f, int32_t *feature, float *threshold, float *leaf) {
    size column = -1;
    if (level < f.depth && stop - start > 1) {
        extremes(p, start, stop);
        column = draw_column(p, uniform[2 * node]);
    }
    if (column < 0) { /* the branch ends: every leaf below holds its value */
        size first = node, count = 1;
        for (size l = level; l < f.depth; l++, first = 2 * first + 1, count *= 2)
            for (size i = first; i < first + count; i++) feature[i] = 0, threshold[i] = INFINITY;
        float value = (float)((double)level + path[stop - start]);
        for (size i = 0; i < count; i++) leaf[first - f.inner + i] = value;
        return;
    }
    float cut = draw_cut(p.low[column], p.high[column], uniform[2 * node + 1]);
    feature[node] = (int32_t)column, threshold[node] = cut;
    size middle = part(p, start, stop, column, cut);
    grow(p, 2 * node + 1, level + 1, start, middle, uniform, path, f, feature, threshold, leaf);
    grow(p, 2 * node + 2, level + 1, middle, stop, uniform, path, f, feature, threshold, leaf);
}

int forest_grow(const float *X, size d, const int64_t *sample, size trees, size psi, const double *uniform,
                const double *path, size depth, int32_t *feature, float *threshold, float *leaf) {
    forest f = {.trees = trees, .depth = depth, .inner = ((size)1 << depth) - 1};
    float *rows = malloc((size_t)psi * (size_t)d * sizeof(float)), *ends = malloc(2 * (size_t)d * sizeof(float));
    int32_t *order = malloc(2 * (size_t)psi * sizeof(int32_t));
    int status = rows && ends && order ? 0 : -1;
    plot p = {rows, order, order + psi, ends, ends + d, d};
    for (size t = 0; status == 0 && t < trees; t++) {
        for (size i = 0; i < psi; i++) {
            memcpy(rows + i * d, X + (size)sample[t * psi + i] * d, (size_t)d * sizeof(float));
            order[i] = (int32_t)i;
        }
        grow(p, 0, 0, 0, psi, uniform + 2 * t * f.inner, path, f, feature + t * f.inner, threshold + t * f.inner,
             leaf + t * (f.inner + 1));
    }
    free(rows), free(ends), free(order);
    return status;
}
