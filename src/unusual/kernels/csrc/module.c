/* The Python side of the loops: arrays come as contiguous buffers, and every length is checked against the sizes. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "arguments.h"
#include "cut_forest_module.h"
#include "half_space.h"
#include "loops.h"
#include "nearest.h"
#include "windows_module.h"

#if HAS_AVX
static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
int widest_level(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return PLAIN;
    return has_avx512() ? AVX512 : AVX2;
}
#else
int widest_level(void) { return PLAIN; }
#endif

int runnable(int level) {
    int widest = widest_level();
    return level < PLAIN ? PLAIN : (level > widest ? widest : level);
}

static PyObject *widest(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    return PyLong_FromLong(widest_level());
}

static PyObject *fit_forest(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[7]; /* X, sample, uniform, path, feature, threshold, leaf */
    Py_ssize_t d, psi, depth;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*w*w*nnn", b, b + 1, b + 2, b + 3, b + 4, b + 5, b + 6, &d, &psi, &depth))
        return NULL;
    int status = 1;
    Py_ssize_t n = rows_of(b, 4, d), trees = rows_of(b + 1, 8, psi);
    Py_ssize_t inner = depth < 1 || depth > 16 ? -1 : ((Py_ssize_t)1 << depth) - 1;
    if (n >= 0 && trees >= 0 && psi < INT32_MAX && d < INT32_MAX && holds(b + 2, 8, trees, inner, 2) &&
        holds(b + 3, 8, psi + 1, 1, 1) && holds(b + 4, 4, trees, inner, 1) && holds(b + 5, 4, trees, inner, 1) &&
        holds(b + 6, 4, trees, inner + 1, 1) && !outside_long(b[1].buf, trees * psi, 0, n)) {
        Py_BEGIN_ALLOW_THREADS
        status = forest_grow(b[0].buf, d, b[1].buf, trees, psi, b[2].buf, b[3].buf, depth, b[4].buf, b[5].buf,
                             b[6].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(status, 7, b);
}

static PyObject *sum_forest(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[5]; /* X, feature, threshold, leaf, out */
    Py_ssize_t d, trees, depth;
    int level, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*nnni", b, b + 1, b + 2, b + 3, b + 4, &d, &trees, &depth, &level))
        return NULL;
    Py_ssize_t n = rows_of(b, 4, d), inner = depth < 1 || depth > 16 ? -1 : ((Py_ssize_t)1 << depth) - 1;
    if (n >= 0 && d < INT32_MAX && holds(b + 1, 4, trees, inner, 1) && holds(b + 2, 4, trees, inner, 1) &&
        holds(b + 3, 4, trees, inner + 1, 1) && holds(b + 4, 8, n, 1, 1) && !outside(b[1].buf, trees * inner, d)) {
        forest f = {b[1].buf, b[2].buf, b[3].buf, trees, depth, inner};
        Py_BEGIN_ALLOW_THREADS
        status = forest_sum(b[0].buf, n, d, f, b[4].buf, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 5, b);
}

static PyObject *count_tails(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4]; /* X, columns, at_most, below */
    Py_ssize_t d, reference, item;
    int level, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*w*w*nnni", b, b + 1, b + 2, b + 3, &d, &reference, &item, &level)) return NULL;
    Py_ssize_t n = rows_of(b, item, d);
    if (n >= 0 && (item == 4 || item == 8) && reference > 0 && holds(b + 1, item, d, reference, 1) &&
        holds(b + 2, 8, n, d, 1) && holds(b + 3, 8, n, d, 1)) {
        tails t = {b[0].buf, b[1].buf, n, d, reference, item == 8};
        Py_BEGIN_ALLOW_THREADS
        status = tails_counts(t, b[2].buf, b[3].buf, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 4, b);
}

static PyObject *score_tails(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4]; /* X, columns, skew, out */
    Py_ssize_t d, reference, item;
    int copod, leave_out, level, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*y*w*nnniii", b, b + 1, b + 2, b + 3, &d, &reference, &item, &copod, &leave_out,
                          &level))
        return NULL;
    Py_ssize_t n = rows_of(b, item, d);
    if (n >= 0 && (item == 4 || item == 8) && (leave_out == 0 || leave_out == 1) && reference > leave_out &&
        holds(b + 1, item, d, reference, 1) && holds(b + 2, 8, d, 1, 1) && holds(b + 3, 8, n, 1, 1)) {
        tails t = {b[0].buf, b[1].buf, n, d, reference, item == 8};
        Py_BEGIN_ALLOW_THREADS
        status = tails_score(t, b[2].buf, b[3].buf, copod, leave_out, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 4, b);
}

static PyObject *sort_floats(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[2]; /* X, columns */
    Py_ssize_t d, first, count;
    if (!PyArg_ParseTuple(args, "y*w*nnn", b, b + 1, &d, &first, &count)) return NULL;
    int status = 1;
    Py_ssize_t n = rows_of(b, 4, d);
    if (n >= 0 && (uint64_t)n < UINT32_MAX && first >= 0 && count >= 0 && count <= d && first <= d - count &&
        holds(b + 1, 4, count, n, 1)) {
        Py_BEGIN_ALLOW_THREADS
        status = columns_sort(b[0].buf, n, d, first, count, b[1].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(status, 2, b);
}

static PyObject *sum_cubes(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[3]; /* X, centre, out */
    Py_ssize_t d, item, side, lines;
    int level, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*w*nnnni", b, b + 1, b + 2, &d, &item, &side, &lines, &level)) return NULL;
    Py_ssize_t n = rows_of(b, item, d);
    if (n > 0 && (item == 4 || item == 8) && side > 0 && side < INT32_MAX && lines > 0 && lines < INT32_MAX &&
        holds(b + 1, 8, d, 1, 1) && holds(b + 2, 8, d, 2, 1)) {
        Py_BEGIN_ALLOW_THREADS
        status = column_cubes(b[0].buf, n, d, item == 8, side, lines, b[1].buf, b[2].buf, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 3, b);
}

static PyObject *spread_columns(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[2]; /* X, out */
    Py_ssize_t d, item, side, lines;
    int level, status = 1;
    if (!PyArg_ParseTuple(args, "y*w*nnnni", b, b + 1, &d, &item, &side, &lines, &level)) return NULL;
    Py_ssize_t n = rows_of(b, item, d);
    if (n > 0 && (item == 4 || item == 8) && side > 0 && side < INT32_MAX && lines > 0 && lines < INT32_MAX &&
        holds(b + 1, 8, d, 4, 1)) {
        Py_BEGIN_ALLOW_THREADS
        status = column_spread(b[0].buf, n, d, item == 8, side, lines, b[1].buf, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 2, b);
}

/* Cells of d columns with bins + 2 each are numbered in 32 bits, by vectors that convert to nothing wider. */
static int fits_table(Py_ssize_t d, Py_ssize_t bins) { return bins < INT32_MAX - 2 && d < INT32_MAX / (bins + 2); }

static PyObject *fit_histogram(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4]; /* X, low, scale, counts */
    Py_ssize_t d, bins, item;
    int level, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*y*w*nnni", b, b + 1, b + 2, b + 3, &d, &bins, &item, &level)) return NULL;
    Py_ssize_t n = rows_of(b, item, d);
    if (n >= 0 && (item == 4 || item == 8) && bins > 0 && fits_table(d, bins) && holds(b + 1, 8, d, 1, 1) &&
        holds(b + 2, 8, d, 1, 1) && holds(b + 3, 8, d, bins + 2, 1)) {
        Py_BEGIN_ALLOW_THREADS
        status = histogram_fit(b[0].buf, n, d, item == 8, b[1].buf, b[2].buf, bins, b[3].buf, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 4, b);
}

static PyObject *score_histogram(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[5]; /* X, low, scale, table, out */
    Py_ssize_t d, bins, item;
    int level, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*nnni", b, b + 1, b + 2, b + 3, b + 4, &d, &bins, &item, &level)) return NULL;
    Py_ssize_t n = rows_of(b, item, d);
    if (n >= 0 && (item == 4 || item == 8) && bins > 0 && fits_table(d, bins) && holds(b + 1, 8, d, 1, 1) &&
        holds(b + 2, 8, d, 1, 1) && holds(b + 3, 8, d, bins + 2, 1) && holds(b + 4, 8, n, 1, 1)) {
        Py_BEGIN_ALLOW_THREADS
        status = histogram_score(b[0].buf, n, d, item == 8, b[1].buf, b[2].buf, bins, b[3].buf, b[4].buf,
                                 runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 5, b);
}

static PyObject *sum_balls(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[6]; /* X, centres, radius2, value, order, out */
    Py_ssize_t d, sets, psi;
    int level, status = 1;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*w*nnni", b, b + 1, b + 2, b + 3, b + 4, b + 5, &d, &sets, &psi, &level))
        return NULL;
    Py_ssize_t n = rows_of(b, 4, d);
    if (n >= 0 && sets > 0 && psi > 0 && holds(b + 1, 4, sets, psi, d) && holds(b + 2, 4, sets, psi, 1) &&
        holds(b + 3, 8, sets, psi, 1) && holds(b + 4, 8, sets, psi, 1) && holds(b + 5, 8, n, 1, 1) &&
        !outside_long(b[4].buf, sets * psi, 0, psi)) {
        Py_BEGIN_ALLOW_THREADS
        status = balls_sum(b[0].buf, n, d, b[1].buf, b[2].buf, b[3].buf, b[4].buf, sets, psi, b[5].buf,
                           runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 6, b);
}

static PyObject *order_places(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[2]; /* moved rows, order */
    Py_ssize_t d, unit, fine;
    if (!PyArg_ParseTuple(args, "y*w*nnn", b, b + 1, &d, &unit, &fine)) return NULL;
    int status = 1;
    Py_ssize_t n = rows_of(b, 4, d);
    if (n >= 0 && n < INT32_MAX && unit > 0 && fine > 0 && holds(b + 1, 8, n, 1, 1)) {
        Py_BEGIN_ALLOW_THREADS
        status = place_order(b[0].buf, n, d, unit, fine, b[1].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(status, 2, b);
}

static int haystack_fits(const Py_buffer *b, const haystack *h, int boxed) {
    return h->n > 0 && h->d > 0 && holds(b, 4, h->tiles_count, h->d + 1, TILE) &&
           holds(b + 1, 8, h->tiles_count, TILE, 1) && (!boxed || holds(b + 2, 4, 2, h->d, h->bundles)) &&
           holds(b + 3, 8, h->bundles, 1, 1) && h->bundles >= (h->tiles_count + BUNDLE - 1) / BUNDLE &&
           holds(b + 4, h->wide ? 8 : 4, h->n, h->d, 1) &&
           !outside_long(b[1].buf, h->tiles_count * TILE, -1, h->n);
}

static int questions_fit(const Py_buffer *b, const questions *q, size d) {
    return q->k > 0 && q->m >= 0 && holds(b, 4, q->m, d, 1) && holds(b + 1, q->wide ? 8 : 4, q->m, d, 1) &&
           holds(b + 2, 8, q->asked, 1, 1) && holds(b + 3, 8, q->m, 1, 1) && holds(b + 4, 8, q->m, q->k, 1) &&
           holds(b + 5, 8, q->m, q->k, 1) && !outside_long(b[2].buf, q->asked, 0, q->m);
}

static PyObject *search_nearest(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[11]; /* tiles, row, box, norm, rows; moved queries, queries, which, without, distance, index */
    Py_ssize_t n, d, tiles_count, bundles, k;
    double scale2, slack;
    int boxed, wide, query_wide, level, status = 1;
    if (!PyArg_ParseTuple(args, "(y*y*y*y*y*)y*y*y*y*w*w*(nnnnddii)nii", b, b + 1, b + 2, b + 3, b + 4, b + 5, b + 6,
                          b + 7, b + 8, b + 9, b + 10, &n, &d, &tiles_count, &bundles, &scale2, &slack, &boxed, &wide,
                          &k, &query_wide, &level))
        return NULL;
    haystack h = {b[0].buf, b[1].buf, boxed ? b[2].buf : NULL, b[3].buf, b[4].buf, n, d, tiles_count, bundles, scale2,
                  slack, wide};
    questions q = {b[5].buf, b[6].buf, b[8].buf, b[7].buf, rows_of(b + 5, 4, d), b[7].len / 8, k, query_wide,
                   b[9].buf, b[10].buf};
    if (haystack_fits(b, &h, boxed) && questions_fit(b + 5, &q, d)) {
        Py_BEGIN_ALLOW_THREADS
        status = nearest_rows(&h, &q, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 11, b);
}

static PyMethodDef methods[] = {
    {"widest", widest, METH_NOARGS, "Number of the widest level this processor has."},
    {"forest_fit", fit_forest, METH_VARARGS, "X, sample, uniform, path, feature, threshold, leaf, d, psi, depth"},
    {"forest_sum", sum_forest, METH_VARARGS, "X, feature, threshold, leaf, out, d, trees, depth, level"},
    {"tails_counts", count_tails, METH_VARARGS, "X, columns, at_most, below, d, reference, item, level"},
    {"tails_score", score_tails, METH_VARARGS, "X, columns, skew, out, d, reference, item, copod, leave_out, level"},
    {"columns_sort", sort_floats, METH_VARARGS, "X, columns, d, first, count"},
    {"column_cubes", sum_cubes, METH_VARARGS, "X, centre, out, d, item, side, lines, level"},
    {"column_spread", spread_columns, METH_VARARGS, "X, out, d, item, side, lines, level"},
    {"histogram_fit", fit_histogram, METH_VARARGS, "X, low, scale, counts, d, bins, item, level"},
    {"histogram_score", score_histogram, METH_VARARGS, "X, low, scale, table, out, d, bins, item, level"},
    {"balls_sum", sum_balls, METH_VARARGS, "X, centres, radius2, value, order, out, d, sets, psi, level"},
    {"place_order", order_places, METH_VARARGS, "rows, order, d, unit, fine"},
    {"nearest", search_nearest, METH_VARARGS,
     "(tiles, row, box, norm, rows), moved, queries, which, without, distance, index, "
     "(n, d, tiles, bundles, scale2, slack, boxed, wide), k, wide, level"},
    WINDOWS_METHODS,
    CUT_FOREST_METHODS,
    HALF_SPACE_METHODS,
    {NULL, NULL, 0, NULL},
};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_loops", "The compiled loops behind unusual.kernels.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__loops(void) { return PyModuleDef_Init(&definition); }
