"""Equivariant building blocks; no chemistry. Densities are (…, n_sites), the site index innermost.

Dimensions are counted from the right, so that each block also serves a committee: where its parameters have a leading
member dimension (`mlff.engine.stack`), so has what it returns.
"""
