"""Errors of predicted energies, forces and stresses against reference labels, and how they are averaged.

Energies: one error per frame, divided by its number of atoms; every frame counts the same. Forces: one error per Cartesian
component; every atom counts the same. Stress: the mean over all nine components of the 3×3 tensor, so that a shear counts
twice, as it does in the norm of the tensor; every frame counts the same. A label that is missing is masked, never zero.
"""

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

import numpy as np
from ase.data import chemical_symbols
from rich.box import SIMPLE
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from mlff.units import EV_PER_A3_TO_GPA, TO_MILLI

if TYPE_CHECKING:
    from mlff.data.frame import Frame

CROSSED = "per_config_type_and_temperature"


@dataclass(frozen=True)
class FramePrediction:
    """What a potential says about one frame: energy, eV; forces (n, 3), eV/Å; stress (3, 3), eV/Å³, tension positive, or None.

    Of a committee it is the mean, and `forces_std` (n,), eV/Å, is each atom's deviation √⟨‖F − ⟨F⟩‖²⟩ over its members.
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None
    forces_std: np.ndarray | None = None


def compute_metrics(frames: "Sequence[Frame]", predictions: Sequence[FramePrediction], mobile: Collection[str]) -> dict:
    """All error rows of a set of frames; see `MetricsAccumulator.result` for the fields.

    Args:
        frames: with the reference labels; predictions: in the same order; mobile: symbols of the mobile species, e.g. ("Li",).
    """
    if len(frames) != len(predictions):
        raise ValueError(f"found {len(frames)} frames but {len(predictions)} predictions; give one prediction per frame, in the same order")
    accumulator = MetricsAccumulator(mobile)
    for frame, prediction in zip(frames, predictions, strict=True):
        accumulator.update(frame, prediction)
    return accumulator.result()


class MetricsAccumulator:
    """Streaming errors: `update` frame by frame, `merge` parts made apart, `result` at any time.

    Sums only, except for one number per frame (its energy error), which the error after removing the mean offset needs.
    """

    def __init__(self, mobile: Collection[str]):
        if isinstance(mobile, str):
            raise ValueError(f'mobile is the text {mobile!r}; expected a collection of chemical symbols, e.g. ("{mobile}",)')
        self.mobile = frozenset(mobile)
        if unknown := sorted(self.mobile.difference(chemical_symbols)):
            raise ValueError(f'mobile holds {unknown}; expected chemical symbols such as "Li"')
        self.n_frames = 0
        self._sums: dict[tuple[str, str | tuple[str, str]], _ErrorSums] = {}

    def update(self, frame: "Frame", prediction: FramePrediction) -> None:
        """Adds one frame. Refuses non-finite predictions and wrong shapes, naming the frame."""
        forces, stress = _checked(frame, prediction)
        whole = [("overall", "")]
        for group, key in (("per_temperature", "temperature"), ("per_config_type", "config_type")):
            if frame.info.get(key) is not None:
                whole.append((group, _label(frame.info[key])))
        if len(whole) == 3:  # both are known
            whole.append((CROSSED, (whole[2][1], whole[1][1])))
        self.n_frames += 1
        if frame.energy is not None:
            error = (prediction.energy - frame.energy) / len(frame.numbers)
            for name in whole:
                self._row(name).add_energy(error)
        if frame.stress is not None and stress is not None:
            for name in whole:
                self._row(name).add_stress(stress - frame.stress)
        if frame.forces is not None:
            for name in whole:
                self._row(name).add_forces(frame.forces, forces)
            for number in np.unique(frame.numbers):
                symbol, of_element = chemical_symbols[number], frame.numbers == number
                part = "mobile" if symbol in self.mobile else "framework"
                for name in (("per_element", symbol), (part, "")):
                    self._row(name).add_forces(frame.forces[of_element], forces[of_element])

    def merge(self, other: "MetricsAccumulator") -> None:
        """Adds what another accumulator, made for the same mobile species, has seen."""
        if other.mobile != self.mobile:
            raise ValueError(
                f"cannot merge errors for mobile species {sorted(other.mobile)} into errors for {sorted(self.mobile)}; use the same on both"
            )
        self.n_frames += other.n_frames
        for name, sums in other._sums.items():
            self._row(name).add_sums(sums)

    def result(self) -> dict:
        """JSON-able: "overall", "mobile", "framework": a row; "per_element", "per_temperature", "per_config_type": {label: row};
        "per_config_type_and_temperature": {config type: {temperature: row}}, empty unless both vary; "n_frames";
        "mobile_force_slope": the slope through the origin of predicted against reference force components of the mobile species,
        Σ F_ref F_pred / Σ F_ref²; below 1 the potential is too soft.

        A row: "energy_mae", "energy_rmse", "energy_bias" (mean signed error), "energy_mae_shifted" (MAE after removing that
        mean: what remains when only the zero of energy is off), meV/atom; "force_mae", "force_rmse", meV/Å;
        "force_relative", RMSE over the RMS of the reference, %; "force_slope", as above; "stress_mae", "stress_rmse", meV/Å³, and
        with "_gpa" in GPa; "n_energy" and "n_stress", frames; "n_force", Cartesian components. None where no label was seen.
        """
        empty = _ErrorSums()
        mobile = self._sums.get(("mobile", ""), empty).row()
        return {
            "overall": self._sums.get(("overall", ""), empty).row(),
            "per_element": self._group("per_element"),
            "per_temperature": self._group("per_temperature"),
            "per_config_type": self._group("per_config_type"),
            CROSSED: self._crossed(),
            "mobile": mobile,
            "framework": self._sums.get(("framework", ""), empty).row(),
            "n_frames": self.n_frames,
            "mobile_force_slope": mobile["force_slope"],
        }

    def _row(self, name: tuple[str, str | tuple[str, str]]) -> "_ErrorSums":
        return self._sums.setdefault(name, _ErrorSums())

    def _group(self, group: str) -> dict[str, dict]:
        return {label: self._sums[group, label].row() for label in sorted((n for g, n in self._sums if g == group), key=_natural)}

    def _crossed(self) -> dict[str, dict[str, dict]]:
        """Configuration types by temperatures, where both have more than one value: else it would repeat the other groups."""
        cells = [label for group, label in self._sums if group == CROSSED]
        kinds, temperatures = (sorted(set(labels), key=_natural) for labels in (zip(*cells, strict=True) if cells else ((), ())))
        if min(len(kinds), len(temperatures)) < 2:
            return {}
        return {k: {t: self._sums[CROSSED, (k, t)].row() for t in temperatures if (k, t) in cells} for k in kinds}


@dataclass
class _ErrorSums:
    """The sums behind one row; energies per atom in eV, forces in eV/Å, stresses in eV/Å³."""

    energies: array = field(default_factory=lambda: array("d"))
    forces: np.ndarray = field(default_factory=lambda: np.zeros(5))  # count, Σ|d|, Σd², Σref², Σref·pred
    stresses: np.ndarray = field(default_factory=lambda: np.zeros(3))  # count, Σ⟨|d|⟩, Σ⟨d²⟩ with ⟨⟩ over nine components

    def add_energy(self, error: float) -> None:
        self.energies.append(error)

    def add_forces(self, reference: np.ndarray, predicted: np.ndarray) -> None:
        error = predicted - reference
        self.forces += (error.size, np.abs(error).sum(), np.square(error).sum(), np.square(reference).sum(), (reference * predicted).sum())

    def add_stress(self, error: np.ndarray) -> None:
        self.stresses += (1, np.abs(error).mean(), np.square(error).mean())

    def add_sums(self, other: "_ErrorSums") -> None:
        self.energies.extend(other.energies)
        self.forces += other.forces
        self.stresses += other.stresses

    def row(self) -> dict[str, float | int | None]:
        energy = np.asarray(self.energies)
        n_force, force_abs, force_square, reference_square, cross = self.forces
        n_stress, stress_abs, stress_square = self.stresses
        bias = energy.mean() if energy.size else None
        stress_mae, stress_rmse = _ratio(stress_abs, n_stress), _root(_ratio(stress_square, n_stress))
        row = {
            "energy_mae": _scaled(np.abs(energy).mean() if energy.size else None, TO_MILLI),
            "energy_rmse": _scaled(_root(np.square(energy).mean() if energy.size else None), TO_MILLI),
            "energy_bias": _scaled(bias, TO_MILLI),
            "energy_mae_shifted": _scaled(np.abs(energy - bias).mean() if energy.size else None, TO_MILLI),
            "force_mae": _scaled(_ratio(force_abs, n_force), TO_MILLI),
            "force_rmse": _scaled(_root(_ratio(force_square, n_force)), TO_MILLI),
            "force_relative": _scaled(_root(_ratio(force_square, reference_square)), 100.0),
            "force_slope": _scaled(_ratio(cross, reference_square), 1.0),
            "stress_mae": _scaled(stress_mae, TO_MILLI),
            "stress_rmse": _scaled(stress_rmse, TO_MILLI),
            "stress_mae_gpa": _scaled(stress_mae, EV_PER_A3_TO_GPA),
            "stress_rmse_gpa": _scaled(stress_rmse, EV_PER_A3_TO_GPA),
        }
        return row | {"n_energy": int(energy.size), "n_force": int(n_force), "n_stress": int(n_stress)}


def _checked(frame: "Frame", prediction: FramePrediction) -> tuple[np.ndarray, np.ndarray | None]:
    forces = np.asarray(prediction.forces, float)
    stress = None if prediction.stress is None else np.asarray(prediction.stress, float)
    for name, value, shape in (("forces", forces, (len(frame.numbers), 3)), ("stress", stress, (3, 3))):
        if value is not None and value.shape != shape:
            raise ValueError(
                f"{frame.where}: predicted {name} have shape {value.shape}, expected {shape}; pair each frame with its own prediction"
            )
    for name, value in (("energy", prediction.energy), ("forces", forces), ("stress", stress)):
        if value is not None and not np.all(np.isfinite(value)):
            raise ValueError(
                f"{frame.where}: the predicted {name} is not finite; expected finite numbers. "
                "Look for overlapping atoms in this frame, or for a training that has diverged"
            )
    return forces, stress


def _label(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value)


def _natural(label: str) -> tuple:
    try:  # temperatures in the order of their value, names after them by the alphabet
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def _ratio(total: float, count: float) -> float | None:
    return total / count if count > 0 else None


def _root(value: float | None) -> float | None:
    return None if value is None else np.sqrt(value)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else float(value * factor)


COLUMNS = {  # field of a row → heading with its unit and format; no E, F, S: the rows beside them are elements
    "energy_mae": ("energy MAE", "meV/atom", ".2f"),
    "energy_rmse": ("energy RMSE", "meV/atom", ".2f"),
    "energy_bias": ("energy bias", "meV/atom", "+.2f"),
    "energy_mae_shifted": ("energy MAE less bias", "meV/atom", ".2f"),
    "force_mae": ("force MAE", "meV/Å", ".1f"),
    "force_rmse": ("force RMSE", "meV/Å", ".1f"),
    "force_relative": ("force rel.", "%", ".1f"),
    "force_slope": ("force slope", "", ".3f"),
    "stress_mae": ("stress MAE", "meV/Å³", ".3f"),
    "stress_mae_gpa": ("stress MAE", "GPa", ".3f"),
    "stress_rmse_gpa": ("stress RMSE", "GPa", ".3f"),
}
PRINTED = ("energy_mae", "energy_rmse", "energy_bias", "force_mae", "force_rmse", "force_relative", "force_slope", "stress_mae_gpa")
GROUPS = {"per_element": "{}", "per_temperature": "{} K", "per_config_type": "{}"}


def metrics_table(metrics: Mapping) -> list[dict]:
    """The rows of a metrics dict in reading order, each with its "name" and "group": overall, elements, mobile, framework, …

    A part of a single element would repeat that element's row: the element is marked with it instead, "Li (mobile)".
    """
    rows = [{"group": "overall", "name": "overall", **metrics["overall"]}]
    parts = {part: single_element(metrics, part) for part in ("mobile", "framework") if metrics[part]["n_force"]}
    for row in _group_rows(metrics, ["per_element"]):
        same = [part for part, symbol in parts.items() if symbol == row["name"]]
        rows.append(row | {"name": f"{row['name']} ({same[0]})"} if same else row)
    rows += [{"group": "parts", "name": part, **metrics[part]} for part, symbol in parts.items() if symbol is None]
    return rows + _group_rows(metrics, ["per_temperature", "per_config_type"])


def single_element(metrics: Mapping, part: str) -> str | None:
    """The element that "mobile" or "framework" consists of, None where it has several: its row then says something of its own."""
    return next((symbol for symbol, row in metrics["per_element"].items() if row == metrics[part]), None)


def print_metrics(metrics: Mapping, title: str, *, file: TextIO | None = None) -> None:
    """Prints the main columns as a table of about 80 characters; one without any number is left out, a dash marks what does not apply."""
    rows = metrics_table(metrics)
    columns = [name for name in PRINTED if any(row[name] is not None for row in rows)]
    table = Table(title=f"{title}, {metrics['n_frames']:,} frames", title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in columns:
        heading, unit, _ = COLUMNS[name]
        quantity, _, kind = heading.partition(" ")  # on lines of their own, so that eight columns fit 80 characters
        table.add_column(f"{quantity}\n{kind}\n{unit}", justify="right", no_wrap=True)
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and before["group"] != row["group"]:
            table.add_section()
        table.add_row(row["name"], *(format_number(row[name], COLUMNS[name][2]) for name in columns))
    console, wide = Console(file=file), Console(width=200)
    # a number cut off in the middle reads as another number: a terminal that is too narrow wraps the lines instead
    console.width = max(console.width, Measurement.get(wide, wide.options, table).maximum)
    console.print(table)


def format_number(value: float | None, spec: str) -> str:
    """The number in the given format, or a dash where there is none; what rounds to zero has no sign."""
    text = "–" if value is None else format(value, spec).replace("-", "−")
    return text if text.strip("+−0.") else text.lstrip("+−")


def _group_rows(metrics: Mapping, groups: Iterable[str]) -> list[dict]:
    return [{"group": group, "name": GROUPS[group].format(label), **row} for group in groups for label, row in metrics[group].items()]
