"""Sites of the mobile ion, its jumps between them, and what they say of how it moves."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.sites.result import Hops
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Network, Number, known_error

UNLIKELY = 0.01  # chance in equilibrium, below which the flows between sites are said to be out of balance
MUCH_OUTSIDE = 0.3  # of the time in no core: sites are missing, or ions are on no sites


@describe.register
def _(result: Hops, system: System) -> Description:
    return Description(
        "Hops",
        "An ion has jumped when it enters the core of another site, not when it crosses a border; what goes straight back counts twice, "
        "and lowers the correlation factor.",
        _panels(result, system),
        _numbers(result, system),
        _remarks(result),
    )


def _panels(result: Hops, system: System) -> list[Network | Curves]:
    ion = system.mobile
    panels: list[Network | Curves] = [
        Network(
            f"Sites and hops, {ion}",
            result.cell,
            result.positions,
            result.occupancies,
            result.hops,
            result.vectors,
            result.counts,
            f"{len(result.sites)} sites; lines are hops, thick where there were many.",
        )
    ]
    order = np.argsort(-result.occupancies, kind="stable")
    error = result.occupancy_errors[order]
    rank = np.arange(1, len(order) + 1)
    curve = Curve(ion, rank, result.occupancies[order], known_error(error), "points")
    panels.append(Curves("Occupancies", "site, by occupancy", "ions on it", [curve], zero=True))
    if result.n_jumps:
        lengths = np.linalg.norm(result.vectors, axis=1)
        edges = 0.2 * (np.arange(np.rint(lengths.min() / 0.2), np.rint(lengths.max() / 0.2) + 2) - 0.5)  # round lengths lie in the middle
        jumps = np.histogram(lengths, edges, weights=result.counts)[0]
        middles = (edges[1:] + edges[:-1]) / 2
        panels.append(Curves("Jump lengths", "length, Å", "jumps", [Curve(ion, middles, jumps.astype(float), style="steps")], zero=True))
        residence = result.residence
        survival = Curve(ion, residence.times, residence.survival, residence.error)
        panels.append(
            Curves("Residence", "time on a site, ps", "share that stays longer", [survival], log_x=True, zero=True, caption=CUT_STAYS)
        )
        strings = result.strings
        panels.append(
            Curves(
                "Strings",
                "ions in a string",
                "strings",
                [Curve(ion, strings.sizes.astype(float), strings.strings.astype(float), style="points")],
                log_y=True,
                caption=f"Jumps within {strings.window:g} ps of which one goes where the other left.",
            )
        )
    return panels


CUT_STAYS = "Stays that the run cuts count for as long as they were seen."


def _numbers(result: Hops, system: System) -> list[Number]:
    ion = system.mobile
    numbers = [
        Number(f"jumps of one {ion}", result.frequency),
        Number("time on a site", result.residence_time),
        Number("share of jumps that go straight back", result.returns),
        Number("jump diffusivity", result.jump_diffusivity),
        Number("correlation factor, way over jumps", result.correlation_factor),
        Number("attempt frequency", result.attempt_frequency),
        Number("amplitude along one axis", result.amplitude),
        Number("activation free energy", result.activation),
        Number("share of jumps in strings", result.strings.share),
        Number("sites with more than one ion", result.multiple),
    ]
    if len(result.types) > 1:
        for label, kind in result.types.items():
            numbers += [
                Number(f"occupancy, {label}", kind.occupancy),
                Number(f"jumps from {label}", kind.frequency),
                Number(f"time on a site, {label}", kind.residence_time),
                Number(f"attempt frequency, {label}", kind.attempt_frequency),
                Number(f"amplitude along one axis, {label}", kind.amplitude),
                Number(f"activation free energy, {label}", kind.activation),
            ]
    return numbers


def _remarks(result: Hops) -> list[str]:
    origin = "found in the density of the first frames" if result.found else "given"
    remarks = [f"{len(result.sites)} sites, {origin}, for {result.n_ions} ions; {result.n_jumps} jumps in {result.duration:g} ps."]
    if result.outside > MUCH_OUTSIDE:
        remarks.append(
            f"Ions are in no core for {result.outside:.0%} of the time: sites are missing, or the ion moves like in a liquid and jumps "
            "are no picture of it."
        )
    balance = result.balance
    if balance.pairs and balance.p < UNLIKELY:
        a, b = balance.worst
        remarks.append(
            f"Flows are out of balance (χ² {balance.chi_squared:.3g} of {balance.pairs} pairs, p {balance.p:.1g}); worst {balance.forward} "
            f"jumps from site {a} to {b} and {balance.backward} back: the run is no equilibrium, or too short for one."
        )
    elif balance.pairs:
        remarks.append(f"Detailed balance holds: χ² {balance.chi_squared:.3g} of {balance.pairs} pairs, p {balance.p:.2g}.")
    return remarks
