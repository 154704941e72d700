import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.rearrangement.falk_langer import cumulative_d2_min
from mlff.analysis.rearrangement.non_affine import EDGES, PER_DECADE, NonAffine
from tests.analysis.trajectories import CELL, frames_of

IONS = np.arange(0, 200, 2)


def crowd(rng, n_frames, step=0.1, n_atoms=200):
    """Atoms that walk, all of them 500 Å away."""
    return 500.0 + rng.random((n_atoms, 3)) @ CELL + step * rng.normal(size=(n_frames, n_atoms, 3)).cumsum(0)


def measured(positions, cells=CELL, ions=IONS, **settings):
    accumulator = NonAffine(ions, timestep=10.0, **{"stride": 1, "r_max": 6.0} | settings)
    accumulator.update(frames_of(positions, cells))
    return accumulator.result()


@pytest.mark.parametrize("per_neighbour", [False, True])
def test_ions_add_up_over_increments(rng, per_neighbour):
    """In a cell that breathes, with increments of three frames; frames that end no increment do not count."""
    positions = crowd(rng, 12)
    cells = CELL * (1 + 0.003 * rng.normal(size=12))[:, None, None]
    found = measured(positions, cells, stride=3, per_neighbour=per_neighbour)
    expected = cumulative_d2_min(positions[::3], cells[::3], 6.0, IONS, per_neighbour)[IONS]
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found.d_cum, expected[None], rtol=1e-12)
    assert found.increments.tolist() == [3]
    assert found.increment == 30.0
    assert found.missing == 0
    assert found.mean.value == pytest.approx(expected.mean() / 3)


def test_strain_of_the_cell_is_no_motion(rng):
    """All follow a cell that shears by a tenth: every value lies below the bins, as does each percentile."""
    fractions = rng.random((200, 3))
    cells = CELL @ (np.eye(3) + 0.05 * np.arange(3)[:, None, None] * np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]]))
    found = measured(fractions @ cells, cells)
    assert np.nanmax(found.d_cum) < 1e-10
    assert found.mean.value < 1e-10
    assert str(found.percentiles["50 %"]) == "< 1.1e-4 Å²"
    assert found.distribution[0] == pytest.approx(PER_DECADE)


def test_the_distribution_is_that_of_the_values(rng):
    positions = crowd(rng, 9)
    found = measured(positions)
    steps = [cumulative_d2_min(positions[k : k + 2], np.array([CELL, CELL]), 6.0, IONS)[IONS] for k in range(8)]
    expected = np.histogram(np.concatenate(steps), EDGES)[0]
    np.testing.assert_allclose(found.distribution, expected / expected.sum() * PER_DECADE)
    assert found.distribution.sum() / PER_DECADE == pytest.approx(1.0)
    for share in (10, 50, 90):
        value = found.percentiles[f"{share} %"]
        assert value.value == pytest.approx(np.percentile(steps, share), rel=10 ** (1.0 / PER_DECADE) - 1)
        assert 0 < value.error < 0.2 * value.value


def test_the_error_knows_that_few_ions_move(rng):
    """A tenth of the ions moves: with as many increments as wanted, the mean depends on which ions these are."""
    mobile = np.where(np.arange(200) < 20, 0.4, 0.01)[:, None]
    rattle = mobile * rng.normal(size=(80, 200, 3))
    found = measured(rng.random((200, 3)) @ CELL + rattle)
    own = found.d_cum[0] / 79
    assert found.mean.error >= own.std(ddof=1) / 10
    assert found.mean.value == pytest.approx(own.mean())


def test_independent_runs_stand_side_by_side(rng):
    one, two = crowd(rng, 10), crowd(rng, 6, step=0.2)
    first, second, empty = (NonAffine(IONS, 1, 10.0, 6.0) for _ in range(3))
    first.update(frames_of(one))
    second.update(frames_of(two))
    first.merge(second)
    first.merge(empty)
    found = first.result()
    assert found.increments.tolist() == [9, 5]
    for row, positions in zip(found.d_cum, (one, two), strict=True):
        np.testing.assert_allclose(row, measured(positions).d_cum[0], rtol=1e-12)


def test_runs_with_other_spacings_of_frames_join(rng):
    """The increments are of one length, whatever number of frames they have."""
    first, second = NonAffine(IONS, 4, 10.0, 6.0), NonAffine(IONS, 2, 10.0, 6.0)
    positions = crowd(rng, 9)
    first.update(frames_of(positions))
    second.update(frames_of(positions[::2], every=2))
    first.merge(second)
    assert first.result().increments.tolist() == [2, 2]
    np.testing.assert_array_equal(*first.result().d_cum)


def test_a_lonely_ion_has_no_value(rng):
    positions = np.concatenate([crowd(rng, 3), 500 + np.array([0.0, 0, 300]) + np.zeros((3, 1, 3))], axis=1)
    found = measured(positions, CELL * [[1], [1], [20]], ions=np.array([0, 200]), r_max=8.0)
    assert np.isfinite(found.d_cum[0]).tolist() == [True, False]
    assert found.missing == 0.5
    alone = measured(positions, CELL * [[1], [1], [20]], ions=np.array([200]), r_max=8.0)
    assert str(alone.mean) == "no result (no ion has 4 neighbours that are not in a plane; widen r_max)"


def test_what_cannot_be_measured_is_refused(rng):
    with pytest.raises(ValueError, match="found 0 ions, stride 1"):
        NonAffine(np.zeros(0), 1, 1.0)
    with pytest.raises(ValueError, match="found 3 frames, expected more than 5, the length of an increment"):
        measured(crowd(rng, 3), stride=5)
    accumulator = NonAffine(IONS, 2, 1.0)
    frames = frames_of(crowd(rng, 7))
    frames.steps[4:] += 1
    with pytest.raises(ValueError, match="found an increment of 3 steps up to step 5 after ones of 2, expected one length"):
        accumulator.update(frames)
    shorter = NonAffine(IONS, 1, 1.0)
    shorter.update(frames_of(crowd(rng, 2)))
    with pytest.raises(ValueError, match=r"found frames of 150 atoms after frames of 200"):
        shorter.update(frames_of(crowd(rng, 2, n_atoms=150)))
    longer = NonAffine(IONS, 1, 1.0)
    longer.update(frames_of(crowd(rng, 2), every=5))
    with pytest.raises(ValueError, match="found increments of 1 and of 5 steps, expected one length; read both with one stride"):
        shorter.merge(longer)
    with pytest.raises(NotApplicable, match="the structure holds no Na, expected mobile ions"):
        NonAffine.of(System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Na", 1.0))
