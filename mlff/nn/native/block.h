// How the node network of mlff/nn/node_block.py is laid out: its weights, its features, and the tiles that its sites are taken in.
#pragma once

#include <utility>

#include "interface.h"
#include "tiles.h"

namespace {

// Features of all l: rows (l, channel, m), each of the tile's vectors and, of dual numbers, then those of the rates: what is linear
// sees only a wider tile.
struct Shape {
  int n_shells;
  int64_t n[MOST_SHELLS] = {}, at[MOST_SHELLS + 1] = {};

  template <class Size> Shape(int l_max, Size size) : n_shells(l_max + 1) {
    for (int l = 0; l < n_shells; ++l) n[l] = size(l), at[l + 1] = at[l] + n[l] * (2 * l + 1);
  }
  int64_t rows() const { return at[n_shells]; }
};

// One member's weights: for each species (C_l, n_in_l) of each l; then for each layer those of the struct, in this order.
struct BlockLayout {
  const Block &p;
  Shape in, channels, product;
  int64_t mixing[MOST_SHELLS], n_mixing = 0;
  int64_t enter[MOST_SHELLS], gate, bias, keep[MOST_SHELLS], mix[MOST_SHELLS], paths, n_layer = 0;
  int64_t n_invariants = 0;  // after the mixing, and after each layer again

  BlockLayout(const Block &p, int n_paths)
      : p(p), in(p.l_max, [&](int l) { return p.n_in[0][l] + p.n_in[1][l]; }), channels(p.l_max, [&](int l) { return p.channels[l]; }),
        product(p.l_max, [&](int) { return p.n_product; }) {
    const auto take = [](int64_t &used, int64_t size) { return std::exchange(used, used + size); };
    for (int l = 0; l <= p.l_max; ++l) mixing[l] = take(n_mixing, channels.n[l] * in.n[l]);
    for (int l = 0; l <= p.l_max; ++l) enter[l] = take(n_layer, p.n_product * channels.n[l]);
    gate = take(n_layer, p.n_product * channels.n[0]);
    bias = take(n_layer, p.n_product);
    for (int l = 0; l <= p.l_max; ++l) keep[l] = take(n_layer, channels.n[l] * channels.n[l]);
    for (int l = 0; l <= p.l_max; ++l) mix[l] = take(n_layer, channels.n[l] * p.n_product);
    paths = take(n_layer, n_paths * p.n_product);
    n_invariants = channels.n[0];
    for (int l = 1; l <= p.l_max; ++l) n_invariants += channels.n[l] + n_gram(l) * (n_gram(l) - 1) / 2;
  }
  int64_t n_gram(int l) const { return std::min<int64_t>(p.n_gram, channels.n[l]); }
  int64_t n_weights() const { return p.n_species * n_mixing + p.n_layers * n_layer; }
};

// The same for every l; `at` holds where each l's weights begin.
template <class T> void apply(const T *w, const int64_t *at, const Shape &out, const Shape &in, int width, const Vec<T> *x, Vec<T> *y) {
  for (int l = 0; l < in.n_shells; ++l)
    apply<T>(w + at[l], out.n[l], in.n[l], (2 * l + 1) * width, x + in.at[l] * width, y + out.at[l] * width);
}

template <class T>
void apply_transposed(const T *w, const int64_t *at, const Shape &out, const Shape &in, int width, const Vec<T> *y, Vec<T> *x) {
  for (int l = 0; l < in.n_shells; ++l)
    apply_transposed<T>(w + at[l], out.n[l], in.n[l], (2 * l + 1) * width, y + out.at[l] * width, x + in.at[l] * width);
}

template <class T> void outer(T *w, const int64_t *at, const Shape &out, const Shape &in, int width, const Vec<T> *y, const Vec<T> *x) {
  for (int l = 0; l < in.n_shells; ++l)
    outer<T>(w + at[l], out.n[l], in.n[l], (2 * l + 1) * width, y + out.at[l] * width, x + in.at[l] * width);
}

}  // namespace
