// Arrays that begin where the widest vectors of a machine may.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace mlff {

template <class T> struct Allocator {
  static constexpr std::align_val_t LINE{64};
  using value_type = T;

  Allocator() = default;
  template <class Other> Allocator(const Allocator<Other> &) {}
  T *allocate(size_t n) { return static_cast<T *>(::operator new(n * sizeof(T), LINE)); }
  void deallocate(T *at, size_t) { ::operator delete(at, LINE); }
  bool operator==(const Allocator &) const { return true; }
  bool operator!=(const Allocator &) const { return false; }
};

template <class T> using Aligned = std::vector<T, Allocator<T>>;

}  // namespace mlff
