"""Where anions point, how often they turn and how long they remember."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.anions.orientation import Directions, Orientation, Turns
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, HeatMap, Number, known_error
from mlff.units import PS, TO_MILLI

AXES = ("a", "b", "c")
DIFFER = 2.0  # standard errors, beyond which the diffusivities of C1 and C2 are told apart


@describe.register
def _(result: Orientation, system: System) -> Description:
    panels, numbers = [], []
    remarks = [
        f"A reorientation is a turn of the whole anion, with named ligands, by more than {result.least:g}° from its mean orientation since "
        f"the last one, that lasts {result.settle / PS:g} ps: a PS4 that turns by 120° about a bond counts, though it looks as before.",
        f"Turns and correlations are of {result.n_frames} frames, distributions of {result.n_counted}.",
    ]
    for kind, turns in result.turns.items():
        numbers.append(Number(f"reorientations per anion, {kind}", turns.frequency))
        panels += _traces(kind, turns)
        remarks.append(f"{kind}: {int(turns.events.sum())} reorientations of {turns.n_anions} anions in {turns.duration / PS:g} ps each.")
    for name, found in result.directions.items():
        numbers += [Number(f"D_r from C{order}, {name}", found.diffusivity[order - 1]) for order in (1, 2)]
        panels += _panels(name, found)
        remarks += _remarks(name, found)
    if result.temperature is None:
        remarks.append("Nobody told the temperature: probabilities are shown, and no free energy.")
    return Description(
        "Orientation",
        "Bonds (or the axis) of each anion against the cell axes, turns from one orientation to another, and C1 and C2, which fall as "
        "exp(−2 D_r t) and exp(−6 D_r t) where turns are many and small. Librations take their share of C at once and are no turns.",
        panels,
        numbers,
        remarks,
    )


def _traces(kind: str, turns: Turns) -> list[Curves]:
    panels, time = [], turns.times / PS
    if turns.to_axes.shape[1]:
        curves = [Curve(f"to {axis}", time, turns.to_axes[:, 0, k]) for k, axis in enumerate(AXES)]
        panels.append(Curves(f"One direction in time, {kind}", "time, ps", "angle, °", curves))
        curves = [Curve(f"anion {n + 1}", time, turns.turned[:, n]) for n in range(turns.turned.shape[1])]
        panels.append(Curves(f"Turned since the first frame, {kind}", "time, ps", "angle, °", curves, zero=True))
    return panels


def _panels(name: str, found: Directions) -> list[Curves | HeatMap]:
    angle = found.angle
    curves = [Curve(f"to {a}", angle, found.density[k], known_error(found.error[k])) for k, a in enumerate(AXES)]
    curves.append(Curve("all alike", angle, np.pi / 360 * np.sin(np.radians(angle)), style="dashed"))
    panels = [Curves(f"Angles to the axes, {name}", "angle, °", "density, 1/°", curves, zero=True)]
    edges = (np.linspace(-180, 180, found.sphere.shape[1] + 1), np.linspace(-1, 1, found.sphere.shape[0] + 1))
    places = ("azimuth from a, °", "cosine of the angle to c")
    if found.free_energy is not None:
        curves = []
        for k, a in enumerate(AXES):
            seen = np.isfinite(found.free_energy[k])
            error = known_error(found.free_energy_error[k][seen])
            energy = found.free_energy[k][seen] * TO_MILLI
            curves.append(Curve(f"to {a}", angle[seen], energy, None if error is None else error * TO_MILLI))
        panels.append(Curves(f"Free energy, {name}", "angle, °", "−kT ln P, meV", curves, zero=True))
        values = found.free_energy_map * TO_MILLI
        panels.append(HeatMap(f"Free energy of directions, {name}", *places, "−kT ln P, meV", *edges, values))
    else:
        panels.append(HeatMap(f"Directions, {name}", *places, "over the mean", *edges, found.sphere))
    if len(found.times):
        curves = [
            Curve(f"C{k}", found.times / PS, c, known_error(e))
            for k, c, e in ((1, found.c1, found.c1_error), (2, found.c2, found.c2_error))
        ]
        panels.append(Curves(f"Memory, {name}", "lag, ps", "correlation", curves, log_x=True))
    return panels


def _remarks(name: str, found: Directions) -> list[str]:
    one, two = found.diffusivity
    if one.known and two.known and one.value - two.value > DIFFER * np.hypot(one.error, two.error):
        return [f"{name}: D_r from C1 is larger than from C2, so that they turn by jumps rather than by many small steps."]
    return []
