// One product layer, `ProductLayer` of mlff/nn/node_block.py, of values alone (D = 1) or with their rates (D = 2).
#pragma once

#include "block.h"
#include "coupling.h"
#include "sigmoid.h"

namespace {

// E = N B, g = sigmoid(a) with a = G B_0 + bias, P = self-product of E, S = g P, B' = U B + V S; C is the coupling.
template <class T, class C, int D> struct Layer {
  static constexpr int N = C::N;
  const BlockLayout &layout;
  Scratch<T> E, P, S, a, of_S, of_a;

  explicit Layer(const BlockLayout &layout) : layout(layout) {
    for (Scratch<T> *features : {&E, &P, &S, &of_S}) features->resize(layout.product.rows() * VECTORS * D);
    for (Scratch<T> *gates : {&a, &of_a}) gates->resize(layout.p.n_product * VECTORS * D);
  }

  void forward(const T *w, int n_vectors, const Vec<T> *B, Vec<T> *next) {
    const int width = n_vectors * D;
    activate(w, n_vectors, B);
    std::fill_n(next, layout.channels.rows() * width, Vec<T>{});
    apply<T>(w, layout.keep, layout.channels, layout.channels, width, B, next);
    apply<T>(w, layout.mix, layout.channels, layout.product, width, S.data(), next);
  }

  // B -> E, a, P and S
  void activate(const T *w, int n_vectors, const Vec<T> *B) {
    const int width = n_vectors * D;
    const int64_t n_product = layout.p.n_product;
    std::fill_n(E.data(), layout.product.rows() * width, Vec<T>{});
    apply<T>(w, layout.enter, layout.product, layout.channels, width, B, E.data());
    for (int64_t c = 0; c < n_product; ++c) {
      std::fill_n(&a[c * width], width, Vec<T>{});
      std::fill_n(&a[c * width], n_vectors, all<T>(w[layout.bias + c]));
    }
    apply<T>(w + layout.gate, n_product, layout.channels.n[0], width, B, a.data());
    for (int64_t c = 0; c < n_product; ++c) {
      Vec<T> weights[C::PATHS];
      path_weights(w, c, weights);
      for (int v = 0; v < n_vectors; ++v) {
        Vec<T> x[N], p[N];
        const Vec<T> g = sigmoid<T>(a[c * width + v]);
        read(E, c, width, v, x);
        C::template square<T>(x, weights, p);
        write(p, c, width, v, P);
        if constexpr (D == 2) {
          Vec<T> y[N], rate[N];
          const Vec<T> g_rate = g * (T(1) - g) * a[c * width + n_vectors + v];
          read(E, c, width, n_vectors + v, y);
          C::template couple<T>(x, y, weights, rate);
          write(rate, c, width, n_vectors + v, P);
          for (int i = 0; i < N; ++i) rate[i] = g * rate[i] + g_rate * p[i];
          write(rate, c, width, n_vectors + v, S);
        }
        for (int i = 0; i < N; ++i) p[i] *= g;
        write(p, c, width, v, S);
      }
    }
  }

  // After activate: of_B = what of_next says of B; of_w, where it is not null, += what it says of the weights
  void backward(const T *w, int n_vectors, const Vec<T> *B, const Vec<T> *of_next, Vec<T> *of_B, T *of_w) {
    const Shape &channels = layout.channels, &product = layout.product;
    const int width = n_vectors * D;
    const int64_t n_product = layout.p.n_product;
    std::fill_n(of_S.data(), product.rows() * width, Vec<T>{});
    std::fill_n(of_B, channels.rows() * width, Vec<T>{});
    apply_transposed<T>(w, layout.mix, channels, product, width, of_next, of_S.data());
    apply_transposed<T>(w, layout.keep, channels, channels, width, of_next, of_B);
    if (of_w != nullptr) {
      outer<T>(of_w, layout.mix, channels, product, width, of_next, S.data());
      outer<T>(of_w, layout.keep, channels, channels, width, of_next, B);
    }
    multiply_backward(w, n_vectors, of_w);
    apply_transposed<T>(w, layout.enter, product, channels, width, of_S.data(), of_B);
    apply_transposed<T>(w + layout.gate, n_product, channels.n[0], width, of_a.data(), of_B);
    if (of_w == nullptr) return;
    outer<T>(of_w, layout.enter, product, channels, width, of_S.data(), B);
    outer<T>(of_w + layout.gate, n_product, channels.n[0], width, of_a.data(), B);
  }

private:
  // m of all l of one channel
  template <class Visit> void for_each_row(int64_t channel, Visit visit) const {
    for (int l = 0, i = 0; i < N; ++l)
      for (int m = 0; m <= 2 * l; ++m, ++i) visit(i, layout.product.at[l] + channel * (2 * l + 1) + m);
  }

  void read(const Scratch<T> &from, int64_t channel, int width, int column, Vec<T> *to) const {
    for_each_row(channel, [&](int i, int64_t row) { to[i] = from[row * width + column]; });
  }

  void write(const Vec<T> *from, int64_t channel, int width, int column, Scratch<T> &to) const {
    for_each_row(channel, [&](int i, int64_t row) { to[row * width + column] = from[i]; });
  }

  void path_weights(const T *w, int64_t channel, Vec<T> *to) const {
    for (int path = 0; path < C::PATHS; ++path) to[path] = all<T>(w[layout.paths + path * layout.p.n_product + channel]);
  }

  // of_S -> that of E, in the same place, and of_a; adds what it says of the bias and of the path weights
  void multiply_backward(const T *w, int n_vectors, T *of_w) {
    const int width = n_vectors * D;
    const int64_t n_product = layout.p.n_product;
    for (int64_t c = 0; c < n_product; ++c) {
      Vec<T> weights[C::PATHS], of_weights[C::PATHS] = {}, of_bias{};
      path_weights(w, c, weights);
      for (int v = 0; v < n_vectors; ++v) {
        const int64_t at = c * width + v;
        const Vec<T> g = sigmoid<T>(a[at]), slope = g * (T(1) - g);
        Vec<T> x[N], p[N], s[N], of_x[N], of_g{};
        read(E, c, width, v, x);
        read(P, c, width, v, p);
        read(of_S, c, width, v, s);
        for (int i = 0; i < N; ++i) of_g += s[i] * p[i];
        if constexpr (D == 2) {
          const int rates = n_vectors + v;
          const Vec<T> a_rate = a[at + n_vectors];
          Vec<T> y[N], s_rate[N], more[N], of_g_rate{};
          read(of_S, c, width, rates, s_rate);
          for (int i = 0; i < N; ++i) of_g_rate += s_rate[i] * p[i];
          read(P, c, width, rates, p);
          for (int i = 0; i < N; ++i) of_g += s_rate[i] * p[i];
          of_a[at] = slope * (of_g + (T(1) - T(2) * g) * a_rate * of_g_rate);
          of_a[at + n_vectors] = slope * of_g_rate;
          for (int i = 0; i < N; ++i) s[i] = g * s[i] + slope * a_rate * s_rate[i], s_rate[i] *= g;
          read(E, c, width, rates, y);
          C::template adjoint<T>(s_rate, y, weights, more);
          C::template adjoint<T>(s, x, weights, of_x);
          for (int i = 0; i < N; ++i) of_x[i] += more[i];
          write(of_x, c, width, v, of_S);
          C::template adjoint<T>(s_rate, x, weights, of_x);
          write(of_x, c, width, rates, of_S);
          if (of_w != nullptr) C::template into_weights<T>(s_rate, x, y, of_weights);
        } else {
          of_a[at] = slope * of_g;
          for (int i = 0; i < N; ++i) s[i] *= g;
          C::template adjoint<T>(s, x, weights, of_x);
          write(of_x, c, width, v, of_S);
        }
        if (of_w == nullptr) continue;
        of_bias += of_a[at];
        for (int i = 0; i < N; ++i) s[i] *= T(0.5);
        C::template into_weights<T>(s, x, x, of_weights);
      }
      if (of_w == nullptr) continue;
      of_w[layout.bias + c] += total<T>(of_bias);
      for (int path = 0; path < C::PATHS; ++path) of_w[layout.paths + path * n_product + c] += total<T>(of_weights[path]);
    }
  }
};

}  // namespace
