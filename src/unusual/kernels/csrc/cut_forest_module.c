/* The Python side of cut_forest.c; module.c has the others. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

#include "arguments.h"
#include "cut_forest.h"
#include "cut_forest_module.h"

static cut_tree tree_of(const Py_buffer *b, size tree, size points, size d) {
    size nodes = 2 * points + 2;
    cut_tree t = {points,
                  d,
                  (int32_t *)b[0].buf + tree * nodes * 5,
                  (double *)b[1].buf + tree * nodes,
                  (double *)b[2].buf + tree * nodes * 2 * d,
                  (int32_t *)b[3].buf + tree * (points + 1),
                  (int32_t *)b[4].buf + tree * (nodes + 1),
                  (int32_t *)b[5].buf + tree};
    return t;
}

PyObject *displace_points(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[9]; /* X; links, cut, box, leaves, spare, root; seeds; out */
    Py_ssize_t points, d, trees;
    long long count;
    int keep, status = 1;
    if (!PyArg_ParseTuple(args, "y*(w*w*w*w*w*w*)y*w*(nnn)Lp", b, b + 1, b + 2, b + 3, b + 4, b + 5, b + 6, b + 7,
                          b + 8, &points, &d, &trees, &count, &keep))
        return NULL;
    Py_ssize_t n = rows_of(b, 8, d), nodes = 2 * points + 2;
    if (n >= 0 && points > 0 && points <= 8192 && trees > 0 && count >= 0 && d < INT32_MAX &&
        holds(b + 1, 4, trees, nodes, 5) && holds(b + 2, 8, trees, nodes, 1) && holds(b + 3, 8, trees, nodes, 2 * d) &&
        holds(b + 4, 4, trees, points + 1, 1) && holds(b + 5, 4, trees, nodes + 1, 1) && holds(b + 6, 4, trees, 1, 1) &&
        holds(b + 7, 8, trees, 1, 1) && holds(b + 8, 8, n, 1, 1)) {
        int32_t *marks = malloc((size_t)nodes * sizeof(int32_t));
        status = marks ? 0 : -1;
        Py_BEGIN_ALLOW_THREADS
        for (size i = 0; status == 0 && i < trees; i++) {
            cut_tree t = tree_of(b + 1, i, points, d);
            if (!cut_tree_sound(&t, count, marks)) {
                status = 1;
                break;
            }
            uint64_t seed = ((const uint64_t *)b[7].buf)[i];
            if (keep) cut_tree_learn(&t, b[0].buf, n, seed, count, b[8].buf);
            else cut_tree_score(&t, b[0].buf, n, seed, count, b[8].buf);
        }
        Py_END_ALLOW_THREADS
        free(marks);
    }
    return finish(status, 9, b);
}
