"""Rings of medium-range order, by persistent homology: cycles of atoms, with the distances at which each closes and is filled."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlff.geometry import inside_cell, neighbor_list
from softness.radial import pairs_around

SAME = 1e-6  # Å, within which edges come in together
MOST_ATOMS = 24  # of a ring: what has not closed with so many is none


@dataclass(frozen=True)
class Rings:
    """births, deaths: (n,), Å, the length of the longest edge when a cycle closes, and when triangles have filled it; inf where they have
    not within the cutoff. sizes: (n,), atoms. centres: (n, 3), Å, means of the atoms. atoms: (sizes[k],) indices of each, in order.
    """

    births: np.ndarray
    deaths: np.ndarray
    sizes: np.ndarray
    centres: np.ndarray
    atoms: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.births)


def rings(
    positions: np.ndarray,
    cell: np.ndarray,
    symbols: Sequence[str],
    species: Sequence[str] = ("P", "S"),
    r_max: float = 5.5,
    persistence: float = 0.3,
) -> Rings:
    """One-dimensional persistent homology of the Vietoris–Rips complex: edges come in by their length, triangles with their longest edge
    (Edelsbrunner and Harer, Computational Topology, 2010; papers 004 uses persistent homology for rings of S, and of P and S).

    Distances are those of nearest images. A ring is the edge that closes a cycle with the fewest edges that were there before it and lead
    to the same image of its end: what closes round the cell alone is no ring, and is left out.

    Args:
        positions: (n, 3), Å, wherever they lie. cell: (3, 3) rows, Å, periodic. species: of the atoms in rings.
        r_max: Å, of edges. persistence: Å, deaths less births of the rings that are kept.
    Raises:
        ImportError: without the extra `topology`. ValueError: a cell in which three edges can close round it, or no such atoms.
    """
    try:
        from gudhi import SimplexTree
    except ImportError as missing:
        raise ImportError("rings need the package gudhi; pip install .[topology]") from missing

    cell = np.asarray(cell, float)
    height = float((1 / np.linalg.norm(np.linalg.inv(cell), axis=0)).min())
    if not 0 < r_max < height / 3:
        raise ValueError(
            f"found r_max {r_max:g} Å in a cell {height:.3g} Å thick, expected less than a third of it: three edges would close round the "
            "cell; repeat the structure, or take a smaller r_max"
        )
    chosen = np.flatnonzero(np.isin(np.asarray(symbols), list(species)))
    if not len(chosen):
        raise ValueError(f"found none of {', '.join(species)} in the structure, expected atoms for rings; name other species")
    inside = inside_cell(np.asarray(positions, float)[chosen], cell)
    (i, j), shifts = neighbor_list(inside, cell, [True] * 3, r_max, half=True)
    lengths = np.linalg.norm(inside[j] + shifts @ cell - inside[i], axis=1)
    tree = SimplexTree()
    tree.insert_batch(np.arange(len(chosen))[None], np.zeros(len(chosen)))
    tree.insert_batch(np.stack([i, j]), lengths)
    tree.expansion(2)
    tree.compute_persistence(min_persistence=persistence, persistence_dim_max=True)  # also where no three atoms are near
    found = _found(tree, persistence, np.stack([i, j], axis=1), shifts.astype(int), lengths)
    members = [np.array([atom for atom, _ in way]) for _, _, way in found]
    middles = [np.mean([inside[atom] + np.array(image) @ cell for atom, image in way], axis=0) for _, _, way in found]
    return Rings(
        births=np.array([birth for birth, _, _ in found]),
        deaths=np.array([death for _, death, _ in found]),
        sizes=np.array([len(way) for way in members], np.int64),
        centres=inside_cell(np.array(middles).reshape(-1, 3), cell),
        atoms=tuple(chosen[way] for way in members),
    )


def near_rings(
    found: Rings, positions: np.ndarray, cell: np.ndarray, ions: np.ndarray, r_max: float = 5.0
) -> tuple[np.ndarray, np.ndarray]:
    """Mean size, in atoms, and mean death, Å, of the rings whose centre is nearer to an ion than r_max, Å; (n_ions,) each, NaN without.
    Rings that are not filled within the cutoff of theirs have a size alone."""
    where = np.concatenate([np.asarray(positions, float)[ions], found.centres])
    words = ["ion"] * len(ions) + ["ring"] * len(found)
    rows, others, _ = pairs_around(where, cell, words, np.arange(len(ions)), ["ring"], r_max)
    return tuple(_means(values[others - len(ions)], rows, len(ions)) for values in (found.sizes.astype(float), found.deaths))


def _means(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Of the finite values of each row, (n,); NaN without."""
    known = np.isfinite(values)
    count = np.bincount(rows[known], minlength=n).astype(float)
    count[count == 0] = np.nan
    return np.bincount(rows[known], values[known], n) / count


def _found(tree, persistence: float, edges: np.ndarray, shifts: np.ndarray, lengths: np.ndarray) -> list[tuple[float, float, list]]:
    """Birth, death and the ring, atoms with their images, of each cycle that persists."""
    place = {tuple(sorted(edge)): k for k, edge in enumerate(edges.tolist())}
    neighbours: list[list[tuple[int, tuple, int]]] = [[] for _ in range(int(edges.max(initial=-1)) + 1)]
    for k, ((a, b), shift) in enumerate(zip(edges.tolist(), shifts.tolist(), strict=True)):
        neighbours[a].append((b, tuple(shift), k))
        neighbours[b].append((a, tuple(-s for s in shift), k))
    found = []
    for creator, destroyer in tree.persistence_pairs():
        if len(creator) != 2:
            continue
        birth = tree.filtration(creator)
        death = tree.filtration(destroyer) if destroyer else np.inf
        k = place[tuple(sorted(creator))]
        start, end = edges[k].tolist()
        there = lengths <= birth + SAME
        there[k] = False
        if death - birth >= persistence and (way := _way(neighbours, start, (end, tuple(shifts[k].tolist())), there)) is not None:
            found.append((birth, death, way))
    return sorted(found, key=lambda ring: ring[:2])


def _way(neighbours: list[list[tuple[int, tuple, int]]], start: int, end: tuple[int, tuple], usable: np.ndarray) -> list | None:
    """The fewest edges from an atom to an image of another, of those that may be used; atoms with their images."""
    origin = (start, (0, 0, 0))
    came = {origin: None}
    waiting = deque([(origin, 1)])
    while waiting:
        here, n = waiting.popleft()
        if n >= MOST_ATOMS:
            return None
        atom, image = here
        for other, shift, k in neighbours[atom]:
            there = (other, tuple(a + b for a, b in zip(image, shift, strict=True)))
            if not usable[k] or there in came:
                continue
            came[there] = here
            if there == end:
                way = [there]
                while came[way[-1]] is not None:
                    way.append(came[way[-1]])
                return way
            waiting.append((there, n + 1))
    return None
