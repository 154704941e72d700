"""Observables: arrays in, arrays out; no torch."""
