/* Scoring many rows with isolation trees: instead of walking each row down, every node of a tree is answered for 128
   rows at once, and the answers choose between the leaf numbers of the two branches, from the leaves up. An isolation
   tree has some 60 nodes that split, the rows need one comparison for each, and no step has to gather.
   Values are first replaced by their rank among the thresholds of their column, so that 16 bits are enough. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loops.h"
#include "forest_steps.h"

enum { CELLS = 4096, RANKS = 32767, BATCH_BYTES = 1 << 18 };

typedef struct { /* one used column: its thresholds in order, and where each cell of an even grid begins */
    size source, count;
    float low, scale;
    float *cut;
    uint16_t start[CELLS + 1];
} ruler;

typedef struct {
    ruler *rulers;
    size used, steps, leaves, *first_step, *first_leaf; /* first_*: (trees + 1,) */
    int32_t *slot; /* (d,): position among the used columns, or -1 */
    float *cuts;
    step *step;
    float *leaf;
} program;

static size cell(const ruler *r, float x) {
    float place = (x - r->low) * r->scale;
    return place >= 0 ? (place < CELLS - 1 ? (size)place : CELLS - 1) : 0; /* NaN goes to 0 */
}

/* How many thresholds lie below x: x is above the threshold of rank k if and only if this exceeds k. */
static int16_t rank(const ruler *r, float x) {
    size c = cell(r, x), at = r->start[c], count = r->start[c + 1] - at;
    while (count > 4) {
        size half = count / 2;
        if (r->cut[at + half] < x) at += half + 1, count -= half + 1;
        else count = half;
    }
    for (; count > 0 && r->cut[at] < x; count--) at++;
    return (int16_t)at;
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void finish_ruler(ruler *r) {
    size kept = 0;
    qsort(r->cut, (size_t)r->count, sizeof(float), ascending);
    for (size i = 0; i < r->count; i++)
        if (i == 0 || r->cut[i] != r->cut[kept - 1]) r->cut[kept++] = r->cut[i];
    r->count = kept;
    r->low = kept && isfinite(r->cut[0]) ? r->cut[0] : 0.0f;
    r->scale = kept ? (CELLS - 1) / (r->cut[kept - 1] - r->low) : 0.0f;
    if (!isfinite(r->scale)) r->scale = 0.0f;
    for (size c = 0, i = 0; c <= CELLS; c++) {
        while (i < kept && cell(r, r->cut[i]) < c) i++;
        r->start[c] = (uint16_t)i;
    }
}

/* One ruler for each column that some node of the trees asks about. */
static int make_rulers(program *p, forest f, size d) {
    size nodes = f.trees * f.inner, total = 0;
    size *count = calloc((size_t)d, sizeof(size));
    p->slot = malloc((size_t)d * sizeof(int32_t));
    p->cuts = malloc((size_t)nodes * sizeof(float));
    if (!count || !p->slot || !p->cuts) return free(count), -1;
    for (size i = 0; i < nodes; i++) count[f.feature[i]] += f.threshold[i] < INFINITY;
    for (size j = 0; j < d; j++) p->slot[j] = count[j] ? (int32_t)p->used++ : -1;
    p->rulers = malloc((size_t)(p->used + 1) * sizeof(ruler));
    if (!p->rulers) return free(count), -1;
    for (size j = 0; j < d; j++)
        if (count[j]) {
            ruler *r = p->rulers + p->slot[j];
            r->source = j, r->count = 0, r->cut = p->cuts + total;
            total += count[j];
        }
    free(count);
    for (size i = 0; i < nodes; i++)
        if (f.threshold[i] < INFINITY) {
            ruler *r = p->rulers + p->slot[f.feature[i]];
            r->cut[r->count++] = f.threshold[i];
        }
    for (size u = 0; u < p->used; u++) finish_ruler(p->rulers + u);
    return 0;
}

/* Writes the steps of the subtree at `node` and returns where its answer will stand (see forest_steps.h). */
static operand write_steps(program *p, forest f, size t, size node, size slot) {
    if (node >= f.inner) {
        p->leaf[p->leaves] = f.leaf[t * (f.inner + 1) + node - f.inner];
        return (operand){(int32_t)(p->leaves++ - p->first_leaf[t]), 0};
    }
    float cut = f.threshold[t * f.inner + node];
    if (!(cut < INFINITY)) return write_steps(p, f, t, 2 * node + 1, slot);
    int32_t column = p->slot[f.feature[t * f.inner + node]];
    operand left = write_steps(p, f, t, 2 * node + 1, slot), right = write_steps(p, f, t, 2 * node + 2, slot + 1);
    operand out = {(int32_t)slot, 1};
    p->step[p->steps++] = (step){left, right, out, column, rank(p->rulers + column, cut)};
    return out;
}

static void close_program(program *p) {
    free(p->rulers), free(p->slot), free(p->cuts), free(p->first_step), free(p->first_leaf), free(p->step);
    free(p->leaf);
}

static int open_program(program *p, forest f, size d) {
    memset(p, 0, sizeof *p);
    if (make_rulers(p, f, d)) return -1;
    p->first_step = malloc((size_t)(f.trees + 1) * sizeof(size));
    p->first_leaf = malloc((size_t)(f.trees + 1) * sizeof(size));
    p->step = malloc((size_t)(f.trees * f.inner) * sizeof(step));
    p->leaf = malloc((size_t)(f.trees * (f.inner + 1)) * sizeof(float));
    if (!p->first_step || !p->first_leaf || !p->step || !p->leaf) return -1;
    for (size t = 0; t < f.trees; t++) {
        p->first_step[t] = p->steps, p->first_leaf[t] = p->leaves;
        write_steps(p, f, t, 0, 0);
    }
    p->first_step[f.trees] = p->steps, p->first_leaf[f.trees] = p->leaves;
    return 0;
}

/* Ranks of `count` rows, in blocks of ROWS: (blocks, used, ROWS); rows beyond `count` repeat the last one. */
static void rank_rows(const program *p, const float *X, size count, size d, int16_t *ranks) {
    for (size u = 0; u < p->used; u++) {
        const ruler *r = p->rulers + u;
        for (size first = 0; first < count; first += ROWS) {
            int16_t *to = ranks + (first * p->used) + u * ROWS;
            for (size i = 0; i < ROWS; i++) {
                size row = first + i < count ? first + i : count - 1;
                to[i] = rank(r, X[row * d + r->source]);
            }
        }
    }
}

static void add_trees(const program *p, size trees, size count, const int16_t *ranks, workspace *w, double *out,
                      int level) {
    for (size t = 0; t < trees; t++) {
        const float *leaf = p->leaf + p->first_leaf[t];
        const step *from = p->step + p->first_step[t], *to = p->step + p->first_step[t + 1];
        if (from == to) {
            for (size i = 0; i < count; i++) out[i] += (double)leaf[0];
            continue;
        }
        for (size first = 0; first < count; first += ROWS) {
            size rows = count - first < ROWS ? count - first : ROWS;
            const int16_t *number = run_steps(from, to, ranks + first * p->used, w, level);
            for (size i = 0; i < rows; i++) out[first + i] += (double)leaf[number[i]];
        }
    }
}

static int add_group(const float *X, size n, size d, forest f, workspace *w, double *out, int level) {
    program p;
    int16_t *ranks = NULL;
    int status = open_program(&p, f, d);
    if (status == 0) {
        size batch = BATCH_BYTES / (2 * (p.used + 1)) / ROWS * ROWS;
        if (batch < ROWS) batch = ROWS;
        if (batch > 2048) batch = 2048;
        ranks = aligned_block((size_t)(batch * (p.used + 1)) * sizeof(int16_t));
        status = ranks ? 0 : -1;
        for (size first = 0; status == 0 && first < n; first += batch) {
            size count = n - first < batch ? n - first : batch;
            rank_rows(&p, X + first * d, count, d, ranks);
            add_trees(&p, f.trees, count, ranks, w, out + first, level);
        }
    }
    aligned_free(ranks);
    close_program(&p);
    return status;
}

int forest_sum_every_node(const float *X, size n, size d, forest f, double *out, int level) {
    workspace *w = open_workspace(f.inner + 1, level);
    int status = w ? 0 : -1;
    size together = RANKS / f.inner; /* so many trees cannot have more thresholds in a column than 16 bits can number */
    for (size i = 0; i < n; i++) out[i] = 0.0;
    for (size t = 0; status == 0 && t < f.trees; t += together) {
        forest group = f;
        group.feature += t * f.inner, group.threshold += t * f.inner, group.leaf += t * (f.inner + 1);
        group.trees = f.trees - t < together ? f.trees - t : together;
        status = add_group(X, n, d, group, w, out, level);
    }
    aligned_free(w);
    return status;
}
