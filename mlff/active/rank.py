"""Rankings by name, made for the pool of a round."""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms

from mlff.active.rankings import FarthestPoint, MaxVol, Random, Ranking, Uncertain
from mlff.active.select import Pick
from mlff.active.surrogate import Surrogate

RankBy = Callable[[Sequence[Pick], Surrogate, Sequence[Atoms], np.random.Generator], Ranking]


def farthest_point(pool: Sequence[Pick], surrogate: Surrogate, known: Sequence[Atoms], rng: np.random.Generator) -> Ranking:
    """Far, in the features of the last layer, from all that was trained on (the default)."""
    if not pool:
        return Random(0, rng)
    rows, symbols = np.concatenate(surrogate.features(known)), np.concatenate([_symbols(frame) for frame in known])
    by_element = {symbol: rows[symbols == symbol] for symbol in np.unique(symbols).tolist()}
    frames = [pick.atoms for pick in pool]
    return FarthestPoint(surrogate.features(frames), [_symbols(frame) for frame in frames], by_element, rng)


def maxvol(pool: Sequence[Pick], surrogate: Surrogate, known: Sequence[Atoms], rng: np.random.Generator) -> Ranking:
    """Of a large extrapolation grade, as for moment tensor potentials."""
    grade = surrogate.artefact.grade
    if grade is None:
        raise ValueError(f"{surrogate.path} holds no extrapolation grade; choose another `selection.rank_by`")
    frames = [pick.atoms for pick in pool]
    if not pool:
        return Random(0, rng)
    inverses = {symbol: active.inverse for symbol, active in grade.sets.items()}
    return MaxVol(surrogate.features(frames), [_symbols(frame) for frame in frames], inverses)


def random(pool: Sequence[Pick], surrogate: Surrogate, known: Sequence[Atoms], rng: np.random.Generator) -> Ranking:
    """Any, as DP-GEN takes them."""
    return Random(len(pool), rng)


def uncertain(pool: Sequence[Pick], surrogate: Surrogate, known: Sequence[Atoms], rng: np.random.Generator) -> Ranking:
    """The most uncertain first."""
    return Uncertain(np.array([pick.value for pick in pool]))


RANKINGS: dict[str, RankBy] = {"farthest_point": farthest_point, "maxvol": maxvol, "random": random, "uncertain": uncertain}


def _symbols(atoms: Atoms) -> np.ndarray:
    return np.array(atoms.get_chemical_symbols())
