"""What a plane tells of trajectories: who is soft, where, and what else they have."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.calculators.calculator import Calculator
from tqdm import tqdm

from mlff.geometry import Anion, classify
from softness.activation import Activation, activation
from softness.correlation import Trend, trend
from softness.environments import near_units, partial_g, unit_shares, units_of_atoms
from softness.field import Correlation, in_space, in_time
from softness.study.fits import Fit
from softness.study.reading import Sampled
from softness.voronoi import voronoi_volumes

EDGES = np.arange(1.5, 8.01, 0.1)  # Å, of g(r)
MOST_FRAMES = 6  # of a trajectory, in which volumes and energies are computed


@dataclass(frozen=True)
class Findings:
    """Of one trajectory.

    softness: (n_windows, n_ions), of the structures before the windows. d_cum: the same shape, Å².
    units: kinds of anions, as found in the first structure.
    near: kind → softness of the ions within 5 Å of a centre of such a unit, which ions they are, and the squares of their displacements
        in the window, Å².
    shares: kind → trend of the share of ligands against softness. g: "S in PS4, soft" → g(r) at `r`.
    volume: Å³, energy: eV, against softness; None where there are too few ions, or no potential.
    space, time: correlations of softness. deviation: eV/Å, of forces among the members of the potential's committee, by species.
    """

    name: str
    temperature: float | None
    softness: np.ndarray
    d_cum: np.ndarray
    units: dict[str, int]
    near: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    shares: dict[str, Trend]
    r: np.ndarray
    g: dict[str, np.ndarray]
    volume: Trend | None
    energy: Trend | None
    space: Correlation
    time: Correlation | None
    deviation: dict[str, float]


def findings(sampled: Sampled, fit: Fit, calculator: Calculator | None, centre: str, ligand: str, r_max: float = 5.0) -> Findings:
    """Everything of one trajectory. centre, ligand: symbols of the anions' atoms; r_max: Å, of what is near an ion."""
    system, ions = sampled.system, sampled.system.ions
    softness = fit.softness.plane.soft(sampled.samples.features[:, fit.columns]).reshape(-1, len(ions))
    squares = sampled.displacements.reshape(softness.shape)
    near: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    shares: list[dict[str, np.ndarray]] = []
    g: dict[str, list[np.ndarray]] = {}
    units: dict[str, int] = {}
    for k, (positions, cell) in enumerate(sampled.structures):
        topology = classify(system.numbers, positions, cell, system.pbc)
        units = units or topology.counts()
        for kind, chosen in near_units(positions, cell, system.symbols, ions, topology.anions, r_max, centre).items():
            near.setdefault(kind, []).append((softness[k][chosen], np.flatnonzero(chosen), squares[k][chosen]))
        shares.append(unit_shares(positions, cell, system.symbols, ions, topology.anions, r_max, ligand))
        for name, curve in _g(positions, cell, system.symbols, ions, softness[k], topology.anions, ligand).items():
            g.setdefault(name, []).append(curve)
    every = max(1, len(sampled.structures) // MOST_FRAMES)
    chosen = range(0, len(sampled.structures), every)
    own = softness[list(chosen)].reshape(-1)
    who = np.tile(np.arange(len(ions)), len(chosen))
    volumes = np.concatenate([voronoi_volumes(*sampled.structures[k], ions) for k in chosen])
    energies, deviation = _energies(sampled, chosen, calculator)
    step = sampled.system.frame_time * (sampled.samples.begins[len(ions)] - sampled.samples.begins[0]) if len(softness) > 1 else 0.0
    everyone = np.tile(np.arange(len(ions)), len(softness))
    return Findings(
        name=sampled.name,
        temperature=sampled.temperature,
        softness=softness,
        d_cum=sampled.samples.motion.reshape(softness.shape),
        units=units,
        near={kind: tuple(np.concatenate(part) for part in zip(*parts, strict=True)) for kind, parts in near.items()},
        shares=_trends(softness, shares, everyone),
        r=(EDGES[1:] + EDGES[:-1]) / 2,
        g={name: np.mean(parts, axis=0) for name, parts in g.items()},
        volume=trend(own, volumes, who),
        energy=None if energies is None else trend(own, energies, who),
        space=in_space(softness, sampled.ion_positions, sampled.cells),
        time=in_time(softness, step / 1000) if len(softness) >= 4 else None,
        deviation=deviation,
    )


def _trends(softness: np.ndarray, shares: Sequence[dict[str, np.ndarray]], who: np.ndarray) -> dict[str, Trend]:
    """A kind that is not there in a frame has no share in it."""
    found = {}
    for kind in sorted({kind for frame in shares for kind in frame}):
        of_frames = [frame.get(kind, np.zeros(softness.shape[1])) for frame in shares]
        if (one := trend(softness.reshape(-1), np.concatenate(of_frames), who)) is not None:
            found[kind] = one
    return found


def _g(
    positions: np.ndarray,
    cell: np.ndarray,
    symbols: Sequence[str],
    ions: np.ndarray,
    softness: np.ndarray,
    anions: Sequence[Anion],
    ligand: str,
) -> dict[str, np.ndarray]:
    """Of soft and of hard ions with the ligands of each kind of unit."""
    kinds = units_of_atoms(anions, len(symbols))
    is_ligand = np.asarray(symbols) == ligand
    targets = {kind: np.flatnonzero(is_ligand & (kinds == kind)) for kind in sorted({anion.kind for anion in anions})}
    found = {}
    for word, chosen in (("soft", ions[softness > 0]), ("hard", ions[softness <= 0])):
        if len(chosen) and targets:
            for kind, curve in partial_g(positions, cell, symbols, chosen, targets, EDGES).items():
                found[f"{ligand} in {kind}, {word}"] = curve
    return found


def _energies(sampled: Sampled, chosen: Sequence[int], calculator: Calculator | None) -> tuple[np.ndarray | None, dict[str, float]]:
    """Potential energy of each ion in the chosen structures, eV, and the deviation of a committee by species, eV/Å rms."""
    if calculator is None:
        return None, {}
    found, spread = [], []
    symbols = np.array(sampled.system.symbols)
    for k in tqdm(chosen, unit="frame", desc="energies", disable=None):
        frame = sampled.samples.at[k * len(sampled.system.ions)]  # what was there, not a mean of it, which is no structure
        atoms = sampled.atoms(int(frame))
        calculator.calculate(atoms, ["energy", "forces"])
        if "energies" not in calculator.results:
            return None, {}
        found.append(np.asarray(calculator.results["energies"])[sampled.system.ions])
        if "forces_comm" in calculator.results:
            members = np.asarray(calculator.results["forces_comm"])
            spread.append(np.square(members - members.mean(0)).sum(-1).mean(0))
    deviation = {}
    if spread:
        mean = np.mean(spread, axis=0)
        deviation = {symbol: float(np.sqrt(mean[symbols == symbol].mean())) for symbol in dict.fromkeys(symbols.tolist())}
    return np.concatenate(found), deviation


def rearranging(found: Sequence[Findings], sampled: Sequence[Sampled], length: float, n_bins: int = 6) -> Activation | None:
    """P_R(S, T): an ion rearranges that moves by more than `length`, Å, within a window; None without temperatures."""
    by_temperature: dict[float, tuple[list[np.ndarray], list[np.ndarray]]] = {}
    for each, source in zip(found, sampled, strict=True):
        if each.temperature is not None:
            softness, moved = by_temperature.setdefault(each.temperature, ([], []))
            softness.append(each.softness.reshape(-1))
            moved.append(source.displacements > length**2)
    if not by_temperature:
        return None
    return activation({T: (np.concatenate(s), np.concatenate(m)) for T, (s, m) in by_temperature.items()}, n_bins)
