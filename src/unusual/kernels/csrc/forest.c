/* Scoring rows with isolation trees, small inputs: walk down. Trees one after the other, whatever the rows, so that
   a row's sum has the same bits in every batch. */
#include "loops.h"

enum { BLOCK = 64, MANY_ROWS = 1024, EVERY_NODE_DEPTH = 10 };

int forest_sum(const float *X, size n, size d, forest f, double *out, int level) {
    if (n >= MANY_ROWS && f.depth <= EVERY_NODE_DEPTH) return forest_sum_every_node(X, n, d, f, out, level);
    for (size i = 0; i < n; i++) out[i] = 0.0;
    for (size start = 0; start < n; start += BLOCK) {
        size stop = start + BLOCK < n ? start + BLOCK : n;
        for (size t = 0; t < f.trees; t++) {
            const int32_t *feature = f.feature + t * f.inner;
            const float *threshold = f.threshold + t * f.inner, *leaf = f.leaf + t * (f.inner + 1);
            for (size i = start; i < stop; i++) {
                size node = 0;
                for (size l = 0; l < f.depth; l++) node = 2 * node + 1 + (X[i * d + feature[node]] > threshold[node]);
                out[i] += (double)leaf[node - f.inner];
            }
        }
    }
    return 0;
}
