// Sums of one vector of sites over its slots in use, and what leads back from them to its edges; mlff/engine/torch_edges.py says what
// each is.
#pragma once

#include "multiply.h"
#include "pull.h"
#include "sums.h"

// A of the neighbours of one species: sum (n_features)
template <class T> void sum_density(const Basis<T> &basis, int species, Scratch<T> &sum) {
  const Layout &layout = basis.layout;
  const int first = basis.first[species];
  sum.assign(layout.n_features, Vec<T>{});
  sum_slots<T>(basis.e, layout, &basis.n_of_l[species * (L_MAX + 1)], basis.b.data() + first * layout.n_rows,
               basis.Y.data() + first * HARMONICS, sum.data());
}

// A2 of one member: h (n_hop, slots in use), phi (slot, n_features) -> sum (n_hop, n_features)
template <class T> void sum_hop(const Basis<T> &basis, const Scratch<T> &phi, int64_t n_hop, const Scratch<T> &h, Scratch<T> &sum) {
  const int64_t used = basis.n_used(), n_features = basis.layout.n_features;
  sum.assign(n_hop * n_features, Vec<T>{});
  multiply<T>(n_hop, n_features, used, {h.data(), used, 1}, {phi.data(), n_features, 1}, {sum.data(), n_features, 1});
}

// dE/dh of each edge of one member: G2 (n_hop, n_features) -> of_h (n_hop, slots in use)
template <class T> void pull_hop(const Basis<T> &basis, const Scratch<T> &phi, int64_t n_hop, const Scratch<T> &G2, Scratch<T> &of_h) {
  const int64_t used = basis.n_used(), n_features = basis.layout.n_features;
  of_h.assign(n_hop * used, Vec<T>{});
  multiply<T>(n_hop, used, n_features, {G2.data(), n_features, 1}, {phi.data(), 1, n_features}, {of_h.data(), used, 1});
}

// Calls visit(slot among those in use, f) with dE/dr of each edge to the neighbours of one species, from G (n_features) of that species
// and, where n_hop is not 0, h and G2 of one member; of_edge (slot, n_features) is scratch.
template <class T, class Visit>
void pull_edges(const Basis<T> &basis, int species, const Scratch<T> &G, int64_t n_hop, const Scratch<T> &h, const Scratch<T> &G2,
                Scratch<T> &of_edge, Visit visit) {
  const int first = basis.first[species], last = basis.first[species + 1];
  const int64_t n_features = basis.layout.n_features;
  if (n_hop) {
    for (int j = 0; j < last - first; ++j) std::memcpy(&of_edge[j * n_features], G.data(), n_features * sizeof(Vec<T>));
    multiply<T>(last - first, n_features, n_hop, {h.data() + first, 1, basis.n_used()}, {G2.data(), n_features, 1},
                {of_edge.data(), n_features, 1});
  }
  for (int j = first; j < last; ++j) {
    Vec<T> f[3];
    pull_edge(basis, j, n_hop ? &of_edge[(j - first) * n_features] : G.data(), f);
    visit(j, f);
  }
}
