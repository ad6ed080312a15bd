/* A vector of doubles for one level. Included after lanes.h, once for each level; defines DOUBLES, vd and load_d,
   spread_d (one value in all lanes), store_d, add_d, sub_d, mul_d and above (bit l: a > b in lane l; never for NaN). */
#undef DOUBLES
#undef vd
#if LEVEL == 2
#define DOUBLES 8
#define vd __m512d
TARGET static inline vd NAME(load_d)(const double *at) { return _mm512_loadu_pd(at); }
TARGET static inline void NAME(store_d)(double *at, vd a) { _mm512_storeu_pd(at, a); }
TARGET static inline vd NAME(spread_d)(double x) { return _mm512_set1_pd(x); }
TARGET static inline vd NAME(add_d)(vd a, vd b) { return _mm512_add_pd(a, b); }
TARGET static inline vd NAME(sub_d)(vd a, vd b) { return _mm512_sub_pd(a, b); }
TARGET static inline vd NAME(mul_d)(vd a, vd b) { return _mm512_mul_pd(a, b); }
TARGET static inline uint64_t NAME(above)(vd a, vd b) { return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ); }
#elif LEVEL == 1
#define DOUBLES 4
#define vd __m256d
TARGET static inline vd NAME(load_d)(const double *at) { return _mm256_loadu_pd(at); }
TARGET static inline void NAME(store_d)(double *at, vd a) { _mm256_storeu_pd(at, a); }
TARGET static inline vd NAME(spread_d)(double x) { return _mm256_set1_pd(x); }
TARGET static inline vd NAME(add_d)(vd a, vd b) { return _mm256_add_pd(a, b); }
TARGET static inline vd NAME(sub_d)(vd a, vd b) { return _mm256_sub_pd(a, b); }
TARGET static inline vd NAME(mul_d)(vd a, vd b) { return _mm256_mul_pd(a, b); }
TARGET static inline uint64_t NAME(above)(vd a, vd b) {
    return (uint64_t)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ));
}
#elif HAS_AVX
#define DOUBLES 2
#define vd __m128d
static inline vd NAME(load_d)(const double *at) { return _mm_loadu_pd(at); }
static inline void NAME(store_d)(double *at, vd a) { _mm_storeu_pd(at, a); }
static inline vd NAME(spread_d)(double x) { return _mm_set1_pd(x); }
static inline vd NAME(add_d)(vd a, vd b) { return _mm_add_pd(a, b); }
static inline vd NAME(sub_d)(vd a, vd b) { return _mm_sub_pd(a, b); }
static inline vd NAME(mul_d)(vd a, vd b) { return _mm_mul_pd(a, b); }
static inline uint64_t NAME(above)(vd a, vd b) { return (uint64_t)_mm_movemask_pd(_mm_cmpgt_pd(a, b)); }
#else
#define DOUBLES 1
#define vd double
static inline vd NAME(load_d)(const double *at) { return *at; }
static inline void NAME(store_d)(double *at, vd a) { *at = a; }
static inline vd NAME(spread_d)(double x) { return x; }
static inline vd NAME(add_d)(vd a, vd b) { return a + b; }
static inline vd NAME(sub_d)(vd a, vd b) { return a - b; }
static inline vd NAME(mul_d)(vd a, vd b) { return a * b; }
static inline uint64_t NAME(above)(vd a, vd b) { return a > b; }
#endif
