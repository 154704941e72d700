// Values of sites at the edges and back, mlff/engine/exchange.py: gathers, a few rows at once so that an index is read once for all.
#include <algorithm>

#include "lanes.h"

extern "C" struct Exchange {  // as in library.py
  int32_t n_threads;
  int64_t n_rows, n_slots, n_sites;
};

namespace {

constexpr int ROWS = 4;

// Calls work(first row, number of rows, first site, lanes in use).
template <class T, class Work> void for_each_block(const Exchange &e, Work work) {
  const int64_t n_groups = (e.n_rows + ROWS - 1) / ROWS, n_vectors = (e.n_sites + WIDTH<T> - 1) / WIDTH<T>;
#pragma omp parallel for collapse(2) schedule(static) num_threads(e.n_threads) if (e.n_threads > 1)
  for (int64_t group = 0; group < n_groups; ++group)
    for (int64_t v = 0; v < n_vectors; ++v)
      work(group * ROWS, std::min<int64_t>(ROWS, e.n_rows - group * ROWS), v * WIDTH<T>,
           static_cast<int>(std::min<int64_t>(WIDTH<T>, e.n_sites - v * WIDTH<T>)));
}

// values (n_rows, n_sites), neighbor (n_slots, n_sites) -> out (n_rows, n_slots, n_sites)
template <class T> void to_edges(const Exchange &e, const T *values, const int64_t *neighbor, T *out) {
  for_each_block<T>(e, [&](int64_t first, int64_t n_rows, int64_t site, int n) {
    for (int64_t s = 0; s < e.n_slots; ++s) {
      const int64_t *index = neighbor + s * e.n_sites + site;
      for (int64_t r = first; r < first + n_rows; ++r) {
        const T *from = values + r * e.n_sites;
        T *to = out + (r * e.n_slots + s) * e.n_sites + site;
        for (int i = 0; i < n; ++i) to[i] = from[index[i]];
      }
    }
  });
}

// values (n_rows, n_slots, n_sites), reverse (n_slots, n_sites) -> out (n_rows, n_sites), the sum over slots
template <class T> void from_edges(const Exchange &e, const T *values, const int64_t *reverse, T *out) {
  for_each_block<T>(e, [&](int64_t first, int64_t n_rows, int64_t site, int n) {
    T sum[ROWS][WIDTH<T>] = {};
    for (int64_t s = 0; s < e.n_slots; ++s) {
      const int64_t *index = reverse + s * e.n_sites + site;
      for (int64_t r = 0; r < n_rows; ++r) {
        const T *from = values + (first + r) * e.n_slots * e.n_sites;
        for (int i = 0; i < n; ++i) sum[r][i] += from[index[i]];
      }
    }
    for (int64_t r = 0; r < n_rows; ++r) std::copy_n(sum[r], n, out + (first + r) * e.n_sites + site);
  });
}

}  // namespace

#define EXPORT(T, NAME)                                                                                            \
  extern "C" void to_edges_##NAME(const Exchange *e, const T *values, const int64_t *neighbor, T *out) {           \
    to_edges<T>(*e, values, neighbor, out);                                                                        \
  }                                                                                                                \
  extern "C" void from_edges_##NAME(const Exchange *e, const T *values, const int64_t *reverse, T *out) {          \
    from_edges<T>(*e, values, reverse, out);                                                                       \
  }
EXPORT(float, float32)
EXPORT(double, float64)
