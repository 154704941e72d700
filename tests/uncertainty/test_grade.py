import numpy as np
import pytest

from mlff.uncertainty import BREAK, SAVE, ExtrapolationGrade, select_active_set
from mlff.uncertainty.maxvol import maxvol


def line(x):
    """Features of a linear energy a + b·x."""
    return np.stack([np.ones_like(x), x], axis=1)


def test_on_a_line_the_grade_is_the_lever_of_the_ends(rng):
    """Trained on [−1, 1] the active set is its ends, with coefficients (1 ± x)/2: γ = (1 + |x|)/2, so 2 at x = 3 and 10 at x = 19."""
    active = select_active_set(line(np.r_[-1.0, 1.0, rng.uniform(-1, 1, 50)]))
    assert sorted(active.selected.tolist()) == [0, 1]
    np.testing.assert_allclose(active.grade(line(np.array([0.0, 1.0, 3.0, -19.0]))), [0.5, 1.0, SAVE, BREAK], rtol=1e-9)


def test_of_one_feature_the_grade_is_its_size_over_the_largest():
    np.testing.assert_allclose(select_active_set(np.array([[0.5], [-4.0], [1.0]])).grade(np.array([[2.0], [-8.0]])), [0.5, 2.0])


@pytest.mark.parametrize(
    ("n", "n_features", "rank"),
    [
        pytest.param(500, 20, 20, id="full"),
        pytest.param(500, 20, 7, id="dependent"),
        pytest.param(9, 20, 9, id="fewer-atoms-than-features"),
    ],
)
def test_nothing_it_was_selected_from_is_extrapolation(rng, n, n_features, rank):
    features = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n_features))
    active = select_active_set(features)
    assert len(active.selected) == rank
    assert active.grade(features).max() <= 1 + 1e-3
    np.testing.assert_allclose(active.grade(features[active.selected]), 1.0, atol=1e-3)


def test_grades_do_not_depend_on_the_scale_or_mixture_of_features(rng):
    """Energies linear in b are linear in bT too. Selection may end at another of the near-equal volumes: the same rows are compared."""
    features, new = rng.normal(size=(400, 6)), 3 * rng.normal(size=(200, 6))
    mixed = rng.normal(size=(6, 6)) * 10.0 ** rng.integers(-2, 3, 6)
    active, other = select_active_set(features), select_active_set(features @ mixed)
    rows = active.selected
    only = select_active_set(features[rows] @ mixed)  # of exactly these rows, so that nothing is to choose
    np.testing.assert_allclose(only.grade(new @ mixed), active.grade(new), rtol=1e-6)
    assert other.grade(features @ mixed).max() <= 1 + 1e-3
    scale = 10.0 ** rng.integers(-4, 5, 6)
    np.testing.assert_allclose(select_active_set(features * scale).grade(new * scale), active.grade(new), rtol=1e-6)


def test_it_is_the_largest_coefficient_over_the_active_rows(rng):
    features, new = rng.normal(size=(400, 6)), rng.normal(size=(20, 6))
    active = select_active_set(features)
    np.testing.assert_allclose(active.grade(new), np.abs(np.linalg.solve(features[active.selected].T, new.T)).max(0), rtol=1e-9)
    assert set(active.selected.tolist()) == set(maxvol(features)[0].tolist())


@pytest.mark.parametrize("resolution", [1e-3, 1e-5])
def test_a_direction_never_seen_is_far_outside(rng, resolution):
    """Projecting on what the training spans would call it interpolation: the part outside must count, from the resolution on."""
    base = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    features = rng.uniform(-1, 1, size=(300, 3)) @ base[:3]
    active = select_active_set(features, resolution=resolution)
    inside = np.array([0.1, -0.1, 0.1]) @ base[:3]
    assert active.grade(inside[None]) < 1
    assert active.grade((inside + 50 * resolution * base[3])[None]) > BREAK
    assert active.grade((inside + 0.1 * resolution * base[3])[None]) < 1


def test_a_direction_that_hardly_varies_is_graded_by_what_occurs_in_it(rng):
    """Not by the resolution, where a few atoms reach farther."""
    features = np.stack([rng.uniform(-1, 1, 5000), np.zeros(5000)], axis=1) @ np.linalg.qr(rng.normal(size=(2, 2)))[0]
    direction = np.linalg.svd(features)[2][1]
    features[7] += 0.02 * direction
    active = select_active_set(features)
    assert len(active.selected) == 1
    np.testing.assert_allclose(active.grade(0.06 * direction[None]), 3.0, rtol=0.1)  # the scale of each feature tilts it a little


def test_features_in_single_precision_do_not_look_new(rng):
    mixing = rng.normal(size=(4, 12))
    train, new = ((rng.uniform(-1, 1, size=(n, 4)) @ mixing).astype(np.float32) for n in (2000, 500))
    assert select_active_set(train).grade(new).max() < SAVE


def test_a_feature_that_was_always_zero_is_new_when_it_is_not(rng):
    features = np.hstack([rng.normal(size=(50, 3)), np.zeros((50, 1))])
    active = select_active_set(features)
    assert active.grade(features).max() <= 1 + 1e-3
    assert active.grade(np.array([[0, 0, 0, 0.1]])) > BREAK


@pytest.fixture
def trained(rng):
    symbols = np.array(["Li"] * 60 + ["S"] * 80)
    features = rng.normal(size=(140, 4)) * np.where(symbols == "Li", 1.0, 10.0)[:, None]
    return ExtrapolationGrade.fit(features, symbols), features, symbols


def test_every_species_has_its_own_set(trained):
    grade, features, symbols = trained
    assert grade(features, symbols).max() <= 1 + 1e-3
    assert grade(features[symbols == "S"], np.full(80, "Li")).max() > 4  # what is common for sulphur is far from any lithium
    with pytest.raises(ValueError, match=r"atoms of \['Na'\], but active sets of \['Li', 'S'\]"):
        grade(features, np.full(140, "Na"))


def test_tensors_carry_it(trained):
    grade, features, symbols = trained
    tensors = grade.to_tensors()
    assert set(tensors) == {"Li.inverse", "Li.selected", "S.inverse", "S.selected"}
    np.testing.assert_array_equal(ExtrapolationGrade.from_tensors(tensors)(2 * features, symbols), grade(2 * features, symbols))


def test_what_does_not_fit_is_refused(trained, rng):
    grade, features, symbols = trained
    with pytest.raises(ValueError, match=r"shape \(60, 3\), expected \(n, 4\); use those of the model"):
        grade(features[:, :3], symbols)
    with pytest.raises(ValueError, match=r"symbols \(139,\), expected"):
        grade(features, symbols[1:])
    with pytest.raises(ValueError, match="finite and not all 0"):
        select_active_set(np.zeros((5, 2)))
    with pytest.raises(ValueError, match="finite and not all 0"):
        select_active_set(np.array([[1.0, np.nan]]))
