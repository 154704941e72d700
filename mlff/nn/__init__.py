"""Equivariant building blocks; no chemistry. Densities are (…, n_atoms), the atom index innermost."""
