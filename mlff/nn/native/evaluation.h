// Everything that an evaluation without a graph of the weights needs, tile after tile, so that nothing but what atoms exchange leaves a
// tile: what the passes of evaluate_lean.cpp and evaluate_lean2.cpp share.
#pragma once

#include <atomic>
#include <numeric>

#include "block_network.h"
#include "edge_tiles.h"
#include "interface.h"
#include "pairs.h"
#include "perceptron.h"
#include "scattered.h"

namespace {

template <class T> constexpr int STRIDE = VECTORS *WIDTH<T>;  // between two rows of a tile's own arrays

inline Block of_tile(Block p, int64_t n_sites) { return p.n_members = 1, p.n_sites = n_sites, p; }
inline Mlp of_tile(Mlp p, int64_t n_sites) { return p.n_members = 1, p.n_sites = n_sites, p; }
inline Edges of_tile(Edges e, int64_t n_sites) { return e.n_sites = n_sites, e; }

inline int64_t n_neighbors(const Evaluation &v) { return v.edges->n_sites + v.n_others; }

template <class T> T *numbers(Scratch<T> &rows) { return reinterpret_cast<T *>(rows.data()); }

// Where a network finds a tile in arrays of its own.
inline Tile alone(const Tile &tile) { return {0, tile.species, 0, 0, tile.n_sites, tile.n_vectors}; }

// A tile's (n_channels * K_l, 2l+1) rows of each l.
template <class T> struct Shells {
  Scratch<T> all;
  T *of_l[L_MAX + 1];

  Shells(const Edges &e, int64_t n_channels) : all(n_channels * Layout(e).n_features * VECTORS) {
    const Layout layout(e);
    for (int l = 0; l <= e.l_max; ++l) of_l[l] = reinterpret_cast<T *>(all.data() + n_channels * layout.feature_of_l[l] * VECTORS);
  }
  Shells(const Shells &) = delete;
  Shells(Shells &&) = default;
};

// The repulsion's part of one tile.
struct Repulsion {
  double energy[64], pull[3][64], virial[9][64];
};

// The edges of a tile, with what is pulled along them.
template <class T> struct TileEdges {
  const Evaluation &v;
  const Edges &e;
  const Edges own;
  Basis<T> basis;
  Scratch<T> phi;             // (slots in use, n_features), with hop
  Shells<T> of_species;       // where there are bins
  Scattered<T> pushed;        // -dE/dr of the far end of each edge, and dE/dr of the near one: (n_members, 3) of each site
  Scratch<T> virial;          // (VECTORS, n_members, 9)
  Scratch<T> sum, G, of_edge;

  TileEdges(const Evaluation &v, int thread)
      : v(v), e(*v.edges), own(of_tile(e, STRIDE<T>)), basis(e, true, v.repulsion ? reach(*v.repulsion) : 0),
        phi(v.n_hop ? e.n_slots * basis.layout.n_features : 0), of_species(e, v.n_bins ? e.n_species : 0),
        pushed(v.pushed, v.touched, thread, n_neighbors(v), 3 * v.n_members), virial(VECTORS * v.n_members * 9), G(basis.layout.n_features),
        of_edge(phi.size()) {}

  void fill(const Tile &tile, int vector, bool derivatives) {
    basis.derivatives = derivatives;
    basis.fill(static_cast<const double *>(e.vectors), tile.site + vector * WIDTH<T>, lanes<T>(tile, vector));
  }

  // phi of the slots in use
  void features() { basis.features(phi.data()); }

  // Of the vector that was filled.
  void densities(int vector, Shells<T> &A) {
    Shells<T> &to = v.n_bins ? of_species : A;
    for (int s = 0; s < e.n_species; ++s) {
      sum_density(basis, s, sum);
      Rows<T>{own, basis.layout, to.of_l}.write(s, vector * WIDTH<T>, WIDTH<T>, sum.data());
    }
  }

  // of_species -> A, where there are bins
  void to_bins(Shells<T> &A) {
    if (v.n_bins == 0) return;
    std::fill(A.all.begin(), A.all.end(), Vec<T>{});
    for_each_l([&](int l, int columns) { apply<T>(bins(), v.n_bins, e.n_species, columns, rows(of_species, l), rows(A, l)); });
  }

  // Gradients of bins -> G, those of species.
  void from_bins(const Shells<T> &of_bins, Shells<T> &G) const {
    std::fill(G.all.begin(), G.all.end(), Vec<T>{});
    for_each_l([&](int l, int columns) { apply_transposed<T>(bins(), v.n_bins, e.n_species, columns, rows(of_bins, l), rows(G, l)); });
  }

  // Of the vector that was filled with derivatives; `gradients` of species, h and G2 as in pull_edges.
  void pull(const Tile &tile, int vector, int64_t member, const Shells<T> &gradients, int64_t n_hop, const Scratch<T> &h, const Scratch<T> &G2) {
    const int64_t site = tile.site + vector * WIDTH<T>;
    const int n = lanes<T>(tile, vector);
    Vec<T> here[3] = {}, w[9] = {};
    for (int s = 0; s < e.n_species; ++s) {
      Rows<T>{own, basis.layout, gradients.of_l}.read(s, vector * WIDTH<T>, WIDTH<T>, G.data());
      pull_edges(basis, s, G, n_hop, h, G2, of_edge, [&](int j, const Vec<T> *f) {
        const Vec<T> *u = &basis.direction[j * 4];
        for (int a = 0; a < 3; ++a) here[a] += f[a];
        for (int a = 0; a < 3; ++a)
          for (int b = 0; b < 3; ++b) w[3 * a + b] += basis.r[j] * u[a] * f[b];
        const int64_t *to = v.neighbor + basis.slot[j] * e.n_sites + site;
        if (member == 0) pushed.touch(to, n);
        pushed.add(to, n, 3 * member, std::integral_constant<int, 3>(), f, 1, -1);
      });
    }
    int64_t sites[WIDTH<T>];
    std::iota(sites, sites + WIDTH<T>, site);
    if (member == 0) pushed.touch(sites, n);
    pushed.add(sites, n, 3 * member, std::integral_constant<int, 3>(), here, 1);
    std::copy_n(w, 9, &virial[(vector * v.n_members + member) * 9]);
  }

  // Adds what the vector's sites repel of their neighbours; each edge is its own reverse's mirror image.
  void repel(const Tile &tile, int vector, Repulsion &to) const {
    const Pairs &p = *v.repulsion;
    const int64_t site = tile.site + vector * WIDTH<T>, n_edges = e.n_slots * e.n_sites;
    for (int s = 0; s < e.n_species; ++s) {
      const int64_t pair = tile.species * p.n_species + s;
      const double range = p.range[pair];
      for (int j = basis.first[s]; j < basis.first[s + 1]; ++j) {
        if (!any_below<T>(basis.r[j], static_cast<T>(range * (1 + 1e-5)))) continue;
        for (int lane = 0; lane < lanes<T>(tile, vector); ++lane) {
          const double *at = static_cast<const double *>(e.vectors) + basis.slot[j] * e.n_sites + site + lane;
          const double x[3] = {at[0], at[n_edges], at[2 * n_edges]}, square = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
          if (square >= range * range) continue;
          const Repelled<double> found(p, pair, std::sqrt(square));
          const int k = vector * WIDTH<T> + lane;
          to.energy[k] += found.energy;
          for (int a = 0; a < 3; ++a) to.pull[a][k] += 2 * found.along * x[a];
          for (int a = 0; a < 9; ++a) to.virial[a][k] += found.along * x[a / 3] * x[a % 3];
        }
      }
    }
  }

  // The repulsion of a tile whose vectors are being filled with derivatives.
  void repulsion(const Tile &tile, int vector, Repulsion &of_tile) const {
    if (v.repulsion == nullptr) return;
    if (vector == 0) of_tile = {};
    repel(tile, vector, of_tile);
    if (vector + 1 < tile.n_vectors) return;
    for (int k = 0; k < tile.n_sites; ++k) {
      v.repelled[tile.site + k] = of_tile.energy[k];
      for (int a = 0; a < 3; ++a) v.repulsive_pull[3 * (tile.site + k) + a] = of_tile.pull[a][k];
    }
  }

  // What leaves the tile, and has to be added up tile by tile, in the same order whatever the number of threads.
  void merge(const Tile &tile, const Repulsion *repulsion) {
    pushed.merge(v.pull);
    if (v.virials == nullptr) return;
    for (int64_t member = 0; member < v.n_members; ++member)
      for (int k = 0; k < tile.n_sites; ++k) {
        double *to = v.virials + (member * v.n_graphs + v.graph_of_site[tile.site + k]) * 9;
        const Vec<T> *from = &virial[(k / WIDTH<T> * v.n_members + member) * 9];
        for (int a = 0; a < 9; ++a) to[a] += v.scale[member] * double(from[a][k % WIDTH<T>]);
        if (repulsion == nullptr) continue;
        for (int a = 0; a < 9; ++a) to[a] += repulsion->virial[a][k];
      }
  }

private:
  static double reach(const Pairs &p) { return *std::max_element(p.range, p.range + p.n_species * p.n_species); }
  const T *bins() const { return static_cast<const T *>(v.bins); }
  static Vec<T> *rows(const Shells<T> &shells, int l) { return reinterpret_cast<Vec<T> *>(shells.of_l[l]); }

  template <class Visit> void for_each_l(Visit visit) const {
    for (int l = 0; l <= e.l_max; ++l) visit(l, e.n_radial[l] * (2 * l + 1) * VECTORS);
  }
};

// A node network for one member after another, on a tile's own arrays.
template <class T, class C> struct MemberNetwork {
  const Block p;
  const T *const weights;
  Network<T, C, 1> network;

  MemberNetwork(const Block &p, const void *weights, const T *const *x, bool keeps)
      : p(of_tile(p, STRIDE<T>)), weights(static_cast<const T *>(weights)), network(this->p, nullptr, x, nullptr, keeps) {}

  Network<T, C, 1> &of(int64_t member, Vec<T> *saved) {
    network.weights = weights + member * network.layout.n_weights(), network.saved = saved;
    return network;
  }
  int64_t n_rows() const { return (p.n_layers + 1) * network.layout.n_invariants; }
  int64_t n_saved() const { return (p.n_layers + 1) * network.layout.channels.rows(); }
};

// The same of a perceptron.
template <class T> struct MemberPerceptron {
  const Mlp p;
  const T *const weights, *const mean, *const inverse_spread;
  Perceptron<T, 1> layers;

  MemberPerceptron(const Mlp &p, const void *weights, const void *mean, const void *inverse_spread, const T *const *rows)
      : p(of_tile(p, STRIDE<T>)), weights(static_cast<const T *>(weights)), mean(static_cast<const T *>(mean)),
        inverse_spread(static_cast<const T *>(inverse_spread)), layers(this->p, nullptr, {rows, nullptr, nullptr}, nullptr) {}

  Perceptron<T, 1> &of(int64_t member, Vec<T> *saved) {
    const Places &places = layers.places;
    layers.weights = weights + member * places.n_of_member(), layers.saved = saved;
    layers.inputs.mean = mean + member * places.n_in, layers.inputs.inverse_spread = inverse_spread + member * places.n_in;
    return layers;
  }
  int64_t n_saved() const { return layers.places.n_rows; }
};

// The readout of a tile, and what its energies' sum says of its rows.
template <class T> struct TileReadout {
  const Evaluation &v;
  MemberPerceptron<T> perceptron;
  Scratch<T> hidden, energies, ones;

  TileReadout(const Evaluation &v, const T *const *rows)
      : v(v), perceptron(*v.readout, v.readout_weights, v.readout_mean, v.readout_inverse_spread, rows),
        hidden(perceptron.n_saved() * VECTORS), energies(VECTORS), ones(VECTORS, all<T>(1)) {}

  void operator()(const Tile &tile, int64_t member, T *const *of_rows) {
    Perceptron<T, 1> &layers = perceptron.of(member, hidden.data());
    T *const out[] = {numbers<T>(energies)};
    const T *const into[] = {numbers<T>(ones)};
    layers.forward(alone(tile), out);
    std::copy_n(out[0], tile.n_sites, static_cast<T *>(v.energies) + member * v.edges->n_sites + tile.site);
    layers.backward(alone(tile), into, of_rows, nullptr);
  }
};

// The tiles of all sites; the members come within each.
template <class T> std::vector<Tile> tiles(const Evaluation &v) { return tiles<T>(of_tile(*v.near, v.edges->n_sites)); }

// Inside a parallel region: the tiles' work as threads are free, and merge(tile) of one after another in their order.
template <class Work, class Merge> void for_each_in_order(const std::vector<Tile> &todo, Work work, Merge merge) {
#pragma omp for ordered schedule(dynamic)
  for (size_t i = 0; i < todo.size(); ++i) {
    work(todo[i]);
#pragma omp ordered
    merge(todo[i]);
  }
}

inline void start(const Evaluation &v) {
  std::fill_n(v.pull, n_neighbors(v) * 3 * v.n_members, 0.0);
  if (v.virials != nullptr) std::fill_n(v.virials, v.n_members * v.n_graphs * 9, 0.0);
}

inline void finish(const Evaluation &v) {
  for (int64_t member = 0; member < v.n_members; ++member)
    for (int64_t atom = 0; atom < v.n_atoms; ++atom)
      for (int a = 0; a < 3; ++a) {
        const int64_t site = v.site_of_atom[atom];
        const bool is_repelled = v.repulsion != nullptr && site < v.edges->n_sites;  // of another by whoever has it as a site
        v.forces[(member * v.n_atoms + atom) * 3 + a] =
            v.scale[member] * v.pull[(site * v.n_members + member) * 3 + a] + (is_repelled ? v.repulsive_pull[site * 3 + a] : 0);
      }
}

}  // namespace
