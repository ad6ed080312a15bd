/* Robust random cut trees, for the bindings in cut_forest_module.c. */
#ifndef UNUSUAL_CUT_FOREST_H
#define UNUSUAL_CUT_FOREST_H
#include "loops.h"

/* One tree of at most `points` points of d numbers. Nodes are 0..2 points + 1; a leaf has left = -1. */
typedef struct {
    size points, d;
    int32_t *links;  /* (nodes, 5): left, right, parent, how many points lie below, column of the cut */
    double *cut;     /* (nodes,): at most this goes left */
    double *box;     /* (nodes, 2, d): lowest and highest of the points below */
    int32_t *leaves; /* (points + 1,): leaf of the point that came as number i modulo points + 1 */
    int32_t *spare;  /* (nodes + 1,): free nodes, and last how many */
    int32_t *root;   /* -1 while the tree is empty */
} cut_tree;

/* Whether links, leaves and free nodes form one tree of `held` points: a file of a model may hold anything.
   `marks` are (nodes,) of room. */
int cut_tree_sound(const cut_tree *t, int64_t count, int32_t *marks);
/* Collusive displacement of n points, which are not kept; the draws are those of point number `count`. */
void cut_tree_score(const cut_tree *t, const double *X, size n, uint64_t seed, int64_t count, double *out);
/* The same for points that come one after the other and are kept; the oldest leave. */
void cut_tree_learn(cut_tree *t, const double *X, size n, uint64_t seed, int64_t count, double *out);
#endif
