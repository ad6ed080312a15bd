/* The bindings of windows_module.c, for the table in module.c. */
#ifndef UNUSUAL_WINDOWS_MODULE_H
#define UNUSUAL_WINDOWS_MODULE_H

PyObject *search_windows(PyObject *self, PyObject *args);
PyObject *measure_windows(PyObject *self, PyObject *args);

#define WINDOWS_METHODS                                                                                        \
    {"windows", search_windows, METH_VARARGS,                                                                  \
     "(values, shapes, bonus) twice, (worst, likeness, index) twice, lags, (n, n, m, channels, k), normalised, " \
     "level"},                                                                                                 \
    {"windows_measure", measure_windows, METH_VARARGS,                                                         \
     "(values, shapes) twice, index, distance, (n, n, m, channels, k)"}
#endif
