// Forces and virials of sites from what pulls at their edges: the reaction of each edge is read along its reverse.
#include <algorithm>
#include <cstdint>

extern "C" struct Collect {  // as in collect.py
  int32_t n_threads;
  int64_t n_members, n_slots, n_sites;
};

namespace {

constexpr int64_t TILE = 32;

// forces += Σ (f_ij − f_ji) and virial += Σ r_ij ⊗ f_ij of some sites, f = scale · pull; sums in double
template <class T>
void add(const Collect &c, int64_t first, int64_t n, const T *pull, double scale, const int64_t *reverse, const double *vectors,
         double *forces, double *virial) {
  const int64_t n_edges = c.n_slots * c.n_sites;
  double f[3][TILE] = {}, w[9][TILE] = {};
  for (int64_t slot = 0; slot < c.n_slots; ++slot) {
    const int64_t at = slot * c.n_sites + first;
    double own[3][TILE];
    for (int a = 0; a < 3; ++a)
      for (int64_t k = 0; k < n; ++k) {
        own[a][k] = pull[a * n_edges + at + k];
        f[a][k] += own[a][k] - double(pull[a * n_edges + reverse[at + k]]);
      }
    if (virial == nullptr) continue;
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b)
        for (int64_t k = 0; k < n; ++k) w[3 * a + b][k] += vectors[a * n_edges + at + k] * own[b][k];
  }
  for (int a = 0; a < 3; ++a)
    for (int64_t k = 0; k < n; ++k) forces[a * c.n_sites + first + k] += scale * f[a][k];
  if (virial == nullptr) return;
  for (int a = 0; a < 9; ++a)
    for (int64_t k = 0; k < n; ++k) virial[a * c.n_sites + first + k] += scale * w[a][k];
}

template <class T>
void collect(const Collect &c, const T *pull, const double *scale, const double *common, const int64_t *reverse, const double *vectors,
             double *forces, double *virial) {
  const int64_t n_tiles = (c.n_sites + TILE - 1) / TILE, n_edges = c.n_slots * c.n_sites;
#pragma omp parallel for collapse(2) schedule(static) num_threads(c.n_threads) if (c.n_threads > 1)
  for (int64_t member = 0; member < c.n_members; ++member)
    for (int64_t tile = 0; tile < n_tiles; ++tile) {
      const int64_t first = tile * TILE, n = std::min(TILE, c.n_sites - first);
      double *f = forces + member * 3 * c.n_sites, *w = virial == nullptr ? nullptr : virial + member * 9 * c.n_sites;
      for (int a = 0; a < 3; ++a) std::fill_n(f + a * c.n_sites + first, n, 0.0);
      if (w != nullptr)
        for (int a = 0; a < 9; ++a) std::fill_n(w + a * c.n_sites + first, n, 0.0);
      add<T>(c, first, n, pull + member * 3 * n_edges, scale[member], reverse, vectors, f, w);
      if (common != nullptr) add<double>(c, first, n, common, 1.0, reverse, vectors, f, w);
    }
}

}  // namespace

#define EXPORT(T, NAME)                                                                                                            \
  extern "C" void collect_##NAME(const Collect *c, const T *pull, const double *scale, const double *common, const int64_t *reverse, \
                                 const double *vectors, double *forces, double *virial) {                                          \
    collect<T>(*c, pull, scale, common, reverse, vectors, forces, virial);                                                         \
  }
EXPORT(float, float32)
EXPORT(double, float64)
