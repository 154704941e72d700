"""Barriers of single ions between two sites, by nudged elastic bands with any ASE calculator."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.geometry import find_mic
from ase.mep.neb import NEB, NEBOptimizer
from ase.optimize import FIRE

FEWEST, MOST = 3, 15  # images between the ends
NEAR = 0.5  # Å: ends of the moving ion that are nearer are one site
ROUGH = 0.3  # eV/Å, of the band before its highest image climbs
ASTRAY = 1.5  # Å, by which the moving ion may leave its place, or another ion, while an end is relaxed
SADDLE = 0.01  # eV, by which a maximum of a band stands out, or is none


@dataclass(frozen=True)
class Band:
    """A minimum-energy path of one ion. start, end: indices of the ion that moves and of the one whose place it takes, in the structure.

    length: Å, from end to end of the path of the ion, along it. path: (n_images, 3), Å. energies: (n_images,), eV, relative to the first.
    forces: eV/Å, largest on the band, without springs. maxima: how many of the inner images are.
    trouble: why it is not to be counted, in words; empty where it is.
    """

    start: int
    end: int
    length: float
    path: np.ndarray
    energies: np.ndarray
    forces: float
    maxima: int
    trouble: str

    @property
    def forward(self) -> float:
        """E_max − E_start, eV."""
        return float(self.energies.max() - self.energies[0])

    @property
    def back(self) -> float:
        """E_max − E_end, eV; forward − back is the difference of the ends."""
        return float(self.energies.max() - self.energies[-1])


def hop(atoms: Atoms, ion: int, target: int) -> tuple[Atoms, Atoms]:
    """Before and after an ion takes the place of another, which is missing in both: as if there were a vacancy.

    The place is that of the nearest image. The order of the atoms is that of the structure, without the target.
    """
    if ion == target or atoms[ion].symbol != atoms[target].symbol:
        raise ValueError(
            f"found ions {ion} ({atoms[ion].symbol}) and {target} ({atoms[target].symbol}), expected two different ions of one species"
        )
    before = atoms.copy()
    step = find_mic(atoms.positions[target] - atoms.positions[ion], atoms.cell, atoms.pbc)[0]
    after = atoms.copy()
    after.positions[ion] += step
    for ends in (before, after):
        del ends[target]
    return before, after


def pairs(
    atoms: Atoms, ions: Sequence[int], softness: np.ndarray, n: int, nearest: float = 5.0, farthest: float = 10.0, seed: int = 0
) -> list[tuple[int, int]]:
    """n pairs, or as many as there are, of a soft ion (S > 0) and a hard one (S < 0), soft first.

    Each ion is in one pair at most where there are enough. nearest, farthest: Å.
    """
    ions, softness = np.asarray(ions), np.asarray(softness)
    soft, hard = ions[softness > 0], ions[softness < 0]
    rng, found = np.random.default_rng(seed), []
    steps = atoms.positions[hard][None] - atoms.positions[soft][:, None]
    distances = find_mic(steps.reshape(-1, 3), atoms.cell, atoms.pbc)[1].reshape(len(soft), len(hard))
    candidates = rng.permutation(np.argwhere((distances >= nearest) & (distances <= farthest)))
    used: set[int] = set()
    for again in (False, True):
        for a, b in candidates.tolist():
            pair = (int(soft[a]), int(hard[b]))
            if len(found) < n and pair not in found and (again or not used & set(pair)):
                found.append(pair)
                used |= set(pair)
    return found


def band(
    atoms: Atoms,
    ion: int,
    target: int,
    calculator: Calculator,
    spacing: float = 0.7,
    fmax: float = 0.05,
    steps: int = 300,
    ends: Callable[[Atoms, int, int], tuple[Atoms, Atoms]] = hop,
) -> Band:
    """The path of an ion to the place of another.

    Both ends are relaxed; images lie about every `spacing` Å along the straight way, interpolated by pair distances (IDPP) across
    boundaries; improved tangents; the highest image climbs once the band is smooth.

    Args:
        calculator: of energies and forces; one for all images. fmax: eV/Å, of the ends and of the band. steps: at most, of each.
    """
    images = list(ends(atoms, ion, target))
    moving = ion - (target < ion)
    for end in images:
        end.calc = calculator
        placed = end.positions.copy()
        if not FIRE(end, logfile=None).run(fmax=fmax, steps=steps):
            return _failed(ion, target, images, moving, f"an end was not relaxed to {fmax:g} eV/Å in {steps} steps")
        if (far := np.linalg.norm(end.positions - placed, axis=1)).max() > ASTRAY:
            return _failed(ion, target, images, moving, f"atom {int(far.argmax())} went {far.max():.1f} Å while an end was relaxed")
        end.calc = None
    _, distance = find_mic(images[1].positions[moving] - images[0].positions[moving], atoms.cell, atoms.pbc)
    if distance < NEAR:
        return _failed(ion, target, images, moving, f"both ends relax to one site, {distance:.2f} Å apart")
    n = int(np.clip(round(distance / spacing) - 1, FEWEST, MOST))
    images = [images[0], *(images[0].copy() for _ in range(n)), images[1]]
    rough = NEB(images, method="improvedtangent", allow_shared_calculator=True)
    rough.interpolate("idpp", mic=True)
    for image in images:
        image.calc = calculator
    trouble = ""
    try:
        NEBOptimizer(rough, logfile=None).run(fmax=max(ROUGH, fmax), steps=steps)
        climbing = NEB(images, method="improvedtangent", climb=True, allow_shared_calculator=True)
        if not NEBOptimizer(climbing, logfile=None).run(fmax=fmax, steps=steps):
            trouble = f"the band was not relaxed to {fmax:g} eV/Å in {steps} steps"
    except Exception as failure:  # of the integrator where a force jumps, or of the calculator: one path of many
        return _failed(ion, target, images, moving, f"the band broke: {failure}")
    energies, forces = np.array([image.get_potential_energy() for image in images]), float(climbing.get_residual())
    found = _maxima(energies)
    if not trouble and not found:
        trouble = "the path has no maximum inside: one end is no site"
    if not trouble and found > 1:
        trouble = f"the path has {found} maxima: it leads through a site in between"
    return Band(ion, target, _length(images, moving), _path(images, moving), energies - energies[0], forces, found, trouble)


def bands(atoms: Atoms, chosen: Sequence[tuple[int, int]], calculator: Calculator, **settings) -> Iterator[Band]:
    """One after the other; the settings of `band`."""
    for ion, target in chosen:
        yield band(atoms, ion, target, calculator, **settings)


def _maxima(energies: np.ndarray) -> int:
    """Inner maxima that stand out by more than `SADDLE` from what lies on both sides, up to the next higher one."""
    count = 0
    for k in range(1, len(energies) - 1):
        if energies[k] > energies[k - 1] and energies[k] >= energies[k + 1]:
            sides = []
            for part in (energies[:k][::-1], energies[k + 1 :]):
                higher = np.flatnonzero(part > energies[k])
                sides.append(part[: higher[0] if len(higher) else len(part)].min())
            count += energies[k] - max(sides) > SADDLE
    return int(count)


def _path(images: Sequence[Atoms], moving: int) -> np.ndarray:
    places = np.array([image.positions[moving] for image in images])
    steps = find_mic(np.diff(places, axis=0), images[0].cell, images[0].pbc)[0]
    return places[0] + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])


def _length(images: Sequence[Atoms], moving: int) -> float:
    return float(np.linalg.norm(np.diff(_path(images, moving), axis=0), axis=1).sum())


def _failed(ion: int, target: int, images: Sequence[Atoms], moving: int, trouble: str) -> Band:
    path = _path([images[0], images[-1]], moving)
    return Band(ion, target, float(np.linalg.norm(path[1] - path[0])), path, np.full(2, np.nan), np.nan, 0, trouble)
