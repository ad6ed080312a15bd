/* What module.c does to every array before a loop sees it. Included after Python.h. */
#ifndef UNUSUAL_ARGUMENTS_H
#define UNUSUAL_ARGUMENTS_H
#include "loops.h"

/* Does the buffer hold item-sized values of the shape a x b x c? Divides, so that no product can overflow. */
static inline int holds(const Py_buffer *buffer, Py_ssize_t item, Py_ssize_t a, Py_ssize_t b, Py_ssize_t c) {
    Py_ssize_t factors[4] = {item, a, b, c}, left = buffer->len;
    for (int i = 0; i < 4; i++)
        if (factors[i] < 0) return 0;
    for (int i = 0; i < 4; i++) {
        if (factors[i] == 0) return buffer->len == 0;
        if (left % factors[i]) return 0;
        left /= factors[i];
    }
    return left == 1;
}

static inline Py_ssize_t rows_of(const Py_buffer *buffer, Py_ssize_t item, Py_ssize_t d) {
    if (d <= 0 || item <= 0 || d > PY_SSIZE_T_MAX / item || buffer->len % (d * item)) return -1;
    return buffer->len / (d * item);
}

static inline void release(int count, Py_buffer *buffers) {
    for (int i = 0; i < count; i++) PyBuffer_Release(&buffers[i]);
}

/* status: 0 done, -1 out of memory, 1 the sizes do not fit the arrays. */
static inline PyObject *finish(int status, int count, Py_buffer *buffers) {
    release(count, buffers);
    if (status == 0) Py_RETURN_NONE;
    if (status < 0) return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, "the sizes given do not fit the arrays; call the function of unusual.kernels");
    return NULL;
}

static inline int outside(const int32_t *values, size count, size limit) {
    int32_t low = 0, high = 0;
    for (size i = 0; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    return low < 0 || (count && high >= limit);
}

static inline int outside_long(const int64_t *values, size count, int64_t lowest, int64_t limit) {
    for (size i = 0; i < count; i++)
        if (values[i] < lowest || values[i] >= limit) return 1;
    return 0;
}
#endif
