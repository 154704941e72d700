"""What a set of frames says before any training: reference energies, force sizes, neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from mlff.data.frame import Frame
from mlff.data.parts import plural
from mlff.geometry import neighbor_list

ISOLATED = "IsolatedAtom"  # the config_type of a frame that holds one atom and gives its E0


@dataclass(frozen=True)
class ReferenceEnergies:
    """energies: E0 by symbol, eV. identifiable: whether the frames fix each of them. message: one sentence for the report.

    shared: the species whose E0 the frames do not fix; they hold equal shares of what is known only as a sum.
    """

    energies: dict[str, float]
    identifiable: bool
    message: str
    shared: tuple[str, ...] = ()


def species_of(frames: Iterable[Frame]) -> tuple[str, ...]:
    """The symbols that occur, by atomic number."""
    return tuple(chemical_symbols[z] for z in sorted({int(z) for frame in frames for z in np.unique(frame.numbers)}))


def formula(frame: Frame) -> str:
    """ "Li20Ge2P4S24": symbols in the order of first appearance."""
    numbers, first = np.unique(frame.numbers, return_index=True)
    return "".join(f"{chemical_symbols[z]}{np.count_nonzero(frame.numbers == z)}" for z in numbers[np.argsort(first)])


def composition_matrix(frames: Sequence[Frame], species: Sequence[str]) -> np.ndarray:
    """Atoms of each species in each frame, (n_frames, n_species)."""
    numbers = [atomic_numbers[s] for s in species]
    return np.array([[np.count_nonzero(frame.numbers == z) for z in numbers] for frame in frames], dtype=float).reshape(-1, len(species))


def isolated_atoms(frames: Iterable[Frame]) -> dict[str, float]:
    """E0 by symbol from the frames with config_type "IsolatedAtom", eV.

    Raises:
        ValueError: such a frame without an energy, with more than one atom, or two that disagree.
    """
    found: dict[str, tuple[float, Frame]] = {}
    for frame in frames:
        if frame.info.get("config_type") != ISOLATED:
            continue
        if len(frame) != 1 or frame.energy is None:
            raise ValueError(
                f"{frame.where}: config_type is {ISOLATED} with {len(frame)} atoms and energy {frame.energy}, "
                "expected one atom with an energy; correct the frame or its config_type"
            )
        symbol = chemical_symbols[frame.numbers[0]]
        energy, first = found.setdefault(symbol, (frame.energy, frame))
        if abs(energy - frame.energy) > 1e-3:
            raise ValueError(
                f"{frame.where}: the isolated {symbol} atom has {frame.energy:.6f} eV, "
                f"but {energy:.6f} eV in {first.where}; keep the right one"
            )
    return {symbol: energy for symbol, (energy, _) in found.items()}


def fit_reference_energies(frames: Sequence[Frame], ridge: float = 1e-8, given: Mapping[str, float] | None = None) -> ReferenceEnergies:
    """E0 of each species: given, else from isolated-atom frames, else by least squares on the energies per atom.

    The fit is E/N = ē + Σ_s x_s δ_s with ē the mean energy per atom and x the composition; `ridge` (relative to one frame's squared
    composition) holds δ near zero, so that what the frames cannot tell apart gets equal shares per atom and not the counts' ratio.

    Args:
        given: E0 by symbol, eV, for some or all species.
    Raises:
        ValueError: no frame holds an energy, or `given` names a species that does not occur.
    """
    species = species_of(frames)
    known = {**isolated_atoms(frames), **(given or {})}
    if unknown := sorted(set(known) - set(species)):
        raise ValueError(f"reference energies are given for {', '.join(unknown)}, but the frames hold {', '.join(species)}; remove them")
    free = [s for s in species if s not in known]
    if not free:
        how = "given" if given else "taken from isolated-atom frames"
        return ReferenceEnergies({s: float(known[s]) for s in species}, True, f"reference energies of {', '.join(species)} were {how}")
    used = [frame for frame in frames if frame.energy is not None and frame.info.get("config_type") != ISOLATED]
    if not used:
        raise ValueError("no frame holds an energy, so reference energies cannot be fitted; give them (species → eV) or label the frames")
    counts = composition_matrix(used, species)
    n_atoms = counts.sum(axis=1)
    fixed = np.array([known.get(s, 0.0) for s in species])
    columns = [species.index(s) for s in free]
    x = counts[:, columns] / n_atoms[:, None]
    remaining = (np.array([frame.energy for frame in used]) - counts @ fixed) / n_atoms
    mean = remaining.sum() / x.sum()  # eV per atom of the species that are free
    residual = remaining - x.sum(axis=1) * mean
    delta = np.linalg.solve(x.T @ x / len(x) + ridge * np.eye(len(free)), x.T @ residual / len(x))
    energies = {**{s: float(known[s]) for s in known}, **{s: float(mean + d) for s, d in zip(free, delta, strict=True)}}
    undetermined, rank = _undetermined(np.unique(x, axis=0), free)
    fitted = f"reference energies of {', '.join(free)} by least squares over {plural(len(used), 'frame')}"
    if not undetermined:
        return ReferenceEnergies({s: energies[s] for s in species}, True, fitted)
    return ReferenceEnergies(
        {s: energies[s] for s in species},
        False,
        f"{fitted}: the compositions fix only {rank} of {len(free)} of them, "
        f"and those of {', '.join(undetermined)} share an arbitrary part (harmless at this stoichiometry, "
        f"wrong at another one); add {ISOLATED} frames of {', '.join(undetermined)}, "
        "frames of other stoichiometries, or give the energies",
        tuple(undetermined),
    )


def _undetermined(compositions: np.ndarray, species: Sequence[str]) -> tuple[list[str], int]:
    """Species that some change of E0 moves without changing any frame's energy, and the rank of the composition matrix."""
    _, sizes, directions = np.linalg.svd(compositions)
    rank = int(np.sum(sizes > 1e-6 * sizes[0]))  # compositions are exact fractions; 1e-6 is far below one atom in 10⁴
    null = directions[rank:]
    return [s for k, s in enumerate(species) if np.abs(null[:, k]).max(initial=0.0) > 1e-6], rank


@dataclass(frozen=True)
class ForceRMS:
    """Root mean square of the force components, eV/Å: overall and by symbol; nan-free, 0 for a species without force labels."""

    overall: float
    per_species: dict[str, float]


def force_rms(frames: Sequence[Frame]) -> ForceRMS:
    """√⟨F²⟩ over Cartesian components of all frames with forces.

    Raises:
        ValueError: no frame holds forces.
    """
    squares: Counter = Counter()
    counts: Counter = Counter()
    for frame in frames:
        if frame.forces is None:
            continue
        per_atom = np.square(frame.forces).sum(axis=1)
        for z in np.unique(frame.numbers):
            chosen = frame.numbers == z
            squares[chemical_symbols[z]] += float(per_atom[chosen].sum())
            counts[chemical_symbols[z]] += 3 * int(chosen.sum())
    if not counts:
        raise ValueError("no frame holds forces, so their root mean square is unknown; label the frames, or give the scale")
    return ForceRMS(
        overall=float(np.sqrt(sum(squares.values()) / sum(counts.values()))),
        per_species={s: float(np.sqrt(squares[s] / counts[s])) for s in sorted(counts, key=atomic_numbers.get)},
    )


def neighbours_per_species(frames: Sequence[Frame], r_max: float, max_frames: int = 50) -> dict[str, float]:
    """Mean number of neighbours closer than r_max (Å) of a centre of each species, over at most `max_frames` frames spread over the set."""
    edges: Counter = Counter()
    centres: Counter = Counter()
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(max_frames, len(frames))).astype(int))
    for k in chosen:
        frame = frames[k]
        edge_index, _ = neighbor_list(frame.positions, frame.cell, frame.pbc, r_max)
        degree = np.bincount(edge_index[0], minlength=len(frame))
        for z in np.unique(frame.numbers):
            edges[chemical_symbols[z]] += int(degree[frame.numbers == z].sum())
            centres[chemical_symbols[z]] += int(np.count_nonzero(frame.numbers == z))
    return {s: edges[s] / centres[s] for s in sorted(centres, key=atomic_numbers.get)}
