"""A model compiled ahead of time by AOTInductor, for programs without Python."""

from mlff.export.compiled.potential import CompiledPotential, compile_potential, compile_stages

__all__ = ["CompiledPotential", "compile_potential", "compile_stages"]
