import numpy as np

from mlff.analysis import System
from mlff.analysis.sites import HopAccumulator
from mlff.report.drawing import chart_of
from mlff.report.observables import describe
from tests.analysis.lattice_walk import LENGTH, Walk, free_walk, lattice
from tests.analysis.trajectories import frames_of

FRAME = 50.0  # fs
SCALARS = [
    "jumps of one Li",
    "time on a site",
    "share of jumps that go straight back",
    "jump diffusivity",
    "correlation factor, way over jumps",
    "attempt frequency",
    "amplitude along one axis",
    "activation free energy",
    "share of jumps in strings",
    "sites with more than one ion",
]
OF_A_TYPE = ["occupancy", "jumps from", "time on a site", "attempt frequency", "amplitude along one axis", "activation free energy"]


def described(walk: Walk, labels=None):
    n = walk.positions.shape[1]
    system = System(("Li",) * n, np.full(n, 6.94), walk.positions[0], walk.lattice.cell, "Li", FRAME, temperature=600.0)
    accumulator = HopAccumulator(system, sites=walk.lattice.fractions, labels=labels)
    accumulator.update(frames_of(walk.positions, walk.lattice.cell))
    result = accumulator.result()
    return result, describe(result, system)


def walkers(rng, rates=(3e-4,) * 6) -> Walk:
    return free_walk(lattice("sc", 3), rng, 40, np.array(rates), FRAME, 1500)


def test_sites_occupancies_jumps_stays_and_strings_are_shown(rng):
    result, shown = described(walkers(rng))
    assert [panel.title for panel in shown.panels] == ["Sites and hops, Li", "Occupancies", "Jump lengths", "Residence", "Strings"]
    assert [number.name for number in shown.numbers] == SCALARS
    network, occupancies, lengths, residence, strings = shown.panels
    assert network.counts.sum() == lengths.curves[0].y.sum() == result.n_jumps > 0
    usual = np.argmax(lengths.curves[0].y)
    assert abs(lengths.curves[0].x[usual] - LENGTH) < 0.2
    assert lengths.curves[0].y[usual] > 0.8 * result.n_jumps  # the others are two within a frame
    assert (np.diff(occupancies.curves[0].y) <= 0).all()
    assert residence.curves[0].y[0] == 1
    assert strings.curves[0].y @ result.strings.sizes > 0
    assert "27 sites, given, for 40 ions" in shown.remarks[0]
    assert any("Detailed balance holds" in remark for remark in shown.remarks)


def test_each_type_of_site_has_its_numbers(rng):
    _, shown = described(walkers(rng), labels=["4a"] * 9 + ["8c"] * 18)
    names = [number.name for number in shown.numbers[len(SCALARS) :]]
    assert sorted(names) == sorted(
        f"{name} {label}" if "from" in name else f"{name}, {label}" for name in OF_A_TYPE for label in ("4a", "8c")
    )


def test_a_current_is_told(rng):
    walk = walkers(rng, rates=[1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 2e-3])
    _, shown = described(walk)
    assert any("out of balance" in remark for remark in shown.remarks)


def test_ions_that_never_jump_are_shown_with_bounds():
    grid = lattice("sc", 3)
    at = np.tile(np.arange(27), (400, 1))
    result, shown = described(Walk(grid, grid.sites[at], at, 0))
    assert [panel.title for panel in shown.panels] == ["Sites and hops, Li", "Occupancies"]
    assert str(shown.numbers[0].estimate).startswith("< ")
    assert str(shown.numbers[1].estimate).startswith("> ")
    assert result.n_jumps == 0
    for panel in shown.panels:
        assert panel.title in chart_of(panel).svg
