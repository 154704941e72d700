"""Equivariant building blocks; no chemistry. Densities are (…, n_sites), the site index innermost."""
