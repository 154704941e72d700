// Perceptrons of all members and sites, and their derivatives.
#include <memory>

#include "perceptron.h"

namespace {

template <class T, int D> void forward(const Mlp &p, const T *weights, const Inputs<T> &inputs, T *saved, T *const *out) {
  auto make = [&] { return std::make_unique<Perceptron<T, D>>(p, weights, inputs, saved); };
  for_each_tile_of_members<T>(p, make, [&](auto &network, const Tile &tile) { network->forward(tile, out); });
}

template <class T, int D>
void backward(const Mlp &p, const T *weights, const Inputs<T> &inputs, T *saved, const T *const *into, T *const *of_x, T *of_weights) {
  auto make = [&] { return std::make_unique<Perceptron<T, D>>(p, weights, inputs, saved); };
  sum_over_tiles<T>(p, p.widths[0], Places(p).n_weights, of_weights, make, [&](auto &network, const Tile &tile, T *of_own) {
    network->backward(tile, into, of_x, of_own);
  });
}

}  // namespace

// out, into: of values and, where it is not null, of rates
#define EXPORT(T, NAME)                                                                                                             \
  extern "C" void mlp_##NAME(const Mlp *p, const T *weights, const T *const *x, const T *mean, const T *inverse_spread, T *saved,   \
                             T *const *out) {                                                                                       \
    const Inputs<T> inputs{x, mean, inverse_spread};                                                                                \
    out[1] == nullptr ? forward<T, 1>(*p, weights, inputs, saved, out) : forward<T, 2>(*p, weights, inputs, saved, out);            \
  }                                                                                                                                 \
  extern "C" void mlp_backward_##NAME(const Mlp *p, const T *weights, const T *const *x, const T *mean, const T *inverse_spread,    \
                                      T *saved, const T *const *into, T *const *of_x, T *of_weights) {                              \
    const Inputs<T> inputs{x, mean, inverse_spread};                                                                                \
    into[1] == nullptr ? backward<T, 1>(*p, weights, inputs, saved, into, of_x, of_weights)                                         \
                       : backward<T, 2>(*p, weights, inputs, saved, into, of_x, of_weights);                                        \
  }
EXPORT(float, float32)
EXPORT(double, float64)
