"""Barriers of soft and hard ions of a structure, one after the other, each kept as it is found."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import FIRE
from scipy.stats import mannwhitneyu
from tqdm import tqdm

from mlff.analysis import Estimate
from mlff.report.panels import Number
from mlff.whole_file import written_whole
from softness.artefact import Softness
from softness.barriers import Band, band, pairs

ARRAYS = ("path", "energies")


def barriers(
    atoms: Atoms, softness: Softness, calculator: Calculator, n: int, settings: Mapping, range_: tuple[float, float], kept: Path
) -> list[Band]:
    """Of n pairs in a structure that is relaxed first; a call that was killed goes on where it was."""
    known = {(b.start, b.end): b for b in _read(kept)}
    relaxed = atoms.copy()
    relaxed.calc = calculator
    FIRE(relaxed, logfile=None).run(fmax=settings["fmax"], steps=5 * settings["steps"])
    relaxed.calc = None
    ions = np.flatnonzero(np.array(relaxed.get_chemical_symbols()) == softness.centre)
    values = softness.of_frame(relaxed.positions, relaxed.cell.array, relaxed.get_chemical_symbols())
    found = []
    for start, end in tqdm(pairs(relaxed, ions, values, n, *range_), unit="path", desc="barriers", disable=None):
        one = known.get((start, end)) or band(relaxed, start, end, calculator, **settings)
        found.append(one)
        _write(kept, found)
    return found


def medians(bands: Sequence[Band], draws: int = 2000) -> list[Number]:
    """Of both ways, and of their difference path by path, with errors from resampling paths."""
    forward, back = (np.array([getattr(b, way) for b in bands]) for way in ("forward", "back"))
    rng = np.random.default_rng(0)
    rows = rng.integers(len(bands), size=(draws, len(bands)))
    numbers = []
    for name, values in (("soft to hard", forward), ("hard to soft", back), ("hard to soft less soft to hard", back - forward)):
        numbers.append(
            Number(f"median barrier, {name}", Estimate(float(np.median(values)), float(np.median(values[rows], axis=1).std()), unit="eV"))
        )
    return numbers


def alike(bands: Sequence[Band]) -> str:
    """Whether the barriers of both ways are of one distribution, in words."""
    p = mannwhitneyu([b.forward for b in bands], [b.back for b in bands], alternative="two-sided").pvalue
    return f"By Mann and Whitney's test both ways are alike with a probability of {p:.2g}."


def _write(kept: Path, bands: Sequence[Band]) -> None:
    rows = [vars(b) | {name: getattr(b, name).tolist() for name in ARRAYS} for b in bands]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(kept) as unfinished:
        unfinished.write_text(json.dumps(rows) + "\n")


def _read(kept: Path) -> list[Band]:
    if not kept.exists():
        return []
    return [Band(**row | {name: np.array(row[name], float) for name in ARRAYS}) for row in json.loads(kept.read_text())]
