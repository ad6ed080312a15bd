/* Robust random cut trees: points are put in and taken out, and each is told how much it displaces.
   Every sum is taken column by column in their order, as the twin does, so that both draw the same cuts. */
#include "cut_forest.h"

#include <string.h>

enum { LEFT, RIGHT, PARENT, BELOW, COLUMN, LINKS };

typedef struct { int32_t column; double at; int apart; } cut;

/* A uniform number of [0, 1) for a level of the way of a point: a hash, so that no state has to be kept. */
static double uniform(uint64_t seed, int64_t count, size level) {
    uint64_t z = seed + (uint64_t)count * 0x9E3779B97F4A7C15u + (uint64_t)level * 0xD1B54A32D192ED03u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static int32_t *node_of(const cut_tree *t, int32_t node) { return t->links + (size)node * LINKS; }
static double *low_of(const cut_tree *t, int32_t node) { return t->box + (size)node * 2 * t->d; }

/* A cut through the box of a node that has been stretched to hold x; `apart` if it parts x from all below. */
static cut drawn(const cut_tree *t, int32_t node, const double *x, double u) {
    const double *low = low_of(t, node), *high = low + t->d;
    double total = 0;
    for (size j = 0; j < t->d; j++) {
        double a = x[j] < low[j] ? x[j] : low[j], b = x[j] > high[j] ? x[j] : high[j];
        total += b - a;
    }
    cut found = {-1, 0, 0};
    double left = u * total;
    for (size j = 0; j < t->d && total > 0; j++) {
        double a = x[j] < low[j] ? x[j] : low[j], b = x[j] > high[j] ? x[j] : high[j];
        if (b > a) { /* rounding may leave a little beyond the last column that varies: it is cut then */
            double at = a + left;
            found.column = (int32_t)j;
            found.at = at >= b ? a : at;
            if (left < b - a) break;
        }
        left -= b - a;
    }
    if (found.column < 0) return found;
    size j = found.column;
    found.apart = (x[j] <= found.at && found.at < low[j]) || (x[j] > found.at && found.at >= high[j]);
    return found;
}

/* Walks x down to where a cut parts it from all below, or to an equal leaf: that node, the cut, and the displacement,
   the largest of what the other side of each node on the way holds over what this side holds, x included. */
static int32_t place(const cut_tree *t, const double *x, uint64_t seed, int64_t count, cut *found, double *score) {
    int32_t node = *t->root;
    double most = 0;
    for (size level = 0;; level++) {
        int32_t *at = node_of(t, node);
        *found = drawn(t, node, x, uniform(seed, count, level));
        if (found->apart) {
            if (at[BELOW] > most) most = at[BELOW];
            break;
        }
        if (at[LEFT] < 0) break;
        int right = x[at[COLUMN]] > t->cut[node];
        int32_t next = at[right ? RIGHT : LEFT], other = at[right ? LEFT : RIGHT];
        double ratio = (double)node_of(t, other)[BELOW] / (double)(node_of(t, next)[BELOW] + 1);
        if (ratio > most) most = ratio;
        node = next;
    }
    *score = most;
    return node;
}

static int32_t taken(cut_tree *t) { return t->spare[--t->spare[2 * t->points + 2]]; }
static void given_back(cut_tree *t, int32_t node) { t->spare[t->spare[2 * t->points + 2]++] = node; }

static int32_t new_leaf(cut_tree *t, const double *x) {
    int32_t leaf = taken(t), *at = node_of(t, leaf);
    at[LEFT] = at[RIGHT] = at[PARENT] = -1, at[BELOW] = 1, at[COLUMN] = 0;
    memcpy(low_of(t, leaf), x, (size_t)t->d * sizeof(double));
    memcpy(low_of(t, leaf) + t->d, x, (size_t)t->d * sizeof(double));
    return leaf;
}

static void replace_child(cut_tree *t, int32_t parent, int32_t old, int32_t now) {
    if (parent < 0) *t->root = now;
    else node_of(t, parent)[node_of(t, parent)[LEFT] == old ? LEFT : RIGHT] = now;
    node_of(t, now)[PARENT] = parent;
}

/* A new node above `node`, with it on one side of the cut and the leaf of x on the other. */
static int32_t parted(cut_tree *t, int32_t node, cut c, const double *x) {
    int32_t leaf = new_leaf(t, x), above = taken(t), *at = node_of(t, above);
    int right = x[c.column] > c.at;
    replace_child(t, node_of(t, node)[PARENT], node, above);
    at[right ? LEFT : RIGHT] = node, at[right ? RIGHT : LEFT] = leaf;
    at[BELOW] = node_of(t, node)[BELOW], at[COLUMN] = c.column; /* x itself is counted on the way up */
    t->cut[above] = c.at;
    memcpy(low_of(t, above), low_of(t, node), 2 * (size_t)t->d * sizeof(double));
    node_of(t, node)[PARENT] = node_of(t, leaf)[PARENT] = above;
    return leaf;
}

static double put_in(cut_tree *t, const double *x, uint64_t seed, int64_t count) {
    int32_t *leaf = t->leaves + count % (t->points + 1);
    double score = 0;
    if (*t->root < 0) {
        *leaf = *t->root = new_leaf(t, x);
        return 0;
    }
    cut c;
    int32_t node = place(t, x, seed, count, &c, &score);
    *leaf = node;
    if (c.apart) *leaf = parted(t, node, c, x);
    else node_of(t, node)[BELOW]++;
    for (int32_t at = node_of(t, *leaf)[PARENT]; at >= 0; at = node_of(t, at)[PARENT]) {
        double *low = low_of(t, at), *high = low + t->d;
        node_of(t, at)[BELOW]++;
        for (size j = 0; j < t->d; j++) {
            low[j] = x[j] < low[j] ? x[j] : low[j];
            high[j] = x[j] > high[j] ? x[j] : high[j];
        }
    }
    return score;
}

/* The box of a node from those of its children; 0 if it stays as it is. */
static int shrunk(cut_tree *t, int32_t node) {
    double *low = low_of(t, node), *a = low_of(t, node_of(t, node)[LEFT]), *b = low_of(t, node_of(t, node)[RIGHT]);
    int changed = 0;
    for (size j = 0; j < 2 * t->d; j++) {
        double now = j < t->d ? (a[j] < b[j] ? a[j] : b[j]) : (a[j] > b[j] ? a[j] : b[j]);
        changed |= now != low[j];
        low[j] = now;
    }
    return changed;
}

static void take_out(cut_tree *t, int32_t leaf) {
    int32_t parent = node_of(t, leaf)[PARENT], up = parent;
    if (node_of(t, leaf)[BELOW] > 1) {
        for (int32_t at = leaf; at >= 0; at = node_of(t, at)[PARENT]) node_of(t, at)[BELOW]--;
        return;
    }
    given_back(t, leaf);
    if (parent < 0) {
        *t->root = -1;
        return;
    }
    up = node_of(t, parent)[PARENT];
    replace_child(t, up, parent, node_of(t, parent)[node_of(t, parent)[LEFT] == leaf ? RIGHT : LEFT]);
    given_back(t, parent);
    for (int changed = 1; up >= 0; up = node_of(t, up)[PARENT]) {
        node_of(t, up)[BELOW]--;
        changed = changed && shrunk(t, up);
    }
}

/* How many points lie below a node whose links hold, else -1; counts each node it meets in `marks`. */
static int64_t below(const cut_tree *t, int32_t node, int32_t parent, size nodes, size depth, int32_t *marks) {
    if (node < 0 || node >= nodes || depth > nodes || marks[node]++) return -1;
    const int32_t *at = node_of(t, node);
    if (at[PARENT] != parent || at[BELOW] < 1 || at[COLUMN] < 0 || at[COLUMN] >= t->d) return -1;
    if (at[LEFT] < 0) return at[RIGHT] < 0 ? at[BELOW] : -1;
    int64_t left = below(t, at[LEFT], node, nodes, depth + 1, marks);
    int64_t right = left < 0 ? -1 : below(t, at[RIGHT], node, nodes, depth + 1, marks);
    return right >= 0 && left + right == at[BELOW] ? at[BELOW] : -1;
}

int cut_tree_sound(const cut_tree *t, int64_t count, int32_t *marks) {
    size nodes = 2 * t->points + 2, used = 0, spare = t->spare[nodes];
    int64_t held = count < t->points ? count : t->points;
    memset(marks, 0, (size_t)nodes * sizeof(int32_t));
    if (held ? below(t, *t->root, -1, nodes, 0, marks) != held : *t->root != -1) return 0;
    for (size i = 0; i < nodes; i++) used += marks[i];
    if (spare != nodes - used) return 0;
    for (size i = 0; i < spare; i++)
        if (t->spare[i] < 0 || t->spare[i] >= nodes || marks[t->spare[i]]++) return 0;
    for (size i = 0; i < spare; i++) marks[t->spare[i]] = 0;
    for (int64_t i = count - held; i < count; i++) { /* each leaf is named by as many points as lie in it */
        int32_t leaf = t->leaves[i % (t->points + 1)];
        if (leaf < 0 || leaf >= nodes || !marks[leaf] || node_of(t, leaf)[LEFT] >= 0) return 0;
        if (marks[leaf]++ > node_of(t, leaf)[BELOW]) return 0;
    }
    return 1;
}

void cut_tree_score(const cut_tree *t, const double *X, size n, uint64_t seed, int64_t count, double *out) {
    cut c;
    double score;
    for (size i = 0; i < n && *t->root >= 0; i++) {
        place(t, X + i * t->d, seed, count, &c, &score);
        out[i] += score;
    }
}

void cut_tree_learn(cut_tree *t, const double *X, size n, uint64_t seed, int64_t count, double *out) {
    for (size i = 0; i < n; i++, count++) {
        out[i] += put_in(t, X + i * t->d, seed, count);
        if (count >= t->points) take_out(t, t->leaves[(count + 1) % (t->points + 1)]);
    }
}
