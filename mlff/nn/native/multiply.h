// Matrix products of vectors: each lane is a matrix product of its own.
#pragma once

#include "lanes.h"

// A matrix whose entry (i, j) is the vector at[i * row + j * column].
template <class V> struct Matrix {
  V *at;
  int64_t row, column;
};

constexpr int ROWS = REGISTERS == 32 ? 4 : 3, COLUMNS = REGISTERS == 32 ? 6 : 4;

template <class T, int I, int J, class A> inline void multiply_block(int n, Matrix<const A> a, Matrix<const Vec<T>> b, Matrix<Vec<T>> c) {
  Vec<T> sum[I][J];
  for (int i = 0; i < I; ++i)
    for (int j = 0; j < J; ++j) sum[i][j] = c.at[i * c.row + j * c.column];
  for (int p = 0; p < n; ++p) {
    Vec<T> right[J];
    for (int j = 0; j < J; ++j) keep(right[j] = b.at[p * b.row + j * b.column]);
    for (int i = 0; i < I; ++i) {
      const A left = a.at[i * a.row + p * a.column];
      for (int j = 0; j < J; ++j) sum[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < I; ++i)
    for (int j = 0; j < J; ++j) c.at[i * c.row + j * c.column] = sum[i][j];
}

template <class T, int I, int J, class A>
inline void multiply_rows(int n_i, int n, Matrix<const A> a, Matrix<const Vec<T>> b, Matrix<Vec<T>> c) {
  for (; n_i >= I; n_i -= I, a.at += I * a.row, c.at += I * c.row) multiply_block<T, I, J>(n, a, b, c);
  if constexpr (I > 1)
    if (n_i > 0) multiply_rows<T, I - 1, J>(n_i, n, a, b, c);
}

// c (n_i, n_j) += a (n_i, n) b (n, n_j); a holds vectors, or numbers that all lanes share
template <class T, int J = COLUMNS, class A = Vec<T>>
inline void multiply(int n_i, int n_j, int n, Matrix<const A> a, Matrix<const Vec<T>> b, Matrix<Vec<T>> c) {
  for (; n_j >= J; n_j -= J, b.at += J * b.column, c.at += J * c.column) multiply_rows<T, ROWS, J>(n_i, n, a, b, c);
  if constexpr (J > 1)
    if (n_j > 0) multiply<T, J - 1>(n_i, n_j, n, a, b, c);
}
