"""Spectra of velocities."""
