"""Barriers of soft and hard ions of a structure, one after the other, each kept as it is found."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import FIRE
from scipy.stats import mannwhitneyu, wilcoxon
from tqdm import tqdm

from mlff.analysis import Estimate, no_result
from mlff.report.panels import Number
from mlff.whole_file import written_whole
from softness.artefact import Softness
from softness.barriers import Band, band, pairs

ARRAYS = ("path", "energies")
FEWEST = 5  # paths


def barriers(
    atoms: Atoms, softness: Softness, calculator: Calculator, n: int, settings: Mapping, range_: tuple[float, float], kept: Path
) -> list[Band]:
    """Of n pairs, or of as many as there are, in a structure that is relaxed first; a call that was killed goes on where it was.

    Raises:
        ValueError: the structure is not relaxed in five times as many steps as a band may take.
    """
    relaxed = atoms.copy()
    relaxed.calc = calculator
    if not FIRE(relaxed, logfile=None).run(fmax=settings["fmax"], steps=5 * settings["steps"]):
        raise ValueError(f"found a structure that is not relaxed to {settings['fmax']:g} eV/Å in {5 * settings['steps']} steps; allow more")
    energy = relaxed.get_potential_energy()  # tells potentials apart that agree in the structure
    relaxed.calc = None
    words = json.dumps([dict(settings), round(energy, 4), np.round(relaxed.positions, 3).tolist()], sort_keys=True)
    key = hashlib.sha256(words.encode()).hexdigest()
    known = {(b.start, b.end): b for b in _read(kept, key)}
    ions = np.flatnonzero(np.array(relaxed.get_chemical_symbols()) == softness.centre)
    values = softness.of_frame(relaxed.positions, relaxed.cell.array, relaxed.get_chemical_symbols())
    found = []
    for start, end in tqdm(pairs(relaxed, ions, values, n, *range_), unit="path", desc="barriers", disable=None):
        if (start, end) not in known:
            known[start, end] = band(relaxed, start, end, calculator, **settings)
            _write(kept, key, list(known.values()))
        found.append(known[start, end])
    return found


def medians(bands: Sequence[Band], draws: int = 2000) -> list[Number]:
    """Of both ways, and of their difference path by path, with errors from resampling paths."""
    forward, back = (np.array([getattr(b, way) for b in bands]) for way in ("forward", "back"))
    rng = np.random.default_rng(0)
    rows = rng.integers(len(bands), size=(draws, len(bands)))
    numbers = []
    for name, values in (("soft to hard", forward), ("hard to soft", back), ("hard to soft less soft to hard", back - forward)):
        drawn = np.quantile(np.median(values[rows], axis=1), (0.025, 0.975))
        value = float(np.median(values))
        known = Estimate(value, float(np.diff(drawn)[0] / (2 * 1.96)), unit="eV") if len(bands) >= FEWEST else no_result("few paths", "eV")
        numbers += [Number(f"median barrier, {name}", known), Number(f"the same, 95 % of draws of paths, {name}", _between(*drawn))]
    return numbers


def _between(low: float, high: float) -> Estimate:
    return Estimate(None, lower=float(low), upper=float(high), unit="eV")


def alike(bands: Sequence[Band]) -> str:
    """Whether the barriers of both ways are of one distribution, in words."""
    p = mannwhitneyu([b.forward for b in bands], [b.back for b in bands], alternative="two-sided").pvalue
    text = f"If both ways were of one distribution, barriers so unlike would come up with a probability of {p:.2g} (Mann and Whitney)"
    if len(bands) < FEWEST:
        return f"{text}; {len(bands)} paths tell little."
    paired = wilcoxon([b.back - b.forward for b in bands]).pvalue
    return f"{text}; path by path, as both ways share a band, {paired:.2g} (Wilcoxon)."


def _write(kept: Path, key: str, bands: Sequence[Band]) -> None:
    rows = [vars(b) | {name: getattr(b, name).tolist() for name in ARRAYS} for b in bands]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(kept) as unfinished:
        unfinished.write_text(json.dumps({"key": key, "bands": rows}) + "\n")


def _read(kept: Path, key: str) -> list[Band]:
    """Those of the same structure, relaxed by the same potential, and settings."""
    found = json.loads(kept.read_text()) if kept.exists() else {"key": ""}
    if found["key"] != key:
        return []
    return [Band(**row | {name: np.array(row[name], float) for name in ARRAYS}) for row in found["bands"]]
