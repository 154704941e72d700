// `lean` of a stack, mlff/model/lean.py: energies, forces and virials of all members in one pass over the tiles.
#include <memory>

#include "evaluation.h"

namespace {

template <class T, class C> struct Lean {
  const Evaluation &v;
  TileEdges<T> edges;
  Shells<T> A, of_bins;
  std::vector<Shells<T>> G;
  MemberNetwork<T, C> near;
  Scratch<T> features, rows, of_rows;
  const T *const all_rows[1];
  TileReadout<T> readout;
  Repulsion repulsion;

  Lean(const Evaluation &v, int thread)
      : v(v), edges(v, thread), A(*v.edges, v.n_bins ? v.n_bins : v.edges->n_species), of_bins(*v.edges, v.n_bins),
        near(*v.near, v.near_weights, A.of_l, true), features(near.n_saved() * VECTORS), rows(near.n_rows() * VECTORS),
        of_rows(rows.size()), all_rows{numbers<T>(rows)}, readout(v, all_rows) {
    for (int64_t member = 0; member < v.n_members; ++member) G.emplace_back(*v.edges, v.edges->n_species);
  }

  void work(const Tile &tile) {
    for (int k = 0; k < tile.n_vectors; ++k) {
      edges.fill(tile, k, false);
      edges.densities(k, A);
    }
    edges.to_bins(A);
    for (int64_t member = 0; member < v.n_members; ++member) of_member(tile, member);
    for (int k = 0; k < tile.n_vectors; ++k) {
      edges.fill(tile, k, true);
      edges.repulsion(tile, k, repulsion);
      for (int64_t member = 0; member < v.n_members; ++member) edges.pull(tile, k, member, G[member], 0, {}, {});
    }
  }

  void merge(const Tile &tile) { edges.merge(tile, v.repulsion ? &repulsion : nullptr); }

private:
  void of_member(const Tile &tile, int64_t member) {
    Network<T, C, 1> &network = near.of(member, features.data());
    T *const out[] = {numbers<T>(rows)}, *const of_out[] = {numbers<T>(of_rows)};
    const T *const into[] = {numbers<T>(of_rows)};
    network.forward(alone(tile), out);
    readout(tile, member, of_out);
    network.backward(alone(tile), into, {near.p, v.n_bins ? of_bins.of_l : G[member].of_l}, nullptr);
    if (v.n_bins) edges.from_bins(of_bins, G[member]);
  }
};

template <class T, class C> void evaluate(const Evaluation &v) {
  const auto todo = tiles<T>(v);
  std::atomic<int> threads = 0;
  const int n_threads = v.edges->n_threads;
  start(v);
#pragma omp parallel num_threads(n_threads) if (n_threads > 1)
  {
    const auto own = std::make_unique<Lean<T, C>>(v, threads++);
    for_each_in_order(todo, [&](const Tile &tile) { own->work(tile); }, [&](const Tile &tile) { own->merge(tile); });
  }
  finish(v);
}

}  // namespace

#define EXPORT(T, NAME)                                                        \
  extern "C" void evaluate_lean_##NAME(const Evaluation *v) {                  \
    with_coupling(v->near->l_max, [&](auto c) { evaluate<T, decltype(c)>(*v); }); \
  }
EXPORT(float, float32)
EXPORT(double, float64)
