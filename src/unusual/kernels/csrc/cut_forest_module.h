/* The binding of cut_forest_module.c, for the table in module.c. */
#ifndef UNUSUAL_CUT_FOREST_MODULE_H
#define UNUSUAL_CUT_FOREST_MODULE_H

PyObject *displace_points(PyObject *self, PyObject *args);

#define CUT_FOREST_METHODS                    \
    {"cut_forest", displace_points, METH_VARARGS, \
     "X, (links, cut, box, leaves, spare, root), seeds, out, (points, d, trees), count, keep"}
#endif
