// The node network of all members and sites, and its derivatives.
#include <memory>

#include "block_network.h"
#include "coupling.h"

namespace {

template <class T, class C, int D> void forward(const Block &p, const T *weights, const T *const *x, T *saved, T *const *out) {
  auto make = [&] { return std::make_unique<Network<T, C, D>>(p, weights, x, saved); };
  for_each_tile_of_members<T>(p, make, [&](auto &network, const Tile &tile) { network->forward(tile, out); });
}

// of_x: of values, then of rates, where they are not null; of_weights (n_members, n_weights) or null
template <class T, class C, int D>
void backward(const Block &p, const T *weights, const T *const *x, T *saved, const T *const *into, T *const *of_x, T *of_weights) {
  const BlockLayout layout(p, C::PATHS);
  auto make = [&] { return std::make_unique<Network<T, C, D>>(p, weights, x, saved); };
  sum_over_tiles<T>(p, layout.n_mixing, p.n_layers * layout.n_layer, of_weights, make, [&](auto &network, const Tile &tile, T *of_own) {
    network->backward(tile, into, Pieces<T>{p, of_x}, of_own);
  });
}

}  // namespace

// out, into: of values and, where it is not null, of rates
#define EXPORT(T, NAME)                                                                                                             \
  extern "C" void block_##NAME(const Block *p, const T *weights, const T *const *x, T *saved, T *const *out) {                      \
    with_coupling(p->l_max, [&](auto c) {                                                                                           \
      out[1] == nullptr ? forward<T, decltype(c), 1>(*p, weights, x, saved, out)                                                    \
                        : forward<T, decltype(c), 2>(*p, weights, x, saved, out);                                                   \
    });                                                                                                                             \
  }                                                                                                                                 \
  extern "C" void block_backward_##NAME(const Block *p, const T *weights, const T *const *x, T *saved, const T *const *into,        \
                                        T *const *of_x, T *of_weights) {                                                            \
    with_coupling(p->l_max, [&](auto c) {                                                                                           \
      into[1] == nullptr ? backward<T, decltype(c), 1>(*p, weights, x, saved, into, of_x, of_weights)                               \
                         : backward<T, decltype(c), 2>(*p, weights, x, saved, into, of_x, of_weights);                              \
    });                                                                                                                             \
  }
EXPORT(float, float32)
EXPORT(double, float64)
