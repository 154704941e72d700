"""CP2K (Quickstep, GPW) as an oracle."""

from mlff.oracle.cp2k.oracle import CP2K

__all__ = ["CP2K"]
