/* The Python side of windows.c; module.c has the others. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "arguments.h"
#include "windows.h"
#include "windows_module.h"

typedef struct { Py_ssize_t n[2], m, channels, k; } sizes;

static int sensible(const sizes *s) {
    const Py_ssize_t most = PY_SSIZE_T_MAX / 4096;
    return s->n[0] > 0 && s->n[1] > 0 && s->m > 0 && s->channels > 0 && s->k > 0 && s->n[0] < most && s->n[1] < most &&
           s->m < most / s->channels && s->k < most;
}

/* Lines of `steps` and of n + LAGS for each channel. */
static int series_fits(const Py_buffer *values, const Py_buffer *shapes, const sizes *s, int which, int normalised) {
    Py_ssize_t n = s->n[which];
    return holds(values, 8, s->channels, n + s->m - 1 + LAGS, 1) &&
           (!normalised || holds(shapes, 8, 4, s->channels, n + LAGS));
}

static series series_of(const Py_buffer *values, const Py_buffer *shapes, const double *bonus, const sizes *s,
                        int which) {
    size n = s->n[which], line = s->channels * (n + LAGS);
    const double *at = shapes->buf;
    series made = {n, s->m, s->channels, n + s->m - 1 + LAGS, values->buf, at, NULL, NULL, NULL, bonus};
    if (shapes->len) made.half = at + line, made.gap = at + 2 * line, made.inverse = at + 3 * line;
    return made;
}

/* A side keeps k of each window, or nothing, and then nothing may ever be good enough. */
static int kept_fits(const Py_buffer *b, Py_ssize_t n, Py_ssize_t k) {
    if (!holds(b, 8, n + LAGS, 1, 1)) return 0;
    const double *worst = b->buf;
    for (Py_ssize_t i = b[1].len ? n : 0; i < n + LAGS; i++)
        if (worst[i] < Py_HUGE_VAL) return 0;
    return b[1].len == 0 || (holds(b + 1, 8, n, k, 1) && holds(b + 2, 8, n, k, 1));
}

static int lags_fit(const Py_buffer *lags, Py_ssize_t n) {
    const int64_t *at = lags->buf;
    for (Py_ssize_t g = 0; g < lags->len / 16; g++)
        if (at[2 * g] < 0 || at[2 * g] >= n || at[2 * g + 1] < 1 || at[2 * g + 1] > LAGS) return 0;
    return lags->len % 16 == 0;
}

PyObject *search_windows(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[13]; /* values, shapes, bonus of rows and of lanes; worst, likeness, index of both; lags */
    sizes s;
    int normalised, level, status = 1;
    if (!PyArg_ParseTuple(args, "(y*y*y*)(y*y*y*)(w*w*w*)(w*w*w*)y*(nnnnn)ii", b, b + 1, b + 2, b + 3, b + 4, b + 5,
                          b + 6, b + 7, b + 8, b + 9, b + 10, b + 11, b + 12, &s.n[0], &s.n[1], &s.m, &s.channels,
                          &s.k, &normalised, &level))
        return NULL;
    if (sensible(&s) && series_fits(b, b + 1, &s, 0, normalised) && series_fits(b + 3, b + 4, &s, 1, normalised) &&
        (!normalised || (holds(b + 2, 8, s.n[0] + LAGS, 1, 1) && holds(b + 5, 8, s.n[1] + LAGS, 1, 1))) &&
        kept_fits(b + 6, s.n[0], s.k) && kept_fits(b + 9, s.n[1], s.k) && lags_fit(b + 12, s.n[1])) {
        series row = series_of(b, b + 1, b[2].buf, &s, 0), lane = series_of(b + 3, b + 4, b[5].buf, &s, 1);
        diagonals d = {&row, &lane, {b[6].buf, b[7].buf, b[8].buf, s.k}, {b[9].buf, b[10].buf, b[11].buf, s.k}, 0, 0};
        Py_BEGIN_ALLOW_THREADS
        status = (normalised ? windows_shapes : windows_values)(d, b[12].buf, b[12].len / 16, runnable(level));
        Py_END_ALLOW_THREADS
    }
    return finish(status, 13, b);
}

PyObject *measure_windows(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[6]; /* values, shapes of both; index, distance */
    sizes s;
    int status = 1;
    if (!PyArg_ParseTuple(args, "(y*y*)(y*y*)y*w*(nnnnn)", b, b + 1, b + 2, b + 3, b + 4, b + 5, &s.n[0], &s.n[1],
                          &s.m, &s.channels, &s.k))
        return NULL;
    if (sensible(&s) && series_fits(b, b + 1, &s, 0, 1) && series_fits(b + 2, b + 3, &s, 1, 1) &&
        holds(b + 4, 8, s.n[0], s.k, 1) && holds(b + 5, 8, s.n[0], s.k, 1) &&
        !outside_long(b[4].buf, s.n[0] * s.k, -1, s.n[1])) {
        series row = series_of(b, b + 1, NULL, &s, 0), lane = series_of(b + 2, b + 3, NULL, &s, 1);
        status = 0;
        Py_BEGIN_ALLOW_THREADS
        windows_measure(&row, &lane, b[4].buf, s.k, b[5].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(status, 6, b);
}
