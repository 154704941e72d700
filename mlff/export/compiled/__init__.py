"""A model compiled ahead of time by AOTInductor, for programs without Python."""

from mlff.export.compiled.potential import CompiledPotential, compile_potential, compile_stages, is_compiled

__all__ = ["CompiledPotential", "compile_potential", "compile_stages", "is_compiled"]
