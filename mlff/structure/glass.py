"""Glasses of thiophosphate anions: exact numbers of each, at random places and in random orientations."""

from collections.abc import Mapping

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from scipy.spatial import cKDTree

from mlff.structure.bodies import Bodies
from mlff.structure.charge import OF_ANION, OF_ION
from mlff.structure.distances import contact_distances
from mlff.structure.push_off import Crowded, pushed_off
from mlff.structure.thiophosphates import anion_shapes
from mlff.units import G_PER_CM3

# Å between centres and between ions when they are placed, and how often another place is tried before the last is taken: what is
# rejected here need not be pushed off, and it need not be more
APART, TRIES = 4.5, 100
ION_APART, ION_TO_ANION = 2.0, 1.8
DRAWS = 10  # before there is said to be no room: one in eight of a few anions in a small cell are jammed
# Å that an ion keeps from others of its kind, from P and from S, and that atoms of different anions keep, nearly as in crystals of
# thiophosphates: ions that begin no nearer than contacts allow lie in clumps, and anions with their S at another's P join, and the energy
# that is set free breaks more. Where there is no room for that, contacts decide.
KEPT_BY_ION = {"Li": {"Li": 3.0, "P": 2.9, "S": 2.35}, "Na": {"Na": 3.3, "P": 3.2, "S": 2.7}}
KEPT_BY_ANIONS = {("P", "S"): 3.7, ("S", "S"): 3.3, ("P", "P"): 4.4}


def glass(units: Mapping[str, int], density: float = 1.95, ion: str = "Li", *, rng: np.random.Generator) -> Atoms:
    """A cubic cell of whole anions and the ions that neutralise them, no two of them too near each other.

    It is a start for a melt–quench, and no equilibrium: places and orientations are random but for the distances.

    Args:
        units: {kind: number} of PS4, P2S7 and P2S6.
        density: g/cm³. 1.95 lies between the crystals of Li3PS4 (1.93) and Li7P3S11 (1.98); the paper's text gives none.
        ion: of charge +1.
    Returns:
        the ions first, then the anions, each in the order of its formula, wrapped by anions: an anion that crosses the boundary is in one
        piece. `info` holds units, density and charge.
    Raises:
        ValueError: an unknown anion or ion, no anions, or no room for them at this density.
    """
    shapes = anion_shapes()
    if not units or set(units) - set(shapes) or any(n != int(n) or n < 0 for n in units.values()) or not sum(units.values()):
        raise ValueError(
            f"found units {dict(units)}, expected whole numbers of {', '.join(shapes)}; give for example {{'PS4': 6, 'P2S7': 12}}"
        )
    if OF_ION.get(ion) != 1:
        raise ValueError(f"found ion {ion!r}, expected one of charge +1: {', '.join(s for s, charge in OF_ION.items() if charge == 1)}")
    n_ions = -sum(OF_ANION[kind] * count for kind, count in units.items())
    kinds = np.repeat(list(units), list(units.values()))
    mass = n_ions * atomic_masses[atomic_numbers[ion]] + sum(shapes[kind].get_masses().sum() for kind in kinds)
    edge = float((mass / (density * G_PER_CM3)) ** (1 / 3))
    wanted = [_kept_distances(ion)] * DRAWS + [contact_distances()] * DRAWS
    for number, r_min in enumerate(wanted, 1):
        try:
            bodies = pushed_off(_drawn(kinds, shapes, ion, n_ions, edge, rng), edge * np.eye(3), r_min)
            break
        except Crowded:
            if number == len(wanted):
                raise
    centres = bodies.centres()
    positions = bodies.positions + (centres % edge - centres)[bodies.of_atom]
    info = {"units": {kind: int(count) for kind, count in units.items()}, "density": density, "charge": 0}
    return Atoms(bodies.numbers, positions, cell=[edge] * 3, pbc=True, info=info)


def _kept_distances(ion: str) -> np.ndarray:
    """Of all pairs of elements, (n, n), Å, by atomic numbers: contacts, but for those of the ion and of anions."""
    r_min = contact_distances()
    of_ion = {(ion, other): distance for other, distance in KEPT_BY_ION.get(ion, {}).items()}
    for pair, distance in (of_ion | KEPT_BY_ANIONS).items():
        first, second = (atomic_numbers[symbol] for symbol in pair)
        r_min[first, second] = r_min[second, first] = distance
    return r_min


def _drawn(kinds: np.ndarray, shapes: Mapping[str, Atoms], ion: str, n_ions: int, edge: float, rng: np.random.Generator) -> Bodies:
    """Ions and anions at random, some of them too near each other."""
    anions = _placed(kinds, shapes, edge, rng)
    ions = _between(anions.positions, n_ions, edge, rng)
    return Bodies(
        np.concatenate([np.full(n_ions, atomic_numbers[ion]), anions.numbers]),
        np.concatenate([ions, anions.positions]),
        np.concatenate([np.arange(n_ions), n_ions + anions.of_atom]),
        np.concatenate([np.full(n_ions, ion), kinds]),
    )


def _placed(kinds: np.ndarray, shapes: Mapping[str, Atoms], edge: float, rng: np.random.Generator) -> Bodies:
    """Anions in random orientations, their centres apart where a place is found."""
    from scipy.spatial.transform import Rotation  # here, because it takes a while to import

    centres = np.empty((len(kinds), 3))
    for k in range(len(kinds)):
        trials = rng.uniform(0, edge, (TRIES, 3))
        vectors = trials[:, None] - centres[:k]
        vectors -= edge * np.round(vectors / edge)
        nearest = np.linalg.norm(vectors, axis=-1).min(1, initial=np.inf)
        free = np.flatnonzero(nearest > APART)
        centres[k] = trials[free[0] if len(free) else nearest.argmax()]
    turns = Rotation.random(len(kinds), random_state=rng).as_matrix()
    placed = [centre + shapes[kind].positions @ turn for centre, kind, turn in zip(centres, kinds, turns, strict=True)]
    of_atom = np.repeat(np.arange(len(kinds)), [len(p) for p in placed])
    return Bodies(np.concatenate([shapes[kind].numbers for kind in kinds]), np.concatenate(placed), of_atom, kinds)


def _between(occupied: np.ndarray, count: int, edge: float, rng: np.random.Generator) -> np.ndarray:
    """Random places, (count, 3), away from the positions given and from each other; as near to that as there is room for."""
    anions = cKDTree(occupied % edge, boxsize=edge)
    found = np.empty((0, 3))
    scale = 1.0
    while len(found) < count:
        trials = rng.uniform(0, edge, (4 * count, 3))
        trials = trials[anions.query(trials)[0] > scale * ION_TO_ANION]
        near = cKDTree(np.concatenate([found, trials]), boxsize=edge).query_pairs(scale * ION_APART, output_type="ndarray")
        # of a pair the later one goes, also where the earlier one has gone
        lost = np.unique(near.max(1, initial=-1)) if len(near) else np.empty(0, int)
        kept = np.setdiff1d(np.arange(len(found) + len(trials)), lost[lost >= len(found)])
        found = np.concatenate([found, trials])[kept]
        scale *= 0.95
    return found[:count]
