// Vectors of edges straight from positions, mlff/nn/slots.py: a site is read as one piece, whichever of its edges asks for it.
// Products are rounded before they are added, as tensors do it: both give the same numbers.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif
#include <algorithm>
#include <cstdint>
#include <vector>

extern "C" struct EdgeVectors {  // as in edge_vectors.py
  int32_t n_threads;
  int64_t n_atoms, n_slots, n_sites;
  double padding;
  const int64_t *site_of_atom, *graph_index, *neighbor;
  const int32_t *shift;
  const bool *filled;
};

namespace {

constexpr int64_t TILE = 32;

template <class T> void edge_vectors(const EdgeVectors &e, const T *positions, const T *cells, T *vectors) {
  const int64_t n_edges = e.n_slots * e.n_sites, n_tiles = (e.n_sites + TILE - 1) / TILE;
  std::vector<T> sites(4 * e.n_sites);
  std::vector<int64_t> graph(e.n_sites);
  for (int64_t atom = 0; atom < e.n_atoms; ++atom) {
    const int64_t site = e.site_of_atom[atom];
    std::copy_n(positions + 3 * atom, 3, sites.data() + 4 * site);
    graph[site] = e.graph_index[atom];
  }
  const T *at_site = sites.data(), padding = static_cast<T>(e.padding);
#pragma omp parallel for schedule(static) num_threads(e.n_threads) if (e.n_threads > 1)
  for (int64_t tile = 0; tile < n_tiles; ++tile) {
    const int64_t first = tile * TILE, n = std::min(TILE, e.n_sites - first);
    T own[3][TILE], cell[9][TILE];
    for (int64_t k = 0; k < n; ++k) {
      for (int c = 0; c < 3; ++c) own[c][k] = at_site[4 * (first + k) + c];
      for (int c = 0; c < 9; ++c) cell[c][k] = cells[9 * graph[first + k] + c];
    }
    for (int64_t slot = 0; slot < e.n_slots; ++slot) {
      const int64_t at = slot * e.n_sites + first;
      const int64_t *neighbor = e.neighbor + at;
      const bool *filled = e.filled + at;
      const int32_t *s0 = e.shift + at, *s1 = s0 + n_edges, *s2 = s1 + n_edges;
      for (int c = 0; c < 3; ++c) {
        const T empty = c == 2 ? padding : T(0);
        T *out = vectors + c * n_edges + at;
        for (int64_t k = 0; k < n; ++k) {
          const T offset = (T(s0[k]) * cell[c][k] + T(s1[k]) * cell[3 + c][k]) + T(s2[k]) * cell[6 + c][k];
          const T r = (at_site[4 * neighbor[k] + c] - own[c][k]) + offset;
          out[k] = filled[k] ? r : empty;
        }
      }
    }
  }
}

}  // namespace

#define EXPORT(T, NAME)                                                                                                    \
  extern "C" void edge_vectors_##NAME(const EdgeVectors *e, const T *positions, const T *cells, T *vectors) {              \
    edge_vectors<T>(*e, positions, cells, vectors);                                                                        \
  }
EXPORT(float, float32)
EXPORT(double, float64)
