"""Pictures of a trajectory in space: soft and hard ions among the anions, and the ways of ions by what they are near (papers 004, figures
3A, 3C and 4D)."""

import numpy as np

from mlff.geometry import classify, half_bonds, inside_cell
from mlff.report.panels import Particles
from softness.environments import OTHER, unit_shares, units_of_atoms
from softness.study.reading import Sampled

SHOWN = 4  # ions near each kind of unit
POINTS = 40  # of one way


def softness_picture(sampled: Sampled, softness: np.ndarray) -> Particles:
    """Of the first structure; softness: (n_ions,) there. Lines are bonds, by the kind of unit."""
    system = sampled.system
    positions, cell = sampled.structures[0]
    inside = inside_cell(positions, cell)
    kinds = units_of_atoms(classify(system.numbers, inside, cell, system.pbc).anions, len(inside))
    lines, atoms = half_bonds(system.numbers, inside, cell, system.pbc)
    return Particles(
        "Soft and hard",
        "softness",
        cell,
        inside[system.ions],
        softness,
        lines,
        [kind or OTHER for kind in kinds[atoms]],
        middle=0.0,
        caption="Ions before the first window, red soft, blue hard; bonds of the anions.",
    )


def ways(sampled: Sampled, ligand: str, time: float = 10.0) -> Particles | None:
    """Where ions go within `time`, ps, that begin among ligands of one kind of unit; None without units."""
    system = sampled.system
    n = min(sampled.n_frames, 1 + round(1000 * time / system.frame_time))
    frames = sampled.frames(0, n)
    positions, cell = frames.positions, frames.cells[0]
    anions = classify(system.numbers, positions[0], cell, system.pbc).anions
    shares = unit_shares(positions[0], cell, system.symbols, system.ions, anions, ligand=ligand)
    chosen = np.unique(np.linspace(0, n - 1, POINTS).astype(int))
    points, times, lines, kinds = [], [], [], []
    for kind, share in shares.items():
        if kind == OTHER:
            continue
        for ion in system.ions[np.argsort(-np.nan_to_num(share), kind="stable")[:SHOWN]]:
            way = positions[chosen, ion] + (inside_cell(positions[:1, ion], cell) - positions[0, ion])
            points.append(way)
            times.append(chosen * system.frame_time / 1000)
            lines.append(np.stack([way[:-1], way[1:]], axis=1))
            kinds += [f"near {kind}"] * (len(way) - 1)
    if not points:
        return None
    length = (n - 1) * system.frame_time / 1000
    return Particles(
        "Ways of ions",
        "time, ps",
        cell,
        np.concatenate(points),
        np.concatenate(times),
        np.concatenate(lines),
        kinds,
        caption=f"The {SHOWN} ions with the largest share of {ligand} of each kind of unit around them, for {length:g} ps.",
    )
