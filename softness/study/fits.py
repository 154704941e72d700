"""The planes of a study: of each share of extreme rows, and of each choice of neighbour species."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone
from tqdm import tqdm

from softness.artefact import Softness
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions
from softness.rows import Rows, Samples
from softness.study.reading import Sampled
from softness.validation import Validation, validate


@dataclass(frozen=True)
class Fit:
    """neighbours: species of the blocks that it is of. percent: of the samples at each end. columns: of the features of all species."""

    neighbours: tuple[str, ...]
    percent: float
    columns: np.ndarray
    softness: Softness
    validation: Validation


def fits(
    train: Sequence[Sampled],
    test: Sequence[Sampled],
    functions: RadialFunctions,
    neighbours: Mapping[str, Sequence[str]],
    percents: Sequence[float],
    plane: Hyperplane,
    permutations: int,
    provenance: Mapping,
) -> dict[tuple[str, float], Fit]:
    """By the name of the neighbours and the share. Extremes are those of each trajectory: what moves most in a cold one is mobile there.

    Raises:
        ValueError: as `Samples.extremes` and `validate`.
    """
    found = {}
    cases = [(name, tuple(species), percent) for name, species in neighbours.items() for percent in percents]
    for name, species, percent in tqdm(cases, unit="plane", desc="planes", disable=None):
        columns = columns_of(functions, species)
        own, others = ([_with(each.samples, columns) for each in side] for side in (train, test))
        rows, unseen = (Rows.join([part.extremes(percent) for part in side]) for side in (own, others))
        fitted = clone(plane).fit(rows.features, rows.mobile, rows.groups)
        worth = validate(fitted, rows, unseen, Samples.join(others), permutations)
        words = {"percent": percent, "neighbours": list(species)} | dict(provenance)
        own = replace(functions, neighbour_species=species)
        softness = Softness(fitted, own, train[0].system.mobile, words, tuple(functions.neighbour_species))
        found[name, percent] = Fit(species, percent, columns, softness, worth)
    return found


def columns_of(functions: RadialFunctions, species: Sequence[str]) -> np.ndarray:
    """Of the blocks of some of the species, in their order."""
    rungs = np.arange(functions.n_rungs)
    return np.concatenate([functions.neighbour_species.index(symbol) * functions.n_rungs + rungs for symbol in species])


def _with(samples: Samples, columns: np.ndarray) -> Samples:
    return replace(samples, features=samples.features[:, columns])
