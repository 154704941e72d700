"""Kernels in C++ for the CPU, compiled on the machine that runs them; tensor code stays the reference and the fallback.

`library()` is None where no compiler is found or MLFF_NATIVE=0 is set.
"""

from mlff.nn.native.library import library

__all__ = ["library"]
