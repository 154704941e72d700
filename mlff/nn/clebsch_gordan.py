"""Coupling coefficients of real spherical harmonics, by integration over the sphere.

For an even sum l1 + l2 + l3 the coupling is, up to a factor, the integral of three harmonics (Gaunt), which an
exact quadrature of polynomials of degree 9 gives to rounding. Odd sums are pseudotensors and are left out: they
would break parity.
"""

from functools import lru_cache

import numpy as np
import torch

from mlff.nn.harmonics import L_MAX, solid_harmonics


def parity_even_paths(l_max: int) -> list[tuple[int, int, int]]:
    """(l1, l2, l3) with l1 ≤ l2, |l1 − l2| ≤ l3 ≤ l1 + l2, l3 ≤ l_max and l1 + l2 + l3 even."""
    return [
        (l1, l2, l3)
        for l1 in range(l_max + 1)
        for l2 in range(l1, l_max + 1)
        for l3 in range(l2 - l1, min(l1 + l2, l_max) + 1)
        if (l1 + l2 + l3) % 2 == 0
    ]


@lru_cache
def coupling(l1: int, l2: int, l3: int) -> np.ndarray:
    """C[m1, m2, m3], (2l1+1, 2l2+1, 2l3+1), with Σ C² = 1, for an even l1 + l2 + l3.

    The product Σ C[m1, m2, m3] x_{m1} y_{m2} turns as an l3 tensor when x and y turn as l1 and l2. The sign is
    that of the Gaunt integral (e3nn's may differ by an overall sign, which the weights absorb).
    """
    if (l1 + l2 + l3) % 2 or not abs(l1 - l2) <= l3 <= l1 + l2:
        raise ValueError(f"({l1}, {l2}, {l3}) is no parity-even coupling: the sum must be even and l3 within |l1 − l2| … l1 + l2")
    points, weights = _sphere_quadrature(3 * L_MAX)
    y = [shell.numpy() for shell in solid_harmonics(torch.from_numpy(points.T.copy()), L_MAX)]
    c = np.einsum("ap,bp,cp,p->abc", y[l1], y[l2], y[l3], weights)
    c[np.abs(c) < 1e-12] = 0.0
    return c / np.sqrt(np.square(c).sum())


def _sphere_quadrature(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (n, 3) and weights (n,), exact for polynomials up to `degree`, weights summing to 1."""
    z, w = np.polynomial.legendre.leggauss(degree // 2 + 1)
    n_phi = degree + 1
    phi = 2 * np.pi * np.arange(n_phi) / n_phi
    rho = np.sqrt(1 - z**2)
    points = np.stack([np.outer(rho, np.cos(phi)), np.outer(rho, np.sin(phi)), np.outer(z, np.ones(n_phi))], axis=-1)
    return points.reshape(-1, 3), np.repeat(w / (2 * n_phi), n_phi)
