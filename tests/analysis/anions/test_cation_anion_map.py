from dataclasses import replace

import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.anions.cation_anion_map import CationAnionMapAccumulator
from mlff.trajectory import Frames
from tests.analysis.turning_anions import CELL, MASSES, P2S7, PS4, about, trajectory

TURN = about([0, 0, 1], np.zeros((1, 1)))


def measured(system, frames, **settings):
    accumulator = CationAnionMapAccumulator.of(system, **settings)
    accumulator.update(frames)
    return accumulator.result()


def with_cations(rng, offsets: np.ndarray, anion=PS4, cell=CELL, at=(0.02, 0.98, 0.5)):
    """One anion and lithium at offsets from the origin of its template, (n_frames, n, 3), all wrapped anew."""
    n_frames, n = offsets.shape[:2]
    _, frames = trajectory(rng, np.repeat(TURN, n_frames, axis=0), anion, cell, np.array([at]))
    positions = np.concatenate([frames.positions[:, :-1], np.array(at) @ cell + offsets], axis=1)
    positions += rng.integers(-2, 3, size=positions.shape) @ cell
    symbols = anion[0] + n * ("Li",)
    masses = np.array([MASSES[s] for s in symbols])
    return System(symbols, masses, positions[0], cell, "Li", 1.0), Frames(frames.steps, positions, frames.cells)


@pytest.mark.parametrize(("distance", "phi"), [(2.55, 91.0), (3.45, 46.0), (2.05, 178.0), (4.95, 136.0)])
def test_a_cation_at_a_known_place(rng, distance, phi):
    """Seen from the first ligand; the angle is at the ligand, 180° in line with the bond on its far side."""
    template = PS4[1]
    inwards = -template[1] / np.linalg.norm(template[1])
    aside = np.cross(inwards, [0.3, -0.2, 0.9])
    aside /= np.linalg.norm(aside)
    angle = np.radians(phi)
    offset = template[1] + distance * (np.cos(angle) * inwards + np.sin(angle) * aside)
    found = measured(*with_cations(rng, offset[None, None]), r_max=5.0).kinds["PS4"]
    r, angles = np.linspace(0, 5, 51), np.linspace(0, 180, 61)
    place = np.searchsorted(r, distance) - 1, np.searchsorted(angles, phi) - 1
    seen = np.linalg.norm(template[1:] - offset, axis=1)
    assert found.density[place] * 0.1 * 3.0 * (seen < 5).sum() == pytest.approx(1)
    assert found.density.sum() * 0.1 * 3.0 == pytest.approx(1)
    assert found.neighbours.reason  # one frame has no error
    assert (found.centres, found.ligands) == ("P", "S")


def test_cations_without_order(rng):
    """In every ring as many as the density says, although most occur at right angles and far away."""
    n_frames, n = 300, 60
    system, frames = with_cations(rng, rng.random((n_frames, n, 3)) @ CELL)
    found = measured(system, frames, r_max=8.0, width=1.0, angle_width=20.0)
    of = found.kinds["PS4"]
    pulls = (of.relative - 1)[2:] / of.relative_error[2:]
    assert np.abs(of.relative[4:].mean() - 1) < 0.02
    assert np.sqrt(np.mean(pulls**2)) < 1.5
    middle = (found.r_edges[1:] + found.r_edges[:-1])[:, None] / 2
    ring = middle**2 * -np.diff(np.cos(np.radians(found.angle_edges)))
    assert np.corrcoef((of.density * np.diff(found.angle_edges)).ravel(), ring.ravel())[0, 1] > 0.99
    within = 4 / 3 * np.pi * 8.0**3 * n / np.linalg.det(CELL)
    assert of.neighbours.value == pytest.approx(within, rel=0.02)
    assert of.angle.value == pytest.approx(90, abs=1.0)


def test_the_volume_is_that_of_each_frame(rng):
    """Cells of two sizes: with the mean volume, the relative density would be off by ⟨1/V⟩⟨V⟩ = 1.2."""
    scale = np.where(np.arange(200) % 2, 1.0, 1.3)[:, None, None]  # of lengths
    system, frames = with_cations(rng, rng.random((200, 60, 3)) @ CELL)
    cells = frames.cells * scale
    rigid = np.tile(system.positions[0] + PS4[1], (200, 1, 1))  # the anion keeps its size
    moved = np.concatenate([rigid, rng.random((200, 60, 3)) @ cells], axis=1)
    found = measured(system, Frames(frames.steps, moved, cells), r_max=8.0, width=2.0, angle_width=30.0)
    assert found.kinds["PS4"].relative[1:].mean() == pytest.approx(1, abs=0.03)


def test_all_images_within_r_max_count(rng):
    """In a cell of 7 Å, as many cations as in one of 2 × 2 × 2 of them."""
    cell = 7.0 * np.eye(3)
    offset = np.array([[[2.0, 1.0, 3.0]]])
    small = measured(*with_cations(rng, offset, cell=cell, at=(0.5, 0.5, 0.5)), r_max=9.0).kinds["PS4"]
    shifts = np.stack(np.meshgrid(*3 * [[0, 7.0]], indexing="ij"), axis=-1).reshape(-1, 3)
    positions = np.concatenate([PS4[1] + shift for shift in shifts] + [offset[0] + shift for shift in shifts])
    symbols = PS4[0] * 8 + ("Li",) * 8
    system = System(symbols, np.array([MASSES[s] for s in symbols]), positions, 2 * cell, "Li", 1.0)
    large = measured(system, Frames(np.zeros(1, int), positions[None], 2 * cell[None]), r_max=9.0).kinds["PS4"]
    np.testing.assert_allclose(small.density, large.density, atol=1e-12)
    np.testing.assert_allclose(small.relative, large.relative, atol=1e-12)


def test_a_bridge_has_an_angle_with_either_centre(rng):
    """A cation beside the bridge of P2S7, at 90° to both bonds: it counts twice."""
    offset = P2S7[1][2] + np.array([2.05, 0.0, 0.0])
    system, frames = with_cations(rng, offset[None, None], P2S7)
    accumulator = CationAnionMapAccumulator.of(system, r_max=2.2, width=0.1, angle_width=7.2)
    accumulator.update(frames)
    found = accumulator.result().kinds["P2S7"]
    rows, columns = np.nonzero(found.density)
    assert (rows.tolist(), columns.tolist()) == ([20], [12])
    counts = accumulator.state()["blocks.total"][0, 0]
    assert counts[:-1].sum() == 2
    assert counts[-1] == pytest.approx(180)


def test_only_every_stride_th_frame_is_counted(rng):
    system, frames = with_cations(rng, rng.random((10, 20, 3)) @ CELL)
    accumulator = CationAnionMapAccumulator.of(replace(system, n_frames=10), frames=3)
    for k in range(10):
        accumulator.update(Frames(frames.steps[k : k + 1], frames.positions[k : k + 1], frames.cells[k : k + 1]))
    chosen = measured(system, Frames(frames.steps[::3], frames.positions[::3], frames.cells[::3]))
    assert accumulator.result().n_frames == chosen.n_frames == 4
    np.testing.assert_array_equal(accumulator.result().kinds["PS4"].density, chosen.kinds["PS4"].density)


def test_what_has_no_map_is_refused(rng):
    silver = System(("Ag", "I"), np.ones(2), np.array([[0.0, 0, 0], [2.5, 2.5, 2.5]]), 5 * np.eye(3), "Ag", 1.0)
    with pytest.raises(NotApplicable, match="found no polyatomic anions among Ag, I"):
        CationAnionMapAccumulator.of(silver)
    system, _ = with_cations(rng, np.ones((1, 1, 3)))
    with pytest.raises(ValueError, match="expected r_max > width > 0 in Å"):
        CationAnionMapAccumulator.of(system, r_max=0.05)
    with pytest.raises(ValueError, match="found no frame"):
        CationAnionMapAccumulator.of(system).result()
    with pytest.raises(ValueError, match=r"stored with r_max = 5\.0"):
        CationAnionMapAccumulator.of(system).merge(CationAnionMapAccumulator.of(system, r_max=5.0))
