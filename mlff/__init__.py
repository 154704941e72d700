"""Equivariant force fields, molecular dynamics and transport for solid-state ion conductors."""

__version__ = "0.1.0"
