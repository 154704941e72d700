// A multilayer perceptron of standardised rows, and what is linear in them, mlff/nn/readout.py; values alone (D = 1) or with their
// rates (D = 2), which lie beside them and are what is linear's wider tile.
#pragma once

#include <utility>

#include "interface.h"
#include "sigmoid.h"
#include "tiles.h"

namespace {

// One member's weights: for each species an offset of the first layer; then W and, but for the first layer, the offset of each layer;
// then those of the output, (n_out, last width) and (n_out,), and where it is direct (n_out, n_in).
struct Places {
  const Mlp &p;
  int64_t n_in = 0, n_weights = 0, n_rows = 0;
  int64_t weight[MOST_HIDDEN + 1], offset[MOST_HIDDEN + 1], direct, row[MOST_HIDDEN];

  explicit Places(const Mlp &p) : p(p) {
    const auto take = [](int64_t &used, int64_t size) { return std::exchange(used, used + size); };
    for (int i = 0; i < p.n_inputs; ++i) n_in += p.n_in[i];
    for (int k = 0; k <= p.n_hidden; ++k) {
      weight[k] = take(n_weights, out(k) * in(k));
      offset[k] = k == 0 ? 0 : take(n_weights, out(k));
      if (k < p.n_hidden) row[k] = take(n_rows, p.widths[k]);
    }
    direct = take(n_weights, p.is_direct ? p.n_out * n_in : 0);
  }
  int64_t in(int k) const { return k == 0 ? n_in : p.widths[k - 1]; }
  int64_t out(int k) const { return k == p.n_hidden ? p.n_out : p.widths[k]; }
  int64_t n_of_member() const { return p.n_species * p.widths[0] + n_weights; }
};

// Rows (n_members, n_in, n_sites) of values and then of rates, for each input, and what standardises them, (n_members, n_in) of all inputs.
template <class T> struct Inputs {
  const T *const *rows, *mean, *inverse_spread;
};

template <class T, int D> struct Perceptron {
  const Places places;
  const T *weights;
  Inputs<T> inputs;
  Vec<T> *saved;  // of each tile the rows of each hidden layer, before their activation
  Scratch<T> x, h, of_y, of_h;

  Perceptron(const Mlp &p, const T *weights, const Inputs<T> &inputs, T *saved)
      : places(p), weights(weights), inputs(inputs), saved(reinterpret_cast<Vec<T> *>(saved)) {
    const int64_t most = *std::max_element(p.widths, p.widths + p.n_hidden);
    x.resize(places.n_in * VECTORS * D);
    for (Scratch<T> *rows : {&h, &of_y, &of_h}) rows->resize(std::max(most, p.n_out) * VECTORS * D);
  }

  void forward(const Tile &tile, T *const *out) {
    const Mlp &p = places.p;
    const int width = tile.n_vectors * D;
    const T *w = common(tile);
    pack(tile);
    const Vec<T> *input = x.data();
    for (int k = 0; k <= p.n_hidden; ++k) {
      Vec<T> *y = k < p.n_hidden ? hidden(tile, k) : of_y.data();
      const T *offset = k == 0 ? of_species(tile) : w + places.offset[k];
      for (int64_t c = 0; c < places.out(k); ++c)
        for (int v = 0; v < width; ++v) y[c * width + v] = v < tile.n_vectors ? all<T>(offset[c]) : Vec<T>{};
      apply<T>(w + places.weight[k], places.out(k), places.in(k), width, input, y);
      if (k == p.n_hidden) break;
      activate(tile, k);
      input = h.data();
    }
    if (p.is_direct) apply<T>(w + places.direct, p.n_out, places.n_in, width, x.data(), of_y.data());
    for (int64_t c = 0; c < p.n_out; ++c)
      for (int d = 0; d < D; ++d)
        for (int v = 0; v < tile.n_vectors; ++v)
          store<T>(out[d] + row(tile, p.n_out, c) + v * WIDTH<T>, of_y[c * width + d * tile.n_vectors + v], lanes<T>(tile, v));
  }

  void backward(const Tile &tile, const T *const *into, T *const *of_x, T *of_own) {
    const Mlp &p = places.p;
    const int n = tile.n_vectors, width = n * D;
    const T *w = common(tile);
    T *of_w = of_own == nullptr ? nullptr : of_own + p.widths[0];
    Scratch<T> &of_out = of_y;
    for (int64_t c = 0; c < p.n_out; ++c)
      for (int d = 0; d < D; ++d)
        for (int v = 0; v < n; ++v)
          of_out[c * width + d * n + v] = load<T>(into[d] + row(tile, p.n_out, c) + v * WIDTH<T>, lanes<T>(tile, v));
    if (of_w != nullptr) pack(tile);
    if (of_w != nullptr && p.is_direct) outer<T>(of_w + places.direct, p.n_out, places.n_in, width, of_out.data(), x.data());
    const Scratch<T> first = p.is_direct ? of_out : Scratch<T>();
    for (int k = p.n_hidden; k > 0; --k) {
      if (of_w != nullptr) {
        activate(tile, k - 1);
        outer<T>(of_w + places.weight[k], places.out(k), places.in(k), width, of_y.data(), h.data());
        add_offsets(places.out(k), n, of_w + places.offset[k]);
      }
      std::fill_n(of_h.data(), places.in(k) * width, Vec<T>{});
      apply_transposed<T>(w + places.weight[k], places.out(k), places.in(k), width, of_y.data(), of_h.data());
      activate_backward(tile, k - 1);
    }
    if (of_w != nullptr) {
      outer<T>(of_w + places.weight[0], places.out(0), places.n_in, width, of_y.data(), x.data());
      add_offsets(places.out(0), n, of_own);
    }
    std::fill_n(x.data(), places.n_in * width, Vec<T>{});
    apply_transposed<T>(w + places.weight[0], places.out(0), places.n_in, width, of_y.data(), x.data());
    if (p.is_direct) apply_transposed<T>(w + places.direct, p.n_out, places.n_in, width, first.data(), x.data());
    unpack(tile, of_x);
  }

private:
  const T *of_species(const Tile &tile) const { return weights + tile.member * places.n_of_member() + tile.species * places.p.widths[0]; }
  const T *common(const Tile &tile) const { return weights + tile.member * places.n_of_member() + places.p.n_species * places.p.widths[0]; }
  Vec<T> *hidden(const Tile &tile, int k) const { return saved + (tile.first_vector * places.n_rows + tile.n_vectors * places.row[k]) * D; }
  int64_t row(const Tile &tile, int64_t n_rows, int64_t c) const { return (tile.member * n_rows + c) * places.p.n_sites + tile.site; }

  // Calls visit(c, d, where the tile's part of input row c begins in rows[d]) for all inputs; rows[d * n_inputs + i] may be null.
  template <class Rows, class Visit> void for_each_input(const Tile &tile, Rows rows, Visit visit) const {
    const Mlp &p = places.p;
    for (int64_t i = 0, c = 0; i < p.n_inputs; c += p.n_in[i++])
      for (int64_t a = 0; a < p.n_in[i]; ++a)
        for (int d = 0; d < D; ++d)
          if (rows[d * p.n_inputs + i] != nullptr) visit(c + a, d, rows[d * p.n_inputs + i] + row(tile, p.n_in[i], a));
  }

  void pack(const Tile &tile) {
    const int n = tile.n_vectors;
    const T *mean = inputs.mean + tile.member * places.n_in, *inverse_spread = inputs.inverse_spread + tile.member * places.n_in;
    for_each_input(tile, inputs.rows, [&](int64_t c, int d, const T *from) {
      for (int v = 0; v < n; ++v) {
        const Vec<T> value = load<T>(from + v * WIDTH<T>, lanes<T>(tile, v));
        x[(c * D + d) * n + v] = (d == 0 ? value - mean[c] : value) * inverse_spread[c];
      }
    });
  }

  void unpack(const Tile &tile, T *const *to) const {
    const int n = tile.n_vectors;
    const T *inverse_spread = inputs.inverse_spread + tile.member * places.n_in;
    for_each_input(tile, to, [&](int64_t c, int d, T *at) {
      for (int v = 0; v < n; ++v) store<T>(at + v * WIDTH<T>, x[(c * D + d) * n + v] * inverse_spread[c], lanes<T>(tile, v));
    });
  }

  // h = y s(y) with the logistic function s
  void activate(const Tile &tile, int k) {
    const int n = tile.n_vectors, width = n * D;
    const Vec<T> *y = hidden(tile, k);
    for (int64_t c = 0; c < places.p.widths[k]; ++c)
      for (int v = 0; v < n; ++v) {
        const int64_t at = c * width + v;
        const Vec<T> s = sigmoid<T>(y[at]);
        h[at] = y[at] * s;
        if constexpr (D == 2) h[at + n] = s * (T(1) + y[at] * (T(1) - s)) * y[at + n];
      }
  }

  // of_h -> of_y
  void activate_backward(const Tile &tile, int k) {
    const int n = tile.n_vectors, width = n * D;
    const Vec<T> *y = hidden(tile, k);
    for (int64_t c = 0; c < places.p.widths[k]; ++c)
      for (int v = 0; v < n; ++v) {
        const int64_t at = c * width + v;
        const Vec<T> s = sigmoid<T>(y[at]), slope = s * (T(1) + y[at] * (T(1) - s));
        of_y[at] = slope * of_h[at];
        if constexpr (D == 2) {
          const Vec<T> curvature = s * (T(1) - s) * (T(2) + y[at] * (T(1) - T(2) * s));
          of_y[at] += curvature * y[at + n] * of_h[at + n];
          of_y[at + n] = slope * of_h[at + n];
        }
      }
  }

  void add_offsets(int64_t n_rows, int n_vectors, T *to) const {
    for (int64_t c = 0; c < n_rows; ++c)
      for (int v = 0; v < n_vectors; ++v) to[c] += total<T>(of_y[c * n_vectors * D + v]);
  }
};

}  // namespace
