/* Rows walk down half-space trees: the mass where each stops is summed, and the nodes it passes may be counted. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "arguments.h"
#include "half_space.h"

typedef struct {
    const int32_t *column, *mass; /* (trees, 2^depth - 1), (trees, 2^(depth + 1) - 1) */
    const double *cut;            /* (trees, 2^depth - 1): at most this goes left */
    int32_t *latest;              /* as mass, or NULL */
    size d, trees, depth;
    double few;
} half_spaces;

/* Mass times 2^level of the first node with at most `few`, or of the last. */
static double walk(const half_spaces *h, size tree, const double *x) {
    size inner = ((size)1 << h->depth) - 1, node = 0;
    const int32_t *column = h->column + tree * inner, *mass = h->mass + tree * (2 * inner + 1);
    int32_t *latest = h->latest ? h->latest + tree * (2 * inner + 1) : NULL;
    const double *cut = h->cut + tree * inner;
    double found = -1, size_of = 1;
    for (size level = 0;; level++, size_of *= 2) {
        if (latest) latest[node]++;
        if (found < 0 && (mass[node] <= h->few || level == h->depth)) found = mass[node] * size_of;
        if (level == h->depth || (found >= 0 && !latest)) return found;
        node = 2 * node + 1 + (x[column[node]] > cut[node]);
    }
}

PyObject *walk_half_spaces(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[6]; /* X, column, cut, mass, latest, out */
    Py_ssize_t d, trees, depth;
    double few;
    int keep, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*w*(nnn)dp", b, b + 1, b + 2, b + 3, b + 4, b + 5, &d, &trees, &depth, &few,
                          &keep))
        return NULL;
    Py_ssize_t n = rows_of(b, 8, d), inner = depth < 1 || depth > 16 ? -1 : ((Py_ssize_t)1 << depth) - 1;
    if (n >= 0 && trees > 0 && inner > 0 && holds(b + 1, 4, trees, inner, 1) && holds(b + 2, 8, trees, inner, 1) &&
        holds(b + 3, 4, trees, 2 * inner + 1, 1) && holds(b + 4, 4, trees, 2 * inner + 1, 1) &&
        holds(b + 5, 8, n, 1, 1) && !outside(b[1].buf, trees * inner, d)) {
        half_spaces h = {b[1].buf, b[3].buf, b[2].buf, keep ? b[4].buf : NULL, d, trees, depth, few};
        const double *X = b[0].buf;
        double *out = b[5].buf;
        status = 0;
        Py_BEGIN_ALLOW_THREADS
        for (size i = 0; i < n; i++)
            for (size t = 0; t < trees; t++) out[i] += walk(&h, t, X + i * d);
        Py_END_ALLOW_THREADS
    }
    return finish(status, 6, b);
}
