"""Equivariant force fields, molecular dynamics and transport for solid-state ion conductors."""

import os

__version__ = "0.1.0"

# Read by the OpenMP that torch brings, when torch is imported first. Kernels follow each other within microseconds: threads that sleep
# between them (OMP_WAIT_POLICY=passive) lose half the gain of a second core, and threads that wait for milliseconds (the default)
# stall whatever else runs on a busy machine. This is some ten microseconds.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
