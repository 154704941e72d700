// Edges sorted into padded slots, mlff/nn/slots.py: counted first, so that the slots can be made, and then written a few sites at a time.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

extern "C" struct Arrange {  // as in arrange.py
  int32_t n_threads, n_species;
  int64_t n_isolated, n_atoms, n_sites, n_edges, half;
  int64_t end_stride, edge_stride;  // of edge_index, between the two ends of an edge and between edges
  const int64_t *species, *order, *edge_index;
  const int32_t *shift;
};

namespace {

constexpr int64_t TILE = 64;

struct Edge {  // of one centre, in the order of its slots
  int64_t reverse;
  int32_t neighbor, shift[3];
};

struct Ends {
  int64_t i, j;
};

inline Ends ends(const Arrange &a, const int64_t *site_of_atom, int64_t edge) {
  const int64_t *at = a.edge_index + edge * a.edge_stride;
  return {site_of_atom[at[0]], site_of_atom[at[a.end_stride]]};
}

}  // namespace

// rank: of each edge among those of its centre with neighbours of one species, as they come, where each pair is given once its reverse
// right after it; the reverses' ranks follow those of the edges
extern "C" void count_slots(const Arrange &a, int64_t *sites_per_species, int64_t *site_species, int64_t *site_of_atom,
                            int32_t *rank, int32_t *counts, int64_t *slots) {
  std::fill_n(sites_per_species, a.n_species, a.n_isolated);
  for (int64_t atom = 0; atom < a.n_atoms; ++atom) ++sites_per_species[a.species[atom]];
  std::vector<int64_t> next(a.n_species);
  for (int64_t s = 0, first = 0; s < a.n_species; first += sites_per_species[s++]) {
    next[s] = first;
    std::fill_n(site_species + first, sites_per_species[s], s);
  }
  for (int64_t k = 0; k < a.n_atoms; ++k) {
    const int64_t atom = a.order == nullptr ? k : a.order[k];
    site_of_atom[atom] = next[a.species[atom]]++;
  }
  std::fill_n(counts, a.n_sites * a.n_species, 0);
  for (int64_t e = 0; e < a.n_edges; ++e) {
    const Ends at = ends(a, site_of_atom, e);
    rank[e] = counts[at.i * a.n_species + site_species[at.j]]++;
    if (a.half) rank[a.n_edges + e] = counts[at.j * a.n_species + site_species[at.i]]++;
  }
  std::fill_n(slots, a.n_species, 0);
  for (int64_t site = 0; site < a.n_sites; ++site)
    for (int64_t s = 0; s < a.n_species; ++s) slots[s] = std::max<int64_t>(slots[s], counts[site * a.n_species + s]);
}

extern "C" void fill_slots(const Arrange &a, const int64_t *site_species, const int64_t *site_of_atom, const int32_t *rank,
                           const int32_t *counts, const int64_t *slots, int64_t *neighbor, int32_t *shift, bool *filled,
                           int64_t *reverse) {
  const int64_t n_lists = a.n_sites * a.n_species;
  std::unique_ptr<int64_t[]> start(new int64_t[n_lists]);
  int64_t n_all = 0, n_slots = 0;
  for (int64_t list = 0; list < n_lists; n_all += counts[list++]) start[list] = n_all;
  std::vector<int64_t> first(a.n_species);
  for (int64_t s = 0; s < a.n_species; n_slots += slots[s++]) first[s] = n_slots;
  // one line of memory per edge; the slots would be one for each array
  std::unique_ptr<Edge[]> edges(new Edge[n_all]);
#pragma omp parallel num_threads(a.n_threads) if (a.n_threads > 1)
  {
#pragma omp for schedule(static)
    for (int64_t e = 0; e < a.n_edges; ++e) {
      const auto [i, j] = ends(a, site_of_atom, e);
      const int32_t *s = a.shift + 3 * e, one = static_cast<int32_t>(i), other = static_cast<int32_t>(j);
      const int64_t to = site_species[j], from = site_species[i];
      Edge &edge = edges[start[i * a.n_species + to] + rank[e]];
      edge = {0, other, {s[0], s[1], s[2]}};
      if (!a.half) continue;
      const int64_t back = rank[a.n_edges + e];
      edge.reverse = (first[from] + back) * a.n_sites + j;
      edges[start[j * a.n_species + from] + back] = {(first[to] + rank[e]) * a.n_sites + i, one, {-s[0], -s[1], -s[2]}};
    }
#pragma omp for schedule(static)
    for (int64_t tile = 0; tile < (a.n_sites + TILE - 1) / TILE; ++tile) {
      const int64_t begin = tile * TILE, n = std::min(TILE, a.n_sites - begin);
      Edge empty[TILE];
      for (int64_t k = 0; k < n; ++k) empty[k] = {0, static_cast<int32_t>(begin + k), {0, 0, 0}};
      for (int64_t s = 0; s < a.n_species; ++s) {
        const Edge *list[TILE];
        int64_t count[TILE];
        for (int64_t k = 0; k < n; ++k) {
          list[k] = edges.get() + start[(begin + k) * a.n_species + s];
          count[k] = counts[(begin + k) * a.n_species + s];
        }
        for (int64_t r = 0; r < slots[s]; ++r) {
          const int64_t at = (first[s] + r) * a.n_sites + begin;
          for (int64_t k = 0; k < n; ++k) {
            const bool full = r < count[k];
            empty[k].reverse = at + k;
            const Edge &edge = *(full ? list[k] + r : empty + k);  // without a branch that nobody could foresee
            neighbor[at + k] = edge.neighbor;
            for (int64_t c = 0; c < 3; ++c) shift[c * n_slots * a.n_sites + at + k] = edge.shift[c];
            filled[at + k] = full;
            if (a.half) reverse[at + k] = edge.reverse;
          }
        }
      }
    }
  }
}
