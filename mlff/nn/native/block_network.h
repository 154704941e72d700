// The node network of a stack, mlff/nn/node_block.py, and its derivatives, for one tile of sites of one member at a time.
#pragma once

#include "block_invariants.h"
#include "block_layer.h"

namespace {

// Rows of the input or of its gradient: at[(d * n_pieces + piece) * n_shells + l] is (members or none, n_in, 2l+1, n_sites), or null.
template <class T> struct Pieces {
  const Block &p;
  T *const *at;

  T *rows(int d, int piece, int l, const Tile &tile, bool shared) const {
    T *first = at[(d * p.n_pieces + piece) * (p.l_max + 1) + l];
    return first == nullptr ? nullptr : first + (shared ? 0 : tile.member) * p.n_in[piece][l] * (2 * l + 1) * p.n_sites + tile.site;
  }
};

// Reads the tile's values, and then the rates, of all inputs of one l.
template <class T, int D> void pack(const Pieces<const T> &x, int l, const Tile &tile, Vec<T> *to) {
  constexpr int AHEAD = 8;  // rows lie far apart: no processor guesses the next one
  const Block &p = x.p;
  for (int piece = 0; piece < p.n_pieces; ++piece) {
    const T *from[D];
    for (int d = 0; d < D; ++d) from[d] = x.rows(d, piece, l, tile, p.is_shared[d][piece]);
    const int64_t n_rows = p.n_in[piece][l] * (2 * l + 1);
    for (int64_t row = 0; row < n_rows; ++row)
      for (int d = 0; d < D; from[d++] += p.n_sites)
        for (int v = 0; v < tile.n_vectors; ++v) {
          if (row + AHEAD < n_rows) __builtin_prefetch(from[d] + AHEAD * p.n_sites + v * WIDTH<T>);
          *to++ = load<T>(from[d] + v * WIDTH<T>, lanes<T>(tile, v));
        }
  }
}

// What one thread needs for a tile. Where it keeps what each layer multiplies, a tile's backward has to follow its forward at once.
template <class T, class C, int D> struct Network {
  const BlockLayout layout;
  const T *weights;
  const Pieces<const T> x;
  Vec<T> *saved;  // for each tile the features of each layer
  const bool keeps;
  std::vector<Layer<T, C, D>> layers;
  Scratch<T> of_x, of_B[2];

  Network(const Block &p, const T *weights, const T *const *x, T *saved, bool keeps = false)
      : layout(p, C::PATHS), weights(weights), x{p, x}, saved(reinterpret_cast<Vec<T> *>(saved)), keeps(keeps),
        layers(keeps ? p.n_layers : 1, Layer<T, C, D>(layout)) {
    int64_t most = 0;
    for (int l = 0; l <= p.l_max; ++l) most = std::max(most, layout.in.n[l] * (2 * l + 1));
    of_x.resize(most * VECTORS * D);
    for (auto &features : of_B) features.resize(layout.channels.rows() * VECTORS * D);
  }

  void forward(const Tile &tile, T *const *out) {
    const int width = tile.n_vectors * D;
    Vec<T> *B = features(tile, 0);
    std::fill_n(B, layout.channels.rows() * width, Vec<T>{});
    for (int l = 0; l <= layout.p.l_max; ++l) {
      pack<T, D>(x, l, tile, of_x.data());
      apply<T>(mixing(tile, l), layout.channels.n[l], layout.in.n[l], (2 * l + 1) * width, of_x.data(), B + layout.channels.at[l] * width);
    }
    for (int r = 0; r < layout.p.n_layers; ++r, B = features(tile, r))
      layer(r).forward(of_layer(tile, r), tile.n_vectors, B, features(tile, r + 1));
    rows(tile, out);
  }

  // What forward gave, once more from the saved features.
  void rows(const Tile &tile, T *const *out) const {
    for (int r = 0; r <= layout.p.n_layers; ++r) {
      T *rows[D];
      for (int d = 0; d < D; ++d) rows[d] = out[d] + first_row(tile, r);
      invariants<T, D>(layout, tile, features(tile, r), rows);
    }
  }

  // of_own, where it is not null, += what `into` says of the weights of the tile's species
  void backward(const Tile &tile, const T *const *into, const Pieces<T> &of_inputs, T *of_own) {
    const int width = tile.n_vectors * D;
    Vec<T> *now = of_B[0].data(), *before = of_B[1].data();
    std::fill_n(now, layout.channels.rows() * width, Vec<T>{});
    for (int r = layout.p.n_layers;; --r) {
      const T *rows[D];
      for (int d = 0; d < D; ++d) rows[d] = into[d] + first_row(tile, r);
      invariants_backward<T, D>(layout, tile, features(tile, r), rows, now);
      if (r == 0) break;
      T *of_weights = of_own == nullptr ? nullptr : of_own + layout.n_mixing + (r - 1) * layout.n_layer;
      if (!keeps) layer(r - 1).activate(of_layer(tile, r - 1), tile.n_vectors, features(tile, r - 1));
      layer(r - 1).backward(of_layer(tile, r - 1), tile.n_vectors, features(tile, r - 1), now, before, of_weights);
      std::swap(now, before);
    }
    for (int l = 0; l <= layout.p.l_max; ++l) mixing_backward(tile, l, now + layout.channels.at[l] * width, of_inputs, of_own);
  }

private:
  Layer<T, C, D> &layer(int r) { return layers[keeps ? r : 0]; }

  const T *mixing(const Tile &tile, int l) const {
    return weights + tile.member * layout.n_weights() + tile.species * layout.n_mixing + layout.mixing[l];
  }

  const T *of_layer(const Tile &tile, int r) const {
    return weights + tile.member * layout.n_weights() + layout.p.n_species * layout.n_mixing + r * layout.n_layer;
  }

  // of the invariants after r layers
  int64_t first_row(const Tile &tile, int r) const {
    return (tile.member * (layout.p.n_layers + 1) + r) * layout.n_invariants * layout.p.n_sites;
  }

  Vec<T> *features(const Tile &tile, int r) const {
    return saved + ((layout.p.n_layers + 1) * tile.first_vector + r * tile.n_vectors) * D * layout.channels.rows();
  }

  void mixing_backward(const Tile &tile, int l, const Vec<T> *of_features, const Pieces<T> &of_inputs, T *of_own) {
    const int64_t n_out = layout.channels.n[l], n_in = layout.in.n[l];
    const int columns = (2 * l + 1) * tile.n_vectors * D;
    if (of_own != nullptr) {
      pack<T, D>(x, l, tile, of_x.data());
      outer<T>(of_own + layout.mixing[l], n_out, n_in, columns, of_features, of_x.data());
    }
    const T *w = mixing(tile, l);
    for (int piece = 0; piece < layout.p.n_pieces; w += layout.p.n_in[piece++][l]) {
      T *to[D];
      for (int d = 0; d < D; ++d) to[d] = of_inputs.rows(d, piece, l, tile, false);
      if (std::all_of(to, to + D, [](T *rows) { return rows == nullptr; })) continue;
      const int64_t n_rows = layout.p.n_in[piece][l];
      std::fill_n(of_x.data(), n_rows * columns, Vec<T>{});
      multiply<T>(n_rows, columns, n_out, Matrix<const T>{w, 1, n_in}, {of_features, columns, 1}, {of_x.data(), columns, 1});
      const Vec<T> *from = of_x.data();
      for (int64_t row = 0; row < n_rows * (2 * l + 1); ++row)
        for (int d = 0; d < D; ++d, from += tile.n_vectors) {
          if (to[d] == nullptr) continue;
          for (int v = 0; v < tile.n_vectors; ++v) store<T>(to[d] + v * WIDTH<T>, from[v], lanes<T>(tile, v));
          to[d] += layout.p.n_sites;
        }
    }
  }
};

}  // namespace
