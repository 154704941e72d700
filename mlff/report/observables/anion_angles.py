"""Angles within tetrahedra and their angular velocity."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.anions.anion_angles import AnionAngles, TetrahedronAngles
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number, known_error
from mlff.units import PS

RESOLVED = 0.9  # of ⟨ω²⟩: ten frames in a period of the vibration
SHORTER = 1e-3  # of the largest density, below which the ends of ρ(ω) are not shown


@describe.register
def _(result: AnionAngles, system: System) -> Description:
    panels, numbers, remarks = [], [], [f"Counted in {result.n_frames} frames, {result.frame_time:g} fs apart."]
    for kind, found in result.kinds.items():
        panels += _panels(kind, found, result.cutoff)
        if abs(found.ideal - 60) > 1e-9:  # twelve angles of four faces: their mean is 60° whatever the shape
            numbers.append(Number(f"mean angle, {kind}", found.mean))
        numbers += [Number(f"spread of the angles, {kind}", found.spread), Number(f"skewness of the angles, {kind}", found.skewness)]
        numbers.append(Number(f"angular velocity, root mean square, {kind}", found.omega_rms))
        remarks += _remarks(kind, found, result)
    if result.others:
        remarks.append(f"Left out, because they are no tetrahedra: {', '.join(result.others)}.")
    return Description(
        "Tetrahedra",
        "Angles between three anions of one tetrahedron, 60° in an undistorted PS4 and 70.53° at the apex of a bcc one, and how fast "
        "they change; an angle at the centre would be another one. ω is of the unfiltered angle.",
        panels,
        numbers,
        remarks,
    )


def _panels(kind: str, found: TetrahedronAngles, cutoff: float) -> list[Curves]:
    all_angles = [Curve("all", found.theta, found.density, known_error(found.error))]
    if np.isfinite(found.filtered).all():
        all_angles.append(Curve(f"below {cutoff:g} cm⁻¹", found.theta, found.filtered, known_error(found.filtered_error)))
    seen = np.flatnonzero(found.density > 0)
    shown = slice(max(0, seen[0] - 2), seen[-1] + 3)
    all_angles = [Curve(c.name, c.x[shown], c.y[shown], None if c.error is None else c.error[shown]) for c in all_angles]
    marks = {"undistorted": found.ideal}
    panels = [Curves(f"Angles, {kind}", "angle, °", "density, 1/°", all_angles, zero=True, marks=marks)]
    if np.isfinite(found.omega_density).all() and found.omega_density.any():
        seen = np.flatnonzero(found.omega_density > SHORTER * found.omega_density.max())
        ends = slice(seen[0], seen[-1] + 1)
        error = known_error(found.omega_error)
        curve = Curve(kind, found.omega[ends], found.omega_density[ends], None if error is None else error[ends])
        panels.append(Curves(f"Angular velocity, {kind}", "angular velocity, °/fs", "density, fs/°", [curve], zero=True))
    traces = [Curve(f"{n + 1}", found.times / PS, found.trace[:, n]) for n in range(found.trace.shape[1])]
    if len(found.filtered_times) > 1:
        smooth = found.filtered_trace
        traces += [Curve(f"{n + 1}, filtered", found.filtered_times / PS, smooth[:, n], style="dashed") for n in range(smooth.shape[1])]
    if traces:
        panels.append(Curves(f"Angles in time, {kind}", "time, ps", "angle, °", traces))
    return panels


def _remarks(kind: str, found: TetrahedronAngles, result: AnionAngles) -> list[str]:
    remarks = []
    if found.n_tetrahedra < found.n_all:
        remarks.append(f"{found.n_tetrahedra} of {found.n_all} tetrahedra {kind} are followed.")
    if not np.isfinite(found.resolved):
        remarks.append(f"Angles of {kind} have no angular velocity: fewer than three frames, or none that moves.")
    elif found.resolved < RESOLVED:
        remarks.append(
            f"Frames {result.frame_time:g} fs apart are too far apart for the angular velocity of {kind}: vibrations have fewer than ten "
            f"frames in a period, and the mean square is {found.resolved:.2f} of what single steps show. Store frames more often."
        )
    if not np.isfinite(found.filtered).all():
        remarks.append(f"The run is shorter than the low-pass filter at {result.cutoff:g} cm⁻¹; no filtered angles of {kind}.")
    if found.outside > 0:
        remarks.append(f"{100 * found.outside:.2g} % of the angular velocities of {kind} lie beyond the bins; raise omega_max.")
    return remarks
