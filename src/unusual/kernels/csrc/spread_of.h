/* Included by spread.c once for each level: lines of k values, with the compiler's own vectors. */
TARGET static void NAME(sum)(const void *X, size lines, size k, int wide, double *restrict sum, double *restrict low,
                             double *restrict high) {
    if (wide) {
        SUM(double)
    } else {
        SUM(float)
    }
}

TARGET static void NAME(square)(const void *X, size lines, size k, int wide, const double *restrict centre,
                                double *restrict sum) {
    if (wide) {
        SQUARE(double)
    } else {
        SQUARE(float)
    }
}

TARGET static void NAME(cube)(const void *X, size lines, size k, int wide, const double *restrict centre,
                              double *restrict sum) {
    if (wide) {
        CUBE(double)
    } else {
        CUBE(float)
    }
}
