"""Trajectories with a path that is known."""

from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.trajectory import Frames, Series, Trajectory

TRICLINIC = np.array([[9.0, 0.5, -0.3], [2.0, 8.0, 0.4], [-1.5, 1.0, 10.0]])


def sulphide(rng: np.random.Generator, cell: np.ndarray = TRICLINIC) -> Atoms:
    """Twelve atoms of three species in mixed order."""
    return Atoms("LiPSLiSSLiSPLiSLi", rng.random((12, 3)) @ cell, cell=cell, pbc=True)


def path_of(atoms: Atoms, n_frames: int, rng: np.random.Generator, fluctuating: bool = False, between: int = 10) -> Frames:
    """Vibrations about a drift that takes each atom through many cells; a skewed cell that breathes and shears, if asked."""
    t = np.arange(n_frames)[:, None, None]
    cells = np.repeat(atoms.cell.array[None], n_frames, axis=0)
    if fluctuating:
        cells = cells @ (np.eye(3) + 0.03 * np.sin(0.37 * t + np.arange(9.0).reshape(3, 3)))
    fractions = np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T + 0.05 * t * rng.normal(size=(len(atoms), 3))
    positions = fractions @ cells + rng.normal(scale=0.1, size=(n_frames, len(atoms), 3))
    return Frames(between * np.arange(n_frames), positions, cells)


def some(frames: Frames, begin: int, end: int) -> Frames:
    return Frames(frames.steps[begin:end], frames.positions[begin:end], frames.cells[begin:end])


def some_of(series: Series, begin: int, end: int) -> Series:
    return Series(series.steps[begin:end], {name: values[begin:end] for name, values in series.values.items()})


def content(path: Path) -> dict[str, np.ndarray]:
    """All that a reader tells of a trajectory."""
    trajectory = Trajectory(path)
    (frames,) = trajectory.chunks(size=10**6) if len(trajectory) else (Frames(*np.zeros((3, 0))),)
    found = {"steps": frames.steps, "positions": frames.positions, "cells": frames.cells}
    for name in trajectory.series_names:
        series = trajectory.series(name)
        found |= {f"{name}/steps": series.steps, **{f"{name}/{value}": array for value, array in series.values.items()}}
    return found


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
