// Vectors of edges straight from positions, mlff/nn/slots.py: a site is read as one piece, whichever of its edges asks for it.
// Products are rounded before they are added, as tensors do it: both give the same numbers.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif
#include <algorithm>
#include <vector>

#include "interface.h"

namespace {

constexpr int64_t TILE = 128;

template <class T> void edge_vectors(const EdgeVectors &e, const T *positions, const T *cells, T *vectors) {
  const int64_t n_edges = e.n_slots * e.n_sites, n_tiles = (e.n_sites + TILE - 1) / TILE;
  std::vector<T> sites(4 * (e.n_sites + e.n_others));
  std::vector<int64_t> graph(e.n_sites + e.n_others);
  for (int64_t atom = 0; atom < e.n_atoms; ++atom) {
    const int64_t site = e.site_of_atom[atom];
    std::copy_n(positions + 3 * atom, 3, sites.data() + 4 * site);
    graph[site] = e.graph_index[atom];
  }
  const T *at_site = sites.data(), padding = static_cast<T>(e.padding);
#pragma omp parallel for schedule(static) num_threads(e.n_threads) if (e.n_threads > 1)
  for (int64_t tile = 0; tile < n_tiles; ++tile) {
    const int64_t first = tile * TILE, n = std::min(TILE, e.n_sites - first);
    T own[3][TILE] = {}, cell[9][TILE] = {};
    for (int64_t k = 0; k < n; ++k) {
      for (int c = 0; c < 3; ++c) own[c][k] = at_site[4 * (first + k) + c];
      for (int c = 0; c < 9; ++c) cell[c][k] = cells[9 * graph[first + k] + c];
    }
    for (int64_t slot = 0; slot < e.n_slots; ++slot) {
      const int64_t at = slot * e.n_sites + first;
      T other[3][TILE] = {}, whole[3][TILE] = {};
      for (int64_t k = 0; k < n; ++k)
        for (int c = 0; c < 3; ++c) other[c][k] = at_site[4 * e.neighbor[at + k] + c];
      for (int c = 0; c < 3 && e.shift != nullptr; ++c)
        for (int64_t k = 0; k < n; ++k) whole[c][k] = T(e.shift[c * n_edges + at + k]);
      for (int c = 0; c < 3; ++c) {
        const T empty = c == 2 ? padding : T(0);
        T r[TILE];
        for (int64_t k = 0; k < TILE; ++k)  // whole tiles: what lies behind n is not written
          r[k] = (other[c][k] - own[c][k]) + ((whole[0][k] * cell[c][k] + whole[1][k] * cell[3 + c][k]) + whole[2][k] * cell[6 + c][k]);
        for (int64_t k = 0; k < n; ++k) vectors[c * n_edges + at + k] = e.filled[at + k] ? r[k] : empty;
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
