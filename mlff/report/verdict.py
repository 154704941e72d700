"""The words above the numbers: one sentence of result, and what a reader must know before trusting it."""

from collections.abc import Mapping

from mlff.report.content import headline_split
from mlff.train.metrics import COLUMNS, format_number

UNUSABLE = 30.0  # %, of the RMS force: beyond it trajectories follow the errors
APART = {"force_mae": 1.5, "energy_mae": 2.0}  # times the overall error, beyond which a configuration type stands apart


def summary_sentence(metrics: Mapping[str, Mapping], mobile: str = "the mobile ion") -> str:
    """The main numbers of the split that speaks for the model (test, else val, else train), in one sentence."""
    split = headline_split(metrics)
    row, part = metrics[split]["overall"], metrics[split]["mobile"]
    name = {"test": "test", "val": "validation", "train": "training"}[split]
    errors = []
    if row["force_mae"] is not None:
        errors.append(f"forces {row['force_mae']:.1f} meV/Å (RMSE {row['force_rmse']:.1f}, {row['force_relative']:.1f} % of the RMS force)")
    if row["energy_mae"] is not None:
        errors.append(f"energies {row['energy_mae']:.2f} meV/atom")
    if row["stress_mae_gpa"] is not None:
        errors.append(f"stress {row['stress_mae_gpa']:.3f} GPa")
    text = (
        f"On {metrics[split]['n_frames']:,} {name} frames the mean absolute errors are: {', '.join(errors) or 'none, for want of labels'}."
    )
    if part["force_mae"] is not None:
        slope = format_number(metrics[split]["mobile_force_slope"], ".3f")
        text += f" For {mobile}: {part['force_mae']:.1f} meV/Å, with a force slope of {slope} (1 is exact, below 1 too soft)."
    return text


def honest_warnings(
    metrics: Mapping[str, Mapping],
    *,
    leaks: bool,
    split_description: str,
    energies_identifiable: bool,
    charged: bool = True,
) -> list[str]:
    """What limits the numbers.

    Args:
        metrics: split → result of `compute_metrics`.
        leaks, split_description: of the split the metrics were made on (`Splits`).
        energies_identifiable: whether the data fix the energy of every single atom (`ReferenceEnergies`).
        charged: whether the material has charged species, whose long-range electrostatics a potential with a cutoff lacks.
    """
    found = _too_large(metrics)
    if "test" not in metrics:
        found.append("No test split: these numbers steered the training, so they are too good.")
    if leaks:
        found.append(f"The split leaks, so the errors are too small for new configurations. Split: {split_description}.")
    if not energies_identifiable:
        found.append(
            "The energies of single atoms are not identifiable from these compositions: compare energies only between frames of "
            "the compositions trained on. Frames of other compositions, or isolated atoms, would fix it."
        )
    found += _weak_spots(metrics) + _missing_labels(metrics) + _extrapolation(metrics) + _overfitting(metrics)
    if charged:
        found.append(
            "No long-range electrostatics: the potential ends at its cutoff. Expect errors for charged surfaces, interfaces, "
            "dilute defects and dielectric response."
        )
    return found


def _too_large(metrics: Mapping[str, Mapping]) -> list[str]:
    relative = metrics[headline_split(metrics)]["overall"]["force_relative"]
    if relative is None or relative <= UNUSABLE:
        return []
    return [
        f"Not usable for dynamics: the force error (RMSE) is {relative:.0f} % of the RMS force, above {UNUSABLE:g} %. "
        "Train longer, or on more data."
    ]


def _weak_spots(metrics: Mapping[str, Mapping]) -> list[str]:
    """Configuration types whose errors are far above the overall ones, which hide them."""
    result = metrics[headline_split(metrics)]
    overall, found = result["overall"], []
    for kind, row in result["per_config_type"].items():
        known = [key for key in APART if row[key] is not None and overall[key]]
        if any(row[key] > APART[key] * overall[key] for key in known):
            errors = ", ".join(f"{key.removesuffix('_mae')} {row[key]:.1f} {COLUMNS[key][1]}" for key in known)
            usual = " and ".join(f"{overall[key]:.1f}" for key in known)
            found.append(
                f"{kind}: {errors}, against {usual} overall: do not trust the potential there before more such frames are trained on."
            )
    return found


def _missing_labels(metrics: Mapping[str, Mapping]) -> list[str]:
    found = []
    for label, consequence in (
        ("energy", "relative energies are untested"),
        ("force", "forces are untested"),
        ("stress", "pressure, elastic constants and NpT runs are untested"),
    ):
        without = [split for split, result in metrics.items() if not result["overall"][f"n_{label}"]]
        if without:
            found.append(f"No {label} labels in {', '.join(without)}: {consequence} there.")
    return found


def _extrapolation(metrics: Mapping[str, Mapping]) -> list[str]:
    seen = [float(label) for label in metrics.get("train", {}).get("per_temperature", {})]
    tested = [float(label) for label in metrics.get("test", {}).get("per_temperature", {})]
    outside = sorted(t for t in tested if seen and not min(seen) <= t <= max(seen))
    if not outside:
        return []
    return [
        f"The test set holds temperatures ({', '.join(f'{t:g} K' for t in outside)}) outside those trained on "
        f"({min(seen):g}–{max(seen):g} K): these rows measure extrapolation."
    ]


def _overfitting(metrics: Mapping[str, Mapping]) -> list[str]:
    train, test = (metrics.get(split, {}).get("overall", {}).get("force_mae") for split in ("train", "test"))
    if train and test and test > 1.5 * train:
        return [f"The test force error is {test / train:.1f} times the training error: more data will help more than more training."]
    return []
