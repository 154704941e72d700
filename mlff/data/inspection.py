"""What is in a set of frames, and what looks wrong in it, as numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols, covalent_radii

from mlff.data.frame import Frame
from mlff.data.parts import plural
from mlff.data.statistics import ISOLATED, ReferenceEnergies, composition_matrix, fit_reference_energies, formula, species_of
from mlff.data.units_check import UnitsVerdict, units_verdict
from mlff.data.unlabelled import unread_hint
from mlff.geometry import neighbor_list
from mlff.units import EV_PER_A3_TO_GPA

DUPLICATE_DISTANCE = 1e-3  # Å
TOO_SHORT = 0.6  # of the sum of covalent radii: no bond is shorter


@dataclass(frozen=True)
class Outlier:
    """A frame far from the others: its position in the set, what is far, its value with unit, and how many robust standard deviations."""

    position: int
    where: str
    what: str
    value: str
    z: float


@dataclass(frozen=True)
class Inspection:
    """Per frame (n_frames,): n_atoms; energy_residual, eV/atom after E0 (nan without energy); force_rms, force_max, eV/Å; pressure, GPa.

    counts: label → frames that have it. compositions, config_types, temperatures, energy_kinds, sources: value → frames.
    shortest: species pair → Å and frame. neighbours: symbol → mean number.
    forces: symbol → its force components, eV/Å. duplicates: groups of positions in `frames`. outliers: worst first. warnings: sentences.
    """

    n_frames: int
    species: tuple[str, ...]
    n_atoms: np.ndarray
    counts: dict[str, int]
    compositions: dict[str, int]
    config_types: dict[str, int]
    temperatures: dict[str, int]
    energy_kinds: dict[str, int]
    sources: dict[str, int]
    energy_per_atom: np.ndarray
    energy_residual: np.ndarray
    force_rms: np.ndarray
    force_max: np.ndarray
    pressure: np.ndarray
    forces: dict[str, np.ndarray]
    shortest: dict[tuple[str, str], tuple[float, str]]
    neighbours: dict[str, float]
    duplicates: list[list[int]]
    outliers: list[Outlier]
    reference: ReferenceEnergies | None
    units: UnitsVerdict
    warnings: list[str]


def inspect_frames(frames: Sequence[Frame], r_max: float = 5.0, z_max: float = 6.0) -> Inspection:
    """Look at every frame once.

    Args:
        r_max: Å; neighbours are counted, and shortest distances sought, within it.
        z_max: a frame further out than this many robust standard deviations is an outlier.
    """
    species = species_of(frames)
    reference = fit_reference_energies(frames) if any(f.energy is not None for f in frames) else None
    energy = np.array([np.nan if f.energy is None else f.energy / len(f) for f in frames])
    residual = np.full(len(frames), np.nan)
    if reference is not None:
        counts = composition_matrix(frames, species)
        residual = energy - counts @ np.array([reference.energies[s] for s in species]) / counts.sum(axis=1)
    square = [None if f.forces is None else np.square(f.forces).sum(axis=1) for f in frames]
    force_rms = np.array([np.nan if s is None else np.sqrt(s.mean() / 3) for s in square])
    force_max = np.array([np.nan if s is None else np.sqrt(s.max()) for s in square])
    pressure = np.array([np.nan if f.stress is None else -np.trace(f.stress) / 3 * EV_PER_A3_TO_GPA for f in frames])
    shortest, neighbours = _distances(frames, r_max)
    duplicates = _duplicates(frames)
    outliers = _outliers(frames, residual, force_max, pressure, z_max)
    labels = {
        "energy": sum(f.energy is not None for f in frames),
        "forces": sum(f.forces is not None for f in frames),
        "stress": sum(f.stress is not None for f in frames),
    }
    units = units_verdict(frames)
    return Inspection(
        n_frames=len(frames),
        species=species,
        n_atoms=np.array([len(f) for f in frames]),
        counts=labels,
        compositions=_count(formula(f) for f in frames),
        config_types=_count(str(f.info["config_type"]) for f in frames if "config_type" in f.info),
        temperatures=_count(f"{float(str(f.info['temperature'])):g}" for f in frames if "temperature" in f.info),
        energy_kinds=_count(f.energy_kind for f in frames if f.energy is not None),
        sources=_count(f.source for f in frames),
        energy_per_atom=energy,
        energy_residual=residual,
        force_rms=force_rms,
        force_max=force_max,
        pressure=pressure,
        forces={
            s: np.concatenate([f.forces[f.numbers == atomic_numbers[s]].ravel() for f in frames if f.forces is not None] or [np.zeros(0)])
            for s in species
        },
        shortest=shortest,
        neighbours=neighbours,
        duplicates=duplicates,
        outliers=outliers,
        reference=reference,
        units=units,
        warnings=_warnings(frames, labels, reference, units, shortest, duplicates, outliers),
    )


def robust_z(values: np.ndarray) -> np.ndarray:
    """(x − median) / (1.4826 · median |x − median|), nan where x is; 0 where the values do not vary."""
    if np.isnan(values).all():
        return np.full(len(values), np.nan)
    median = np.nanmedian(values)
    spread = 1.4826 * np.nanmedian(np.abs(values - median))  # σ of a normal distribution
    return (values - median) / spread if spread > 0 else np.where(np.isnan(values), np.nan, 0.0)


def _count(values) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _distances(frames: Sequence[Frame], r_max: float) -> tuple[dict[tuple[str, str], tuple[float, str]], dict[str, float]]:
    shortest: dict[tuple[str, str], tuple[float, str]] = {}
    edges: Counter = Counter()
    centres: Counter = Counter()
    for frame in frames:
        (i, j), shift = neighbor_list(frame.positions, frame.cell, frame.pbc, r_max)
        for z, n in zip(*np.unique(frame.numbers, return_counts=True), strict=True):
            centres[chemical_symbols[z]] += int(n)
        for z, n in zip(*np.unique(frame.numbers[i], return_counts=True), strict=True):
            edges[chemical_symbols[z]] += int(n)
        once = frame.numbers[i] <= frame.numbers[j]
        i, j, shift = i[once], j[once], shift[once]
        distances = np.linalg.norm(frame.positions[j] - frame.positions[i] + shift @ frame.cell, axis=1)
        pair = frame.numbers[i] * 1000 + frame.numbers[j]
        order = np.lexsort((distances, pair))
        kinds, first = np.unique(pair[order], return_index=True)
        for kind, k in zip(kinds, order[first], strict=True):
            key = chemical_symbols[kind // 1000], chemical_symbols[kind % 1000]
            if distances[k] < shortest.get(key, (np.inf, ""))[0]:
                shortest[key] = float(distances[k]), frame.where
    ordered = sorted(shortest, key=lambda pair: tuple(map(atomic_numbers.get, pair)))
    return {key: shortest[key] for key in ordered}, {s: edges[s] / centres[s] for s in sorted(centres, key=atomic_numbers.get)}


def _duplicates(frames: Sequence[Frame]) -> list[list[int]]:
    """Groups of frames with the same species, cell and positions (modulo the cell) within DUPLICATE_DISTANCE."""
    groups: dict[tuple, list[int]] = defaultdict(list)
    for k, frame in enumerate(frames):
        # distances from the first atom: unchanged by a shift of the whole
        relative = frame.positions - frame.positions[:1]
        if frame.pbc.all():
            fraction = np.linalg.solve(frame.cell.T, relative.T).T
            relative = (fraction - np.round(fraction)) @ frame.cell
        size = np.sqrt(np.square(relative).sum()), np.abs(frame.cell).sum()
        groups[frame.numbers.tobytes(), *(round(float(s) / DUPLICATE_DISTANCE) for s in size)].append(k)
    found = []
    for group in groups.values():
        while len(group) > 1:
            first = frames[group[0]]
            same = [group[0], *(k for k in group[1:] if _same(first, frames[k]))]
            if len(same) > 1:
                found.append(same)
            group = [k for k in group if k not in set(same)]
    return sorted(found)


def _same(one: Frame, other: Frame) -> bool:
    from mlff.data.displacements import rms_displacements

    return bool(np.abs(one.cell - other.cell).max() < DUPLICATE_DISTANCE and rms_displacements(one, [other])[0] < DUPLICATE_DISTANCE)


def _outliers(frames: Sequence[Frame], residual: np.ndarray, force_max: np.ndarray, pressure: np.ndarray, z_max: float) -> list[Outlier]:
    """Energies and pressures within each composition; largest forces, by their logarithm (they are positive and skewed), over all."""
    found = []
    isolated = np.array([f.info.get("config_type") == ISOLATED for f in frames])
    by_composition: dict[str, list[int]] = defaultdict(list)
    for k, frame in enumerate(frames):
        if not isolated[k]:
            by_composition[formula(frame)].append(k)
    for members in by_composition.values():
        for what, values, unit, scale in (("energy", residual, "meV/atom", 1e3), ("pressure", pressure, "GPa", 1.0)):
            z = robust_z(values[members])
            found += [
                Outlier(members[k], frames[members[k]].where, what, f"{scale * values[members[k]]:.4g} {unit}", float(z[k]))
                for k in np.flatnonzero(np.abs(z) > z_max)
            ]
    with np.errstate(divide="ignore"):
        z = robust_z(np.log(np.where(isolated | (force_max <= 0), np.nan, force_max)))
    found += [Outlier(int(k), frames[k].where, "largest force", f"{force_max[k]:.4g} eV/Å", float(z[k])) for k in np.flatnonzero(z > z_max)]
    return sorted(found, key=lambda outlier: -abs(outlier.z))


def _warnings(frames, labels, reference, units, shortest, duplicates, outliers) -> list[str]:
    found = []
    if not units.ok:
        found.append(units.message)
    for name, n in labels.items():
        if 0 < n < len(frames):
            found.append(f"{len(frames) - n} of {plural(len(frames), 'frame')} {'has' if len(frames) - n == 1 else 'have'} no {name}")
    if not labels["energy"] or not labels["forces"]:
        counts = ", ".join(f"{plural(n, 'frame')} {'has' if n == 1 else 'have'} {name}" for name, n in labels.items())
        found.append(f"a potential needs energies and forces: {counts}; {unread_hint(frames)}")
    if reference is not None and not reference.identifiable:
        found.append(reference.message)
    kinds = {f.energy_kind for f in frames if f.energy is not None}
    if len(kinds) > 1:
        found.append(f"energies of several kinds are mixed: {', '.join(sorted(kinds))}; read the files with energy_kind=")
    unconverged = [f.where for f in frames if f.info.get("converged") is False]
    if unconverged:
        verb = "comes" if len(unconverged) == 1 else "come"
        found.append(
            f"{plural(len(unconverged), 'frame')} {verb} from a self-consistency that did not converge (first: {unconverged[0]}); drop them"
        )
    for (one, other), (distance, where) in shortest.items():
        limit = TOO_SHORT * (covalent_radii[atomic_numbers[one]] + covalent_radii[atomic_numbers[other]])
        if distance < limit:
            found.append(f"{one}–{other} come as close as {distance:.2f} Å in {where}, below {limit:.2f} Å; look at the frame")
    if duplicates:
        differ = sum(np.ptp([frames[k].energy for k in group if frames[k].energy is not None] or [0.0]) > 1e-3 for group in duplicates)
        n = sum(map(len, duplicates)) - len(duplicates)
        advice = f"in {plural(differ, 'group')} the energies differ by more than 1 meV: two settings?" if differ else "drop the copies"
        found.append(
            f"{plural(n, 'frame')} {'repeats' if n == 1 else 'repeat'} another one (first: {frames[duplicates[0][1]].where}); {advice}"
        )
    if outliers:
        n = len({o.position for o in outliers})
        verb = "is an outlier" if n == 1 else "are outliers"
        found.append(f"{plural(n, 'frame')} {verb} (first: {outliers[0].where}); look at {'it' if n == 1 else 'them'} before training")
    return found
