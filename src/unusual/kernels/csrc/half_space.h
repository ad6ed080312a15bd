/* Half-space trees: module.c's table gets the binding, half_space.c has the loop too, since it is one. */
#ifndef UNUSUAL_HALF_SPACE_H
#define UNUSUAL_HALF_SPACE_H

PyObject *walk_half_spaces(PyObject *self, PyObject *args);

#define HALF_SPACE_METHODS                          \
    {"half_space", walk_half_spaces, METH_VARARGS, \
     "X, column, cut, mass, latest, out, (d, trees, depth), few, keep"}
#endif
