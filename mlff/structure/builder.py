"""What a builder is, and what is checked and noted of everything that one returns."""

import inspect
from functools import partial
from typing import Protocol

import numpy as np
from ase import Atoms

from mlff.structure.charge import formal_charge
from mlff.structure.distances import check_distances


class Builder(Protocol):
    """Draws only from rng, so that a seed decides the structure; its parameters are bound before (`functools.partial`).

    Returns:
        periodic atoms, or a list of them. `info["charge"]` is the formal charge of the cell in e, None where it is not known; what was
        drawn, and where the structure comes from, stands beside it.
    """

    def __call__(self, *, rng: np.random.Generator) -> Atoms | list[Atoms]: ...


def built(builder: Builder, seed: int) -> list[Atoms]:
    """The structures of a builder, checked; `info` gains builder, parameters and seed.

    Raises:
        ValueError: overlapping atoms, an axis that is not periodic, or another formal charge than `info["charge"]` says.
    """
    returned = builder(rng=np.random.default_rng(seed))
    frames = [returned] if isinstance(returned, Atoms) else list(returned)
    name, parameters = _called(builder)
    for number, atoms in enumerate(frames):
        check_built(atoms, name if len(frames) == 1 else f"{name}, structure {number}")
        atoms.info |= {"builder": name, "parameters": parameters, "seed": seed}
    return frames


def check_built(atoms: Atoms, name: str) -> None:
    """Raises:
    ValueError: overlapping atoms, an axis that is not periodic, or another formal charge than `info["charge"]` says.
    """
    if not atoms.pbc.all() or not atoms.cell.rank == 3:
        raise ValueError(
            f"{name}: found pbc {atoms.pbc.tolist()} and cell {atoms.cell.tolist()}, expected three periodic axes; give vacuum as space"
        )
    check_distances(atoms, name)
    charge, unknown = formal_charge(atoms)
    stated = atoms.info["charge"]
    if stated is not None and (unknown or charge != stated):
        wanted = f"{stated:+d} e" if stated else "a neutral cell"
        raise ValueError(
            f"{name}: found a formal charge of {charge:+d} e and {unknown or 'nothing'} of unknown charge, expected {wanted}; "
            "compensate what was added or taken out, or keep anions whole"
        )


def _called(builder: Builder) -> tuple[str, dict]:
    """The name of the builder, and its parameters as far as they are plain values."""
    function, given = (builder.func, builder.keywords) if isinstance(builder, partial) else (builder, {})
    defaults = {key: p.default for key, p in inspect.signature(function).parameters.items() if p.default is not p.empty}
    return function.__name__, {key: value if _plain(value) else str(value) for key, value in (defaults | given).items() if key != "rng"}


def _plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(v) for key, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(_plain(v) for v in value)
    return value is None or isinstance(value, (str, int, float, bool))
