"""`python scripts/compare_mechanics.py`: does a model relax, compress and shear as its reference does?"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.filters import FrechetCellFilter
from ase.optimize import LBFGS
from omegaconf import DictConfig
from rich.table import Table

from mlff.analysis.elasticity import VOIGT, birch_murnaghan, hill_moduli, stiffness
from mlff.data import Frame, read_frames
from mlff.export.ase import MLFFCalculator
from mlff.run.console import console
from mlff.run.data import locate
from mlff.run.threads import set_threads
from mlff.units import EV_PER_A3_TO_GPA

RELAXED = "relaxed"


def compare_mechanics(cfg: DictConfig) -> dict[str, dict[str, float]]:
    """Print a table, write mechanics.json, and return {quantity with unit: {"reference", "model"}}."""
    set_threads(cfg.threads)
    frames = read_frames(locate(cfg.data))
    calculator = MLFFCalculator.load(cfg.model, dtype="float64")
    by_strain = {str(frame.info["strain"]): frame for frame in frames}
    if RELAXED not in by_strain:
        raise ValueError(f"{cfg.data} has no frame with strain={RELAXED!r}; make the frames with scripts/strain_frames.py and label them")
    model = {name: _answer(frame, calculator) for name, frame in by_strain.items()}
    rows = _relaxation(by_strain[RELAXED], calculator, cfg.fmax, cfg.max_steps)
    for name, reference in _mechanics(by_strain).items():
        rows[name] = {"reference": reference}
    for name, value in _mechanics(model).items():
        rows[name]["model"] = value
    _print(rows)
    folder = Path(cfg.folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mechanics.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    return rows


def _answer(frame: Frame, calculator: MLFFCalculator) -> Frame:
    """The same cell with the model's labels."""
    atoms = Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc, calculator=calculator)
    energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False)
    return Frame(frame.numbers, frame.positions, frame.cell, frame.pbc, energy, forces, stress, source=frame.source, index=frame.index)


def _relaxation(frame: Frame, calculator: MLFFCalculator, fmax: float, max_steps: int) -> dict[str, dict[str, float]]:
    """Cell lengths of the reference's relaxed cell and of the model's, which starts from it."""
    atoms = Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc, calculator=calculator)
    if not LBFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=fmax, steps=max_steps):
        raise ValueError(
            f"the model's relaxation did not reach {fmax} eV/Å in {max_steps} steps; raise `max_steps`, or look at the model's errors"
        )
    before = frame.to_atoms()
    rows = {
        f"{axis}, Å": {"reference": float(r), "model": float(m)}
        for axis, r, m in zip("abc", before.cell.lengths(), atoms.cell.lengths(), strict=True)
    }
    moved = atoms.get_scaled_positions(wrap=False) - before.get_scaled_positions(wrap=False)
    moved -= moved.mean(0)
    rows["rms displacement of the atoms, Å"] = {"reference": 0.0, "model": float(np.sqrt(np.square(moved @ frame.cell).sum(1).mean()))}
    return rows


def _mechanics(frames: Mapping[str, Frame]) -> dict[str, float]:
    """Equation of state and clamped-ion stiffness, from the labels of strained cells."""
    compressed = [frame for name, frame in frames.items() if name == RELAXED or name.startswith("volume")]
    eos = birch_murnaghan([frame.volume for frame in compressed], [frame.energy for frame in compressed])
    strain, stresses = _stresses(frames)
    c = stiffness(stresses, strain) * EV_PER_A3_TO_GPA
    bulk, shear = hill_moduli(c)
    rows = {"V0 (atoms scaled along), Å³": eos.volume, "B0 (atoms scaled along), GPa": eos.bulk_modulus * EV_PER_A3_TO_GPA}
    for i, j in ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (0, 1), (0, 2), (1, 2)):
        rows[f"C{i + 1}{j + 1} (clamped ions), GPa"] = float(c[i, j])
    return rows | {"bulk modulus (Hill), GPa": bulk, "shear modulus (Hill), GPa": shear}


def _stresses(frames: Mapping[str, Frame]) -> tuple[float, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """The strain, and for each Voigt component the stresses at + and −, from names such as "xx +0.01"."""
    sizes: set[float] = set()
    found: dict[str, dict[bool, np.ndarray]] = {}
    for name, frame in frames.items():
        component, _, size = name.partition(" ")
        if component in VOIGT:
            sizes.add(abs(float(size)))
            found.setdefault(component, {})[float(size) > 0] = frame.stress
    if len(sizes) != 1:
        raise ValueError(f"the strained cells have strains of {sorted(sizes)}, expected one size; label one set at a time")
    return sizes.pop(), {component: (pair[True], pair[False]) for component, pair in found.items() if len(pair) == 2}


def _print(rows: Mapping[str, Mapping[str, float]], columns: Sequence[str] = ("reference", "model")) -> None:
    table = Table("quantity", *columns, "difference")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[c]:.3f}" for c in columns), f"{row['model'] - row['reference']:+.3f}")
    console().print(table)
