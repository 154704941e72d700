// A tapered screened Coulomb repulsion of pairs and its derivative along each edge, mlff/model/repulsion.py. Few pairs are that close:
// they are found a row of sites at a time, and computed one by one.
#include <algorithm>
#include <vector>

#include "pairs.h"

namespace {

struct Row {  // some sites of one species
  int64_t species, site, n;
};

template <class T> void repulsion(const Pairs &p, const T *vectors, T *energies, T *pull) {
  constexpr int64_t MOST = 128;
  std::vector<Row> rows;
  for (int64_t species = 0, first = 0; species < p.n_species; first += p.sites_per_species[species++])
    for (int64_t site = 0; site < p.sites_per_species[species]; site += MOST)
      rows.push_back({species, first + site, std::min(MOST, p.sites_per_species[species] - site)});
  const int64_t n_edges = p.n_slots * p.n_sites;
#pragma omp parallel for schedule(dynamic) num_threads(p.n_threads) if (p.n_threads > 1)
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    std::fill_n(energies + row.site, row.n, T(0));
    int64_t slot = 0;
    for (int64_t other = 0; other < p.n_species; ++other) {
      const int64_t pair = row.species * p.n_species + other;
      const T range = p.range[pair];
      for (int64_t j = 0; j < p.slots_per_species[other]; ++j, ++slot) {
        const int64_t at = slot * p.n_sites + row.site;
        const T *x = vectors + at, *y = x + n_edges, *z = y + n_edges;
        for (int a = 0; a < 3; ++a) std::fill_n(pull + a * n_edges + at, row.n, T(0));
        T square[MOST];
        int n_near = 0;
        for (int64_t k = 0; k < row.n; ++k) {
          square[k] = x[k] * x[k] + y[k] * y[k] + z[k] * z[k];
          n_near += !(square[k] >= range * range);  // NaN counts, so that it is never skipped
        }
        if (n_near == 0) continue;
        for (int64_t k = 0; k < row.n; ++k) {
          if (square[k] >= range * range) continue;
          const Repelled<T> found(p, pair, std::sqrt(square[k]));
          energies[row.site + k] += found.energy;
          for (int a = 0; a < 3; ++a) pull[a * n_edges + at + k] = found.along * vectors[a * n_edges + at + k];
        }
      }
    }
  }
}

}  // namespace

#define EXPORT(T, NAME) \
  extern "C" void repulsion_##NAME(const Pairs *p, const T *vectors, T *energies, T *pull) { repulsion<T>(*p, vectors, energies, pull); }
EXPORT(float, float32)
EXPORT(double, float64)
