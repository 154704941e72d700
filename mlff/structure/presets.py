"""Structures of publications that a builder makes: presets.json."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.formula import Formula


@cache
def presets() -> Mapping[str, Mapping]:
    """Name → builder ("argyrodite.configuration": a function of a module beside this one), parameters, formula of the cell, used_in."""
    return json.loads((Path(__file__).parent / "presets.json").read_text(encoding="utf-8"))


def preset(name: str, rng: np.random.Generator) -> Atoms:
    """The structure of presets.json; `info` gains preset and used_in.

    Raises:
        ValueError: the composition is not the published one.
    """
    entry = presets()[name]
    module, function = entry["builder"].split(".")
    atoms = getattr(import_module(f"mlff.structure.{module}"), function)(**entry["parameters"], rng=rng)
    expected, found = Formula(entry["formula"]).count(), atoms.symbols.formula.count()
    if found != expected:
        raise ValueError(f"{name}: found {found}, expected {expected}; correct the builder, or the entry of presets.json")
    atoms.info |= {"preset": name, "used_in": entry["used_in"]}
    return atoms
