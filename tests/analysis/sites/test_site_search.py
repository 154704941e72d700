"""Sites from where the ions are, in the lattice."""

import numpy as np
import pytest

from mlff.analysis import System
from mlff.analysis.sites import HopAccumulator, find_sites
from mlff.trajectory import Frames
from tests.analysis.lattice_walk import LENGTH, lattice
from tests.analysis.trajectories import brownian

CELL = np.array([[9.0, 0, 0], [2.5, 8.5, 0], [-1.5, 2.0, 9.5]])
PLACES = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.999, 0.5, 0.5], [0.5, 0.01, 0.5]])


def around(rng, places, cell, n_frames, width=0.25):
    """An ion at each place, in fractions of the cell, vibrating by so many Å."""
    return places + width * rng.normal(size=(n_frames, len(places), 3)) @ np.linalg.inv(cell)


def away(found, places, cell):
    """Distance of each place from the nearest site, Å."""
    d = found[:, None] - places
    return np.linalg.norm((d - np.rint(d)) @ cell, axis=-1).min(axis=0)


@pytest.mark.parametrize("kind", ["sc", "bcc", "fcc", "diamond"])
def test_every_site_of_a_lattice_is_found_once(kind, rng):
    grid = lattice(kind, 3)
    found = find_sites(around(rng, grid.fractions, grid.cell, 300), grid.cell)
    assert len(found) == len(grid.sites)
    assert away(found, grid.fractions, grid.cell).max() < 0.1


def test_sites_on_the_border_of_a_skewed_cell(rng):
    found = find_sites(around(rng, PLACES, CELL, 1000), CELL)
    assert len(found) == len(PLACES)
    assert away(found, PLACES, CELL).max() < 0.05
    assert ((found >= 0) & (found < 1)).all()


def test_a_place_that_is_seldom_visited_is_no_site(rng):
    fractions = around(rng, PLACES, CELL, 1000)
    fractions[:15, 0] += [0.25, 0.25, 0.75]  # a visit of 1.5 % to where nobody is
    assert len(find_sites(fractions, CELL, least=0.02)) == 4
    assert len(find_sites(fractions, CELL, least=0.01)) == 5


def test_two_maxima_nearer_than_the_distance_are_one_site(rng):
    """A site that is split by 1.1 Å."""
    split = around(rng, PLACES, CELL, 2000, 0.1)
    split[::2, 1] += [1.1 / 9.0, 0, 0]
    assert len(find_sites(split, CELL, distance=1.5)) == 4
    assert len(find_sites(split, CELL, distance=0.9)) == 5


def test_a_liquid_has_no_sites_however_bumpy_its_density(rng):
    """Of 1,000 frames its density still has maxima in which ions are three times as dense as in the cell."""
    fractions = brownian(rng, 1000, 40, 1e-5) @ np.linalg.inv(CELL) + rng.random((40, 3))
    with pytest.raises(ValueError, match=r"found that ions are [01]\.\d\d times as dense on the sites of the first half of 1000 frames"):
        find_sites(fractions, CELL)


def test_the_framework_carries_the_sites(rng):
    """A crystal that rests drifts through its own length, in a cell that fluctuates: no ion has jumped, and none of the sites is lost."""
    n = 600
    framework = np.array([[0.25, 0.25, 0.25], [0.75, 0.75, 0.75]])
    drift = np.linspace(0, 1.5, n)[:, None, None] * [1.0, -0.5, 0.3]
    fractions = around(rng, np.concatenate([framework, PLACES]), CELL, n, 0.15) + drift
    fractions[:, :2] -= fractions[:, :2].mean(axis=1, keepdims=True) - framework.mean(0) - drift
    cells = CELL @ (np.eye(3) + 0.01 * rng.normal(size=(n, 3, 3)))
    frames = Frames(np.arange(n), fractions @ cells, cells)
    for rests, expected in ((True, 0), (False, None)):
        system = System(("S", "S") + ("Li",) * 4, np.full(6, 10.0), frames.positions[0], cells[0], "Li", 10.0, rests=rests)
        accumulator = HopAccumulator(system, search=100, distance=1.0)
        accumulator.update(frames)
        found = accumulator.result()
        if rests:
            assert found.n_jumps == expected
            assert found.outside < 0.02
            assert away(found.sites.fractions, PLACES, CELL).max() < 0.1
        else:
            assert found.n_jumps > 0 or found.outside > 0.5


def test_no_sites_are_told_at_the_end_and_stop_nobody(rng):
    """Ions anywhere in a large cell: the frames go on, and the result says why there is none."""
    cell = np.eye(3) * 60.0
    frames = Frames(np.arange(200), rng.random((200, 3, 3)) @ cell, np.broadcast_to(cell, (200, 3, 3)))
    system = System(("Li",) * 3, np.full(3, 6.94), frames.positions[0], cell, "Li", 10.0)
    one, other = (HopAccumulator(system, search=100, least=0.3) for _ in range(2))
    one.update(frames)
    other.load(one.state())
    for accumulator in (one, other):
        with pytest.raises(ValueError, match=r"found no place where an ion is in more than 0.3 of 100 frames, expected sites; give them"):
            accumulator.result()
        accumulator.update(Frames(frames.steps + 200, frames.positions, frames.cells))


def test_settings_that_cannot_be_are_refused():
    system = System(("Li",), np.ones(1), np.zeros((1, 3)), np.eye(3) * LENGTH, "Li", 1.0)
    for wrong in ({"search": 1}, {"distance": 0.4}, {"least": 1.0}, {"window": 0.0}, {"keep": -1}):
        with pytest.raises(ValueError, match=r"expected search ≥ 2 frames, distance ≥ 0.5 Å, least from 0 to 1, window > 0 ps, keep ≥ 0"):
            HopAccumulator(system, **wrong)
