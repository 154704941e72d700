"""Structures of a builder: written, listed, and drawn to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.io import write
from rich.table import Column, Table

from mlff.geometry import classify, neighbor_list, structural_units
from mlff.run.console import console
from mlff.structure import Builder, built
from mlff.units import G_PER_CM3

NEAR = 4.0  # Å, how far shortest distances are looked for


@dataclass(frozen=True)
class BuiltRow:
    """What a line of the table says. density: g/cm³; shortest: Å by pair, "P–S", only those below 4 Å; charge: e, None where not known;
    units: what the bonded atoms make, as `structural_units` says it."""

    formula: str
    atoms: int
    cell: tuple[float, ...]
    density: float
    shortest: dict[str, float]
    charge: int | None
    units: str


def build_structures(
    builder: Builder, seed: int, output: str | Path, cif: bool = False, pictures: bool = True
) -> tuple[list[BuiltRow], list[Path]]:
    """Builds, checks and writes; the table's rows and the files, the extxyz first.

    Args:
        output: extxyz file; what else is written lies beside it, named after it and numbered where there are several structures.
    Raises:
        ValueError: as the builder, or `mlff.structure.built`.
    """
    frames = built(builder, seed)
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    write(output, frames, format="extxyz")
    files, rows = [output], [row_of(atoms) for atoms in frames]
    for number, (atoms, row) in enumerate(zip(frames, rows, strict=True)):
        stem = output.with_suffix("") if len(frames) == 1 else output.with_name(f"{output.stem}_{number:03d}")
        if cif:
            files.append(stem.with_suffix(".cif"))
            write(files[-1], atoms, format="cif")
        if pictures:
            from mlff.report.structure_picture import write_structure_picture  # here, because matplotlib takes a second to load

            files.append(write_structure_picture(stem.with_suffix(".png"), atoms, f"{row.formula}, {row.atoms} atoms"))
    return rows, files


def row_of(atoms: Atoms) -> BuiltRow:
    density = atoms.get_masses().sum() / atoms.get_volume() / G_PER_CM3
    formula = atoms.get_chemical_formula("metal")
    units = structural_units(atoms.numbers, classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc))
    return BuiltRow(formula, len(atoms), tuple(atoms.cell.cellpar()), density, shortest_distances(atoms), atoms.info["charge"], str(units))


def shortest_distances(atoms: Atoms) -> dict[str, float]:
    """Å, of each pair of elements that is found nearer than 4 Å, shortest first."""
    (i, j), shifts = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, NEAR, half=True)
    distances = np.linalg.norm(atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i], axis=1)
    kinds = np.sort(atoms.numbers[np.stack([i, j], 1)], axis=1)
    shortest = {}
    for a, b in np.unique(kinds, axis=0):
        shortest[f"{chemical_symbols[a]}–{chemical_symbols[b]}"] = float(distances[(kinds == (a, b)).all(1)].min())
    return dict(sorted(shortest.items(), key=lambda item: item[1]))


def print_rows(rows: Sequence[BuiltRow], files: Sequence[Path]) -> None:
    table = Table(Column("formula", overflow="fold"), "atoms", "cell, Å and °", "g/cm³", "shortest distances, Å", "charge, e", "anions")
    for row in rows:
        *lengths, alpha, beta, gamma = row.cell
        cell = " × ".join(f"{length:.3f}" for length in lengths)
        if not np.allclose([alpha, beta, gamma], 90, atol=0.005):
            cell += f", {alpha:.1f} {beta:.1f} {gamma:.1f}"
        near = ", ".join(f"{pair} {distance:.2f}" for pair, distance in row.shortest.items())
        charge = "not known" if row.charge is None else f"{row.charge:+d}" if row.charge else "0"
        table.add_row(row.formula, str(row.atoms), cell, f"{row.density:.3f}", near, charge, row.units)
    place = console()
    place.print(table)
    place.print("written: " + ", ".join(str(file) for file in files[:4]) + (f" and {len(files) - 4} more" if len(files) > 4 else ""))
