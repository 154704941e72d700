"""Molecular dynamics of many replicas at once, with constraints on polyatomic anions."""
