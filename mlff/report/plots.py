"""The figures of the report: from samples and history to charts with a title, a legend and a caption."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from mlff.report.axis import Axis
from mlff.report.chart import Chart
from mlff.report.content import SPLITS, PredictionSamples, ReportContent
from mlff.report.curves import MANY, binned_band, common_extent, density, error_histogram, robust_reach, slope_through_origin, softening
from mlff.report.history import PANELS, Panel, best_step, clocks, series, stage_starts
from mlff.train.metrics import format_number
from mlff.units import EV_PER_A3_TO_GPA, TO_MILLI

SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test"}
SPLIT_COLOURS = {"train": 6, "val": 4, "test": 0}
MOST_POINTS = 2000  # frames of one split drawn one by one; densities show every atom
CELLS = 104  # of a density, along one axis
N_COLOURS = 8  # of the palette in style.css
SQUARE = {"width": 380, "height": 388}


@dataclass(frozen=True)
class Figure:
    title: str
    svg: Markup
    caption: str
    legend: tuple[tuple[int, str], ...] = ()


def energy_parity(content: ReportContent) -> Figure | None:
    """Predicted against reference energy per atom, all splits, from the mean of the reference."""
    samples = {split: content.samples[split] for split in SPLITS if split in content.samples and len(content.samples[split].energy_ref)}
    if not samples:
        return None
    zero = float(np.concatenate([s.energy_ref for s in samples.values()]).mean())
    pairs = {split: [TO_MILLI * (e - zero) for e in (s.energy_ref, s.energy_pred)] for split, s in samples.items()}
    extent = common_extent(*(e for pair in pairs.values() for e in pair))
    chart = Chart(
        Axis("reference, meV/atom", *extent),
        Axis("predicted, meV/atom", *extent),
        "Parity of energies per atom: predicted against reference",
        hover="points",
        **SQUARE,
    )
    chart.slope(1.0, "ideal")
    shown = []
    for split, (reference, predicted) in pairs.items():
        kept = np.unique(np.linspace(0, len(reference) - 1, min(len(reference), MOST_POINTS)).astype(int))
        chart.points(reference[kept], predicted[kept], SPLIT_COLOURS[split], SPLIT_NAMES[split])
        shown.append(f"{len(kept):,} of {len(reference):,} {SPLIT_NAMES[split]}")
    caption = f"From the mean reference energy, {format_number(zero, '.4f')} eV/atom. Frames shown: {', '.join(shown)}."
    return Figure("Energy", chart.svg(), caption, tuple((SPLIT_COLOURS[s], SPLIT_NAMES[s]) for s in pairs))


def force_parity(samples: PredictionSamples) -> list[Figure]:
    """Predicted against reference force components, one chart per element, every atom in it."""
    figures = []
    for element, colour in _colours(samples).items():
        chosen = samples.elements == element
        reference, predicted = samples.forces_ref[chosen].ravel(), samples.forces_pred[chosen].ravel()
        chart = _density_chart(reference, predicted, "eV/Å", f"Parity of the force components of {element}", colour)
        figures.append(Figure(f"Forces on {element}", chart.svg(), f"{reference.size:,} Cartesian components; darker holds more."))
    return figures


def stress_parity(samples: PredictionSamples) -> Figure | None:
    """Predicted against reference stress, normal and shear components apart, GPa."""
    if not len(samples.stress_ref):
        return None
    reference, predicted = EV_PER_A3_TO_GPA * samples.stress_ref, EV_PER_A3_TO_GPA * samples.stress_pred
    extent = common_extent(reference, predicted)
    chart = Chart(
        Axis("reference, GPa", *extent),
        Axis("predicted, GPa", *extent),
        "Parity of stress components: predicted against reference",
        hover="points",
        **SQUARE,
    )
    chart.slope(1.0, "ideal")
    kept = np.unique(np.linspace(0, len(reference) - 1, min(len(reference), MOST_POINTS // 3)).astype(int))
    names = ("normal (xx, yy, zz)", "shear (yz, xz, xy)")
    for colour, name, rows, columns in ((0, names[0], (0, 1, 2), (0, 1, 2)), (1, names[1], (1, 0, 0), (2, 2, 1))):
        chart.points(reference[kept][:, rows, columns].ravel(), predicted[kept][:, rows, columns].ravel(), colour, name)
    caption = f"Tension positive. {len(kept):,} of {len(reference):,} frames shown."
    return Figure("Stress", chart.svg(), caption, ((0, names[0]), (1, names[1])))


def error_by_force(samples: PredictionSamples) -> list[Figure]:
    """Length of the force error against length of the reference force, per element: median and central 90 %."""
    bands = {}
    for element in _colours(samples):
        chosen = samples.elements == element
        error = np.linalg.norm(samples.forces_pred[chosen] - samples.forces_ref[chosen], axis=1)
        bands[element] = binned_band(np.linalg.norm(samples.forces_ref[chosen], axis=1), TO_MILLI * error)
    bands = {element: band for element, band in bands.items() if len(band.x)}
    if not bands:
        return []
    x = Axis.around("size of the reference force, eV/Å", *(b.x for b in bands.values()), log=True)
    y = Axis.around("size of the force error, meV/Å", *(v for b in bands.values() for v in (b.low, b.high)), log=True)
    colours = _colours(samples)
    together = Chart(x, y, "Median force error against the size of the reference force, per element")
    ends = _tenth(x, y)
    together.guide(*ends, "10 %")
    for element, band in bands.items():
        together.line(band.x, band.median, colours[element], element)
    legend = tuple((colours[e], e) for e in bands)
    figures = [
        Figure("All elements", together.svg(), "Medians in bins of equally many atoms. Dashed: an error of a tenth of the force.", legend)
    ]
    for element, band in bands.items():
        chart = Chart(x, y, f"Force error against the size of the reference force of {element}: median and 90 % band")
        chart.band(band.x, band.low, band.high, colours[element])
        chart.guide(*ends, "10 %")
        chart.line(band.x, band.median, colours[element], "median")
        figures.append(Figure(element, chart.svg(), "Median, and the band from 5 % to 95 % of the atoms."))
    return figures


def mobile_forces(samples: PredictionSamples, mobile: Sequence[str]) -> list[Figure]:
    """Whether the potential is too soft for the mobile ion: the slope through the origin, and how it depends on the force."""
    chosen = np.isin(samples.elements, list(mobile))
    reference, predicted = samples.forces_ref[chosen], samples.forces_pred[chosen]
    slope = slope_through_origin(reference, predicted)
    if slope is None:
        return []
    name = ", ".join(mobile)
    colour = next(colour for element, colour in _colours(samples).items() if element in mobile)
    chart = _density_chart(reference.ravel(), predicted.ravel(), "eV/Å", f"Force components of {name} with a slope of {slope:.3f}", colour)
    chart.slope(slope, "fit")
    chart.note(f"slope {slope:.3f}")
    figures = [Figure(f"Slope of the forces on {name}", chart.svg(), "Thick line: least squares through the origin. Dashed: exact.")]
    band = softening(reference, predicted)
    if len(band.x):
        # the widest band belongs to the smallest forces and would flatten the rest: the axis follows the other bins
        y = Axis.around("predicted / reference", band.low[1:], band.high[1:], [0.95, 1.05])
        along = Chart(
            Axis.around("size of the reference force, eV/Å", band.x, log=True),
            y,
            f"Predicted over reference force of {name} along the reference, against its size",
            height=388,
        )
        along.band(band.x, band.low, band.high, colour)
        along.rule(y=1.0, text="exact")
        along.line(band.x, band.median, colour, "median")
        caption = (
            "Predicted force along the reference force, over its size. Below 1 the energy surface is too flat. Band: 90 % of the ions."
        )
        figures.append(Figure(f"Softening of {name}", along.svg(), caption))
    if (comparison := _softening_of_all(samples)) is not None:
        figures.append(comparison)
    return figures


def _softening_of_all(samples: PredictionSamples) -> Figure | None:
    colours = _colours(samples)
    bands = {e: softening(samples.forces_ref[samples.elements == e], samples.forces_pred[samples.elements == e]) for e in colours}
    bands = {element: band for element, band in bands.items() if len(band.x)}
    if not bands:
        return None
    chart = Chart(
        Axis.around("size of the reference force, eV/Å", *(b.x for b in bands.values()), log=True),
        Axis.around("predicted / reference", *(b.median for b in bands.values()), [0.95, 1.05]),
        "Median of predicted over reference force along the reference, per element",
        height=388,
    )
    chart.rule(y=1.0, text="exact")
    for element, band in bands.items():
        chart.line(band.x, band.median, colours[element], element)
    legend = tuple((colours[element], element) for element in bands)
    return Figure("Softening of every element", chart.svg(), "Medians; the mobile ion beside the framework.", legend)


def error_distributions(content: ReportContent) -> list[Figure]:
    """Histograms of the energy and force errors of every split: fat tails and overfitting show here."""
    kinds = (
        ("Force errors", "error of a force component, meV/Å", lambda s: TO_MILLI * (s.forces_pred - s.forces_ref).ravel()),
        ("Energy errors", "error of the energy, meV/atom", lambda s: TO_MILLI * (s.energy_pred - s.energy_ref)),
        ("Stress errors", "error of a stress component, GPa", lambda s: EV_PER_A3_TO_GPA * (s.stress_pred - s.stress_ref).ravel()),
    )
    figures = []
    for title, label, errors_of in kinds:
        errors = {split: errors_of(content.samples[split]) for split in SPLITS if split in content.samples}
        errors = {split: e for split, e in errors.items() if len(e)}
        if not errors:
            continue
        reach = 1.05 * max(robust_reach(e) for e in errors.values()) or 1.0
        edges = np.linspace(-reach, reach, 62 if min(len(e) for e in errors.values()) > MANY else 22)
        heights = {split: error_histogram(e, edges) for split, e in errors.items()}
        chart = Chart(
            Axis(label, -reach, reach),
            Axis.around("share, %", *heights.values(), log=True),
            f"Distribution of {title.lower()} of each split",
        )
        for split, share in heights.items():
            chart.steps(edges, share, SPLIT_COLOURS[split], SPLIT_NAMES[split])
        outside = ", ".join(f"{100 * np.mean(np.abs(e) > reach):.3g} % {SPLIT_NAMES[split]}" for split, e in errors.items())
        legend = tuple((SPLIT_COLOURS[s], SPLIT_NAMES[s]) for s in errors)
        figures.append(Figure(title, chart.svg(), f"Logarithmic share per bin. Outside this window: {outside}.", legend))
    return figures


def learning_curves(rows: Sequence[Mapping]) -> dict[str, list[Figure]]:
    """One set of charts per clock (wall time, epoch, step) that the history holds."""
    return {clock.name: [f for panel in PANELS if (f := _learning_curve(rows, panel, clock)) is not None] for clock in clocks(rows)}


def _learning_curve(rows: Sequence[Mapping], panel: Panel, clock) -> Figure | None:
    curves = {name: s for name, key in panel.keys.items() if (s := series(rows, clock, key)) is not None}
    if not curves:
        return None
    whole = np.concatenate([x for x, _ in curves.values()])
    stages = stage_starts(rows, clock)
    chart = Chart(
        Axis.around(clock.label, whole, zero=True),
        Axis.around(panel.label, *(y for _, y in curves.values()), log=True),
        f"{panel.title} during training, against {clock.label}",
    )
    for at, stage in stages:
        chart.rule(x=at, text=stage)
    for name, (x, y) in curves.items():
        chart.line(x, y, SPLIT_COLOURS[name], SPLIT_NAMES[name])
    caption = ""
    if "val" in curves and (best := best_step(*curves["val"])) is not None:
        unit = panel.label.partition(", ")[2]
        at = f"{best[0]:.3g} min" if clock.name == "Wall time" else f"{clock.label} {best[0]:,.0f}"
        caption = f"Best validation: {best[1]:.4g} {unit} at {at}."
    legend = tuple((SPLIT_COLOURS[s], SPLIT_NAMES[s]) for s in curves) if panel.title != "Learning rate" else ()
    return Figure(panel.title, chart.svg(), caption, legend)


def _density_chart(reference: np.ndarray, predicted: np.ndarray, unit: str, description: str, colour: int) -> Chart:
    extent = common_extent(reference, predicted)
    chart = Chart(Axis(f"reference, {unit}", *extent), Axis(f"predicted, {unit}", *extent), description, hover="plane", **SQUARE)
    chart.slope(1.0, "ideal")
    chart.density(density(reference, predicted, extent, CELLS), colour)
    return chart


def _tenth(x: Axis, y: Axis) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the line error = force / 10 inside the plane; forces in eV/Å, errors in meV/Å."""
    ends = np.clip([x.low, x.high], y.low / (0.1 * TO_MILLI), y.high / (0.1 * TO_MILLI))
    return ends, 0.1 * TO_MILLI * ends


def _colours(samples: PredictionSamples) -> dict[str, int]:
    """Element → number in the palette, the elements by the alphabet."""
    return {element: number % N_COLOURS for number, element in enumerate(sorted(set(samples.elements.tolist())))}
