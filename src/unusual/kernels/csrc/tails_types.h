/* Included by tails.c once for each level: tails_of.h for float32, whose windows fit the vectors of lanes.h, and for
   float64. */
#define VALUE float
#define OF(name) NAME(name##_float)
#define IN_VECTORS HAS_AVX
#include "tails_of.h"
#undef VALUE
#undef OF
#undef IN_VECTORS

#define VALUE double
#define OF(name) NAME(name##_double)
#define IN_VECTORS 0
#include "tails_of.h"
#undef VALUE
#undef OF
#undef IN_VECTORS
