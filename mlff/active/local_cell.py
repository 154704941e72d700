"""A neutral periodic cell cut around one atom of a cell that is too large for a reference code: a grain boundary, a glass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from ase import Atoms

from mlff.structure.bodies import Bodies, bodies_of
from mlff.structure.charge import OF_ANION, OF_ION, formal_charge
from mlff.structure.distances import contact_distances
from mlff.structure.push_off import Crowded, pushed_off, too_near

LONGER = 1.25  # times the edge, up to which a period of the large cell is kept, because what is not cut has no odd surroundings
EDGES = np.linspace(0.95, 1.1, 7)  # of the edge, of which the one that leaves most atoms in place is taken: crystals fit some better
DENSE = 0.9  # of the large cell's density, at which no other edge is tried
THIN = 0.5  # of the same, below which a cell holds more void than what is to be learnt
PUSHED = 1.0  # Å, what two atoms may lack of their distance for their bodies to be pushed off each other; one is taken out beyond it
MARGIN = 0.5  # Å around the core, which others keep clear of when they are pushed
ROUNDS = 150  # of pushing, before another body is taken out
ON_A_FACE = 1e-6  # Å: an atom on a face of the box lies on one side of it, whatever the rounding


class Uncut(ValueError):
    """No cell can be cut here; `reason` says why in few words that are the same for alike frames."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class LocalCells:
    """Which frames are too large to be labelled, and what is labelled instead.

    larger_than: atoms. edge: Å, about, of the cell that is cut. core: Å around its central atom, in which nothing differs from the frame.
    """

    larger_than: int = 300
    edge: float = 14.0
    core: float = 5.0

    def __post_init__(self):
        if self.larger_than < 1:
            raise ValueError(f"local_cells.larger_than is {self.larger_than} atoms, expected at least 1")
        _check_lengths(self.edge, self.core)

    def concern(self, atoms: Atoms) -> bool:
        return len(atoms) > self.larger_than

    def cut(self, atoms: Atoms, centre: int) -> Atoms:
        return local_cell(atoms, centre, self.edge, self.core)


def local_cell(atoms: Atoms, centre: int, edge: float = 14.0, core: float = 5.0) -> Atoms:
    """An orthorhombic periodic cell around an atom, whose surroundings there are those of the large cell.

    Whole bodies (polyatomic anions, and each other ion by itself) are taken whose centres lie in the box. Those that meet another one
    across the new boundary are taken out from the outside inwards, and where little is lacking pushed off as rigid bodies. Then ions
    farthest from the central atom are taken out until the formal charge is zero. Bodies that reach into the core are not touched.

    Along an axis on which the large cell has a period of its own no longer than 1.25 edges, whole periods of it are kept instead.

    Args:
        atoms: periodic in all directions. centre: index of the atom. edge: Å. core: Å, a radius.
    Returns:
        anions in one piece, the central atom in the middle. `info` holds that of `atoms`, and local_cell_of (words), cut_around (the
        index in the large cell), centre (the index in this one), charge (e, 0), n_removed (atoms whose bodies lay in the box).
    Raises:
        ValueError: edge and core do not fit, or atoms are no crystal.
        Uncut: what is in the core meets itself across the boundary, has a charge that is not known or that no ion outside makes good,
            or the large cell is no larger than the one asked for.
    """
    _check_lengths(edge, core)
    if not all(atoms.pbc):
        raise ValueError(f"the large cell is periodic along {atoms.pbc.tolist()}, expected all three; give a surface its vacuum as a cell")
    kept, lengths = _box(atoms.cell.array, edge)
    if kept.all():
        raise Uncut(
            "the frame is no larger than a local cell",
            f"the large cell, {_words(atoms.cell.lengths())} Å, is no larger than one of {edge:g} Å; raise larger_than to label it whole",
        )
    whole, tried, reasons = bodies_of(atoms, fragments=True), [], []
    for factor in EDGES:
        sides = np.where(kept, lengths, factor * lengths)
        if sides[~kept].min() <= 2 * core:
            continue
        cut = _Cut.around(whole, atoms.cell.array, centre, sides, kept, core)
        full = int(np.bincount(cut.bodies.of_atom)[cut.inside].sum())
        try:
            tried.append((cut.without_intruders().without_unknown_charges().without_clashes().neutral(), full))
        except Uncut as reason:
            reasons.append(reason)
    found: list[Atoms] = []
    density = len(atoms) / atoms.cell.volume
    for cut, full in sorted(tried, key=lambda each: -each[0].density()):
        try:
            found.append(_finished(atoms, centre, cut.relieved(), full))
        except Uncut as reason:
            reasons.append(reason)
        if found and _density(found[-1]) >= DENSE * density:
            return found[-1]
    if not found:
        raise reasons[-1]
    densest = max(found, key=_density)
    if _density(densest) < THIN * density:
        raise Uncut(
            "a thin local cell",
            f"found {_density(densest) / density:.0%} of the large cell's density once nothing overlaps, expected {THIN:.0%} at least; "
            "use a larger edge",
        )
    return densest


@dataclass(frozen=True, eq=False)
class _Cut:
    """Bodies about the origin, where the central atom is, in a box that has some periods of its own.

    lengths: (3,), Å. kept: (3,) bool, axes along which the large cell's period goes on. core: Å.
    atom: index of the central atom. held: (n_bodies,) bool, reach into the core. inside: (n_bodies,) bool, centres lie in the box.
    r_min: by atomic numbers, Å, what atoms of different bodies keep across the boundary.
    """

    bodies: Bodies
    lengths: np.ndarray
    kept: np.ndarray
    core: float
    atom: int
    held: np.ndarray
    inside: np.ndarray
    r_min: np.ndarray

    @classmethod
    def around(cls, whole: Bodies, cell: np.ndarray, centre: int, lengths: np.ndarray, kept: np.ndarray, core: float) -> "_Cut":
        """All bodies of the endless large cell whose centres lie in the box, or which reach into the core."""
        origin = whole.positions[centre]
        centres, size = whole.centres() - origin, np.bincount(whole.of_atom)
        reach = np.zeros(len(size))
        np.maximum.at(reach, whole.of_atom, np.linalg.norm(whole.positions - origin - centres[whole.of_atom], axis=1))
        half = lengths / 2 + np.where(kept, 0, reach.max())
        fractions = centres @ np.linalg.inv(cell)
        span = np.abs(np.array(list(product((-1, 1), repeat=3))) * half @ np.linalg.inv(cell)).max(0)
        lowest, highest = np.floor(-span - fractions.max(0)).astype(int), np.ceil(span - fractions.min(0)).astype(int)
        steps = np.array(list(product(*[range(a, b + 1) for a, b in zip(lowest, highest, strict=True)])))
        which, images = [], []
        for step in steps:
            near = ((centres + step @ cell >= -half - ON_A_FACE) & (centres + step @ cell < half - ON_A_FACE)).all(1)
            which.append(np.flatnonzero(near))
            images.append(np.tile(step @ cell, (near.sum(), 1)))
        which, images = np.concatenate(which), np.concatenate(images)
        bodies = whole.chosen(which)
        bodies = replace(bodies, positions=bodies.positions - origin + images[bodies.of_atom])
        distance = np.linalg.norm(_nearest(bodies.positions, np.where(kept, lengths, np.inf)), axis=1)
        held = np.bincount(bodies.of_atom, distance <= core, len(which)) > 0
        box = lengths / 2
        inside = ((bodies.centres() >= -box - ON_A_FACE) & (bodies.centres() < box - ON_A_FACE)).all(1)
        atom = int(np.argmin(np.linalg.norm(bodies.positions, axis=1)))
        cut = cls(bodies, lengths, kept, core, atom, held, inside, contact_distances())._chosen(held | inside)
        return replace(cut, r_min=cut._as_near_as_in_the_large_cell())

    def intruders(self) -> np.ndarray:
        """(n_bodies,) bool, those that come into the core, or nearly, from across the boundary, or that were pushed into it."""
        nearest = np.linalg.norm(_nearest(self.bodies.positions, self.lengths), axis=1)
        own = np.linalg.norm(_nearest(self.bodies.positions, np.where(self.kept, self.lengths, np.inf)), axis=1)
        foreign = (nearest <= self.core) & ((nearest < own - ON_A_FACE) | ~self.held[self.bodies.of_atom])
        return np.bincount(self.bodies.of_atom, foreign, len(self.held)) > 0

    def without_intruders(self) -> "_Cut":
        """Clear of the margin too, but for what was there before."""
        own = np.linalg.norm(_nearest(self.bodies.positions, np.where(self.kept, self.lengths, np.inf)), axis=1)
        nearest = np.linalg.norm(_nearest(self.bodies.positions, self.lengths), axis=1)
        foreign = (nearest <= self.core + MARGIN) & (nearest < own - ON_A_FACE)
        gone = (np.bincount(self.bodies.of_atom, foreign, len(self.held)) > 0) & ~self.held
        self._refuse_touched(self.intruders() & self.held)
        return self._chosen(~gone)

    def without_unknown_charges(self) -> "_Cut":
        unknown = np.isnan(self.charges())
        if (unknown & self.held).any():
            kinds = sorted(set(self.bodies.kinds[unknown & self.held].tolist()))
            raise Uncut(
                "an unknown charge in the core of a local cell",
                f"found {', '.join(kinds)} near the central atom, whose formal charge is not known, expected ions and anions of "
                f"{', '.join([*OF_ANION, *OF_ION])}; label such frames whole, or leave them out",
            )
        return self._chosen(~unknown)

    def without_clashes(self) -> "_Cut":
        """One of every two bodies taken out that are much too near each other across the boundary, the outer one, outermost first."""
        pairs, lack = self._clashes()
        pairs, gone, outer = pairs[lack > PUSHED], np.zeros(len(self.held), bool), self._outwards()
        if (both := self.held[pairs].all(1)).any():
            self._refuse_touched(np.isin(np.arange(len(self.held)), pairs[both]))
        while len(pairs):
            places = np.where(self.held[pairs], -np.inf, outer[pairs])
            first = pairs.ravel()[np.argmax(places)]
            gone[first] = True
            pairs = pairs[(pairs != first).all(1)]
        return self._chosen(~gone)

    def without_outermost_clash(self) -> "_Cut":
        """Where bodies are jammed: less the outermost of those that are too near another one across the boundary."""
        touching = np.unique(self._clashes()[0])
        touching = touching[~self.held[touching]] if len(touching) else np.flatnonzero(~self.held)
        if not len(touching):
            self._refuse_touched(self.held)
        return self._chosen(np.arange(len(self.held)) != touching[np.argmax(self._outwards()[touching])])

    def neutral(self) -> "_Cut":
        """Less the outermost anions until no electron is too many, then less the outermost cations until none is missing."""
        charges, left, outer = self.charges(), np.ones(len(self.held), bool), self._outwards()
        while charge := round(charges[left].sum()):
            free = np.flatnonzero(left & ~self.held & (charges * charge > 0))
            if not len(free):
                raise Uncut(
                    "no neutral local cell",
                    f"found a charge of {charge:+d} e and no {'cation' if charge > 0 else 'anion'} outside the core of {self.core:g} Å "
                    "that could be taken out to make it good; use a smaller core or a larger edge",
                )
            left[free[np.argmax(outer[free])]] = False
        return self._chosen(left)

    def relieved(self) -> "_Cut":
        """Pushed off across the boundary until nothing is too near; less, where they are jammed, as few as that needs."""
        cut = self
        while True:
            try:
                pushed = replace(cut, bodies=pushed_off(cut.bodies, np.diag(cut.lengths), cut.r_min, ROUNDS, cut.held))
            except Crowded:
                pushed = None
            if pushed is not None and not pushed.intruders().any():
                return pushed
            cut = cut.without_outermost_clash().neutral()

    def density(self) -> float:
        """Atoms per Å³."""
        return len(self.bodies.numbers) / float(self.lengths.prod())

    def charges(self) -> np.ndarray:
        """Of each body, e; NaN where it is not known."""
        known = OF_ANION | OF_ION
        return np.array([known.get(kind, np.nan) for kind in self.bodies.kinds.tolist()])

    def _outwards(self) -> np.ndarray:
        """Distances of the bodies' centres from the central atom, Å."""
        return np.linalg.norm(self.bodies.centres(), axis=1)

    def _pairs(self, r_min: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of atoms nearer than r_min (n_pairs, 2), what they lack (n_pairs,), and whether they met by the cut (n_pairs,) bool."""
        pairs, vectors, lack = too_near(self.bodies, self.bodies.positions, np.diag(self.lengths), r_min)
        across = vectors - (self.bodies.positions[pairs[:, 1]] - self.bodies.positions[pairs[:, 0]])
        return pairs, lack, (np.abs(across) > self.lengths / 2)[:, ~self.kept].any(1)

    def _clashes(self) -> tuple[np.ndarray, np.ndarray]:
        """Bodies (n_clashes, 2) that are too near each other across the new boundary, and what they lack, Å."""
        pairs, lack, met = self._pairs(self.r_min)
        return self.bodies.of_atom[pairs[met]], lack[met]

    def _as_near_as_in_the_large_cell(self) -> np.ndarray:
        """What ions keep in a condensed phase, or what these elements have in this part of the large cell, if that is less."""
        r_min = self.r_min.copy()
        pairs, lack, met = self._pairs(r_min)
        for (i, j), short in zip(self.bodies.numbers[pairs[~met]], lack[~met], strict=True):
            found = (self.r_min[i, j] - short) * (1 - 1e-9)
            r_min[i, j] = r_min[j, i] = min(r_min[i, j], found)
        return r_min

    def _refuse_touched(self, gone: np.ndarray) -> None:
        if (gone & self.held).any():
            kinds = ", ".join(sorted(set(self.bodies.kinds[gone & self.held].tolist())))
            raise Uncut(
                "the core of a local cell meets itself",
                f"found {kinds} of the core of {self.core:g} Å too near what lies across the boundary of a cell of "
                f"{_words(self.lengths)} Å; use a larger edge or a smaller core",
            )

    def _chosen(self, which: np.ndarray) -> "_Cut":
        if which.all():
            return self
        where = np.flatnonzero(which)
        bodies = self.bodies.chosen(where)
        atom = int(np.argmin(np.linalg.norm(bodies.positions, axis=1)))
        return replace(self, bodies=bodies, atom=atom, held=self.held[where], inside=self.inside[where])


def _density(atoms: Atoms) -> float:
    return len(atoms) / atoms.cell.volume


def _box(cell: np.ndarray, edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Axes along which periods of the large cell are kept, (3,) bool, and the lengths of the box, (3,), Å."""
    kept, lengths = np.zeros(3, bool), np.full(3, float(edge))
    for axis in range(3):
        along = [row for row in cell if np.abs(np.delete(row, axis)).max() < ON_A_FACE]
        periods = np.floor(LONGER * edge / abs(along[0][axis])) if along else 0
        if periods >= 1:
            kept[axis], lengths[axis] = True, periods * abs(along[0][axis])
    return kept, lengths


def _nearest(positions: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The nearest images to the origin; a length is infinite along an axis without a period."""
    return positions - np.where(np.isinf(lengths), 0, np.round(positions / lengths) * np.where(np.isinf(lengths), 0, lengths))


def _finished(atoms: Atoms, centre: int, cut: _Cut, full: int) -> Atoms:
    found = Atoms(cut.bodies.numbers, cut.bodies.positions + cut.lengths / 2, cell=cut.lengths, pbc=True)
    wanted, there = sorted(cut.bodies.kinds.tolist()), sorted(bodies_of(found, fragments=True).kinds.tolist())
    charge, unknown = formal_charge(found)
    if wanted != there or charge or unknown:
        raise Uncut("odd bonds in a local cell", f"found the ions {there} with {charge:+d} e, expected {wanted}; use a larger edge")
    words = f"{len(atoms)} atoms, cut around atom {centre} ({atoms.symbols[centre]})"
    removed = full - int(np.bincount(cut.bodies.of_atom)[cut.inside].sum())
    own = {"local_cell_of": words, "cut_around": int(centre), "centre": cut.atom, "charge": charge, "n_removed": removed}
    found.info = dict(atoms.info) | own
    return found


def _check_lengths(edge: float, core: float) -> None:
    if not 0 < 2 * core < edge:
        raise ValueError(f"found an edge of {edge} Å and a core of {core} Å, expected a core above 0 and an edge of more than two of it")


def _words(lengths: Sequence[float]) -> str:
    return " × ".join(f"{length:.1f}" for length in lengths)
