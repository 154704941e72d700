// The self-product of features and its derivatives, mlff/nn/product.py, one channel of one member after another.
#include "lanes.h"
#include "coupling.h"

extern "C" struct Product {  // as in library.py
  int32_t l_max, n_threads;
  int64_t n_members, n_channels, n_sites;
};

namespace {

// One channel's rows of all m of all l, in arrays (n_members, n_channels, 2l+1, n_sites) of each l.
template <class T, int N> struct Channel {
  T *row[N];

  Channel(const Product &p, T *const *of_l, int64_t channel) {
    for (int l = 0, i = 0; l <= p.l_max; ++l)
      for (int m = 0; m <= 2 * l; ++m, ++i) row[i] = of_l[l] + (channel * (2 * l + 1) + m) * p.n_sites;
  }

  void read(int64_t site, int n, Vec<T> *to) const {
    for (int i = 0; i < N; ++i) to[i] = load<T>(row[i] + site, n);
  }

  void write(int64_t site, int n, const Vec<T> *from) const {
    for (int i = 0; i < N; ++i) store<T>(row[i] + site, from[i], n);
  }
};

// Calls work(channel of all members, offset of its first weight) for each; weights are (n_members, n_paths, n_channels).
template <class Work> void for_each_channel(const Product &p, int n_paths, Work work) {
#pragma omp parallel for schedule(static) num_threads(p.n_threads) if (p.n_threads > 1)
  for (int64_t channel = 0; channel < p.n_members * p.n_channels; ++channel)
    work(channel, channel / p.n_channels * n_paths * p.n_channels + channel % p.n_channels);
}

// Calls work(first site, lanes in use) for each vector of sites.
template <class T, class Work> void for_each_vector(const Product &p, Work work) {
  int64_t site = 0;
  for (; site + WIDTH<T> <= p.n_sites; site += WIDTH<T>) work(site, WIDTH<T>);
  if (site < p.n_sites) work(site, static_cast<int>(p.n_sites - site));
}

template <class T, int PATHS> struct Weights {
  Vec<T> of_path[PATHS];

  Weights(const Product &p, const T *w, int64_t first) {
    for (int path = 0; path < PATHS; ++path) of_path[path] = all<T>(w[first + path * p.n_channels]);
  }
};

// P = D(x, x) / 2
template <class T, class C> void square(const Product &p, T *const *x, const T *w, T *const *out) {
  for_each_channel(p, C::PATHS, [&](int64_t channel, int64_t first) {
    const Channel<T, C::N> from(p, x, channel), to(p, out, channel);
    const Weights<T, C::PATHS> weights(p, w, first);
    for_each_vector<T>(p, [&](int64_t site, int n) {
      Vec<T> of_x[C::N], sum[C::N];
      from.read(site, n, of_x);
      C::template square<T>(of_x, weights.of_path, sum);
      to.write(site, n, sum);
    });
  });
}

// What is linear in each of two arguments of one shape; form(of x, of y, weights, sum) gives it for one vector of sites.
template <class T, class C, class Form> void bilinear(const Product &p, T *const *x, T *const *y, const T *w, T *const *out, Form form) {
  for_each_channel(p, C::PATHS, [&](int64_t channel, int64_t first) {
    const Channel<T, C::N> from_x(p, x, channel), from_y(p, y, channel), to(p, out, channel);
    const Weights<T, C::PATHS> weights(p, w, first);
    for_each_vector<T>(p, [&](int64_t site, int n) {
      Vec<T> of_x[C::N], of_y[C::N], sum[C::N];
      from_x.read(site, n, of_x);
      from_y.read(site, n, of_y);
      form(of_x, of_y, weights.of_path, sum);
      to.write(site, n, sum);
    });
  });
}

// dT/dg = D(x, y), shaped as x
template <class T, class C> void couple(const Product &p, T *const *x, T *const *y, const T *w, T *const *out) {
  bilinear<T, C>(p, x, y, w, out, [](auto... of) { C::template couple<T>(of...); });
}

// dT/dx, shaped as y
template <class T, class C> void adjoint(const Product &p, T *const *g, T *const *y, const T *w, T *const *out) {
  bilinear<T, C>(p, g, y, w, out, [](auto... of) { C::template adjoint<T>(of...); });
}

// dT/dw, (n_members, n_paths, n_channels); missing lanes are read as 0 and add nothing.
template <class T, class C> void into_path_weights(const Product &p, T *const *g, T *const *x, T *const *y, T *out) {
  for_each_channel(p, C::PATHS, [&](int64_t channel, int64_t first) {
    const Channel<T, C::N> from_g(p, g, channel), from_x(p, x, channel), from_y(p, y, channel);
    Vec<T> sum[C::PATHS] = {};
    for_each_vector<T>(p, [&](int64_t site, int n) {
      Vec<T> of_g[C::N], of_x[C::N], of_y[C::N];
      from_g.read(site, n, of_g);
      from_x.read(site, n, of_x);
      from_y.read(site, n, of_y);
      C::template into_weights<T>(of_g, of_x, of_y, sum);
    });
    for (int path = 0; path < C::PATHS; ++path) {
      T total = 0;
      for (int i = 0; i < WIDTH<T>; ++i) total += sum[path][i];
      out[first + path * p.n_channels] = total;
    }
  });
}

}  // namespace

#define EXPORT(T, NAME)                                                                                                            \
  extern "C" void square_##NAME(const Product *p, T *const *x, const T *w, T *const *out) {                                        \
    with_coupling(p->l_max, [&](auto c) { square<T, decltype(c)>(*p, x, w, out); });                                               \
  }                                                                                                                                \
  extern "C" void couple_##NAME(const Product *p, T *const *x, T *const *y, const T *w, T *const *out) {                           \
    with_coupling(p->l_max, [&](auto c) { couple<T, decltype(c)>(*p, x, y, w, out); });                                            \
  }                                                                                                                                \
  extern "C" void adjoint_##NAME(const Product *p, T *const *g, T *const *y, const T *w, T *const *out) {                          \
    with_coupling(p->l_max, [&](auto c) { adjoint<T, decltype(c)>(*p, g, y, w, out); });                                           \
  }                                                                                                                                \
  extern "C" void into_path_weights_##NAME(const Product *p, T *const *g, T *const *x, T *const *y, T *out) {                      \
    with_coupling(p->l_max, [&](auto c) { into_path_weights<T, decltype(c)>(*p, g, x, y, out); });                                 \
  }
EXPORT(float, float32)
EXPORT(double, float64)
