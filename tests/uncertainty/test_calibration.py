import json

import numpy as np
import pytest

from mlff.uncertainty import Calibration, coverage, fit_calibration

RATIO = {("Li", 300.0): 0.5, ("Li", 900.0): 1.5, ("framework", 300.0): 2.0, ("framework", 900.0): 2.0}  # σ_c √3 / ε_F


def made(rng, n):
    """Atoms of two groups at two temperatures, with ratios of their own; errors have heavy tails."""
    groups, temperatures = rng.choice(["Li", "framework"], n), rng.choice([300.0, 900.0], n)
    deviation = 0.05 * np.exp(0.4 * rng.normal(size=n))
    ratio = np.array([RATIO[key] for key in zip(groups.tolist(), temperatures.tolist(), strict=True)])
    return deviation, (ratio * deviation / np.sqrt(3))[:, None] * rng.standard_t(4, (n, 3)), groups, temperatures


@pytest.fixture
def calibration(rng):
    return fit_calibration(*made(rng, 6000))


@pytest.mark.parametrize("kind", ["scale", "isotonic"])
def test_new_frames_are_covered_group_by_group_and_temperature_by_temperature(rng, kind):
    calibration = fit_calibration(*made(rng, 12_000), kind=kind)
    deviation, errors, groups, temperatures = made(rng, 12_000)
    for group, temperature in RATIO:
        chosen = (groups == group) & (temperatures == temperature)
        sigma, inside = calibration.sigma(deviation[chosen], groups[chosen], temperature)
        assert coverage(sigma, errors[chosen]) == pytest.approx(0.6827, abs=0.05)
        assert inside.mean() > 0.99


def test_one_scale_for_all_groups_misses_the_share_of_each(rng):
    """Why groups: a scale over lithium and framework together is too wide for the one and too narrow for the other."""
    deviation, errors, groups, _ = made(rng, 6000)
    everything = np.full(len(groups), "all")
    sigma, _ = fit_calibration(deviation, errors, everything).sigma(deviation, everything)
    held = {group: coverage(sigma[groups == group], errors[groups == group]) for group in ("Li", "framework")}
    assert held["Li"] > 0.74
    assert held["framework"] < 0.62


def test_an_unknown_temperature_is_that_of_the_group(calibration):
    assert calibration.groups == ["Li", "framework"]
    assert calibration.map("Li", 300.0).scale < 0.6 * calibration.map("Li").scale
    assert calibration.map("Li", 300).scale == calibration.map("Li", 300.0).scale
    assert calibration.map("Li", 450.0) is calibration.map("Li")


def test_an_unknown_group_is_refused(calibration):
    with pytest.raises(ValueError, match=r"group 'Na' was not calibrated, only \['Li', 'framework'\]"):
        calibration.sigma(np.ones(2), np.array(["Li", "Na"]))


def test_each_atom_gets_the_map_of_its_group(calibration):
    sigma, inside = calibration.sigma(np.array([0.05, 0.05, 50.0]), np.array(["Li", "framework", "Li"]), 300.0)
    maps = [calibration.map(group, 300.0) for group in ("Li", "framework", "Li")]
    np.testing.assert_allclose(sigma, [m.scale * d / np.sqrt(3) for m, d in zip(maps, (0.05, 0.05, 50.0), strict=True)])
    assert inside.tolist() == [True, True, False]


@pytest.mark.parametrize("kind", ["scale", "isotonic"])
def test_the_card_keeps_it(rng, kind):
    calibration = fit_calibration(*made(rng, 4000), kind=kind)
    again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert dict(again.maps) == dict(calibration.maps)


def test_a_group_with_too_few_atoms_is_named_and_a_temperature_left_to_its_group(rng):
    deviation, errors, groups, temperatures = made(rng, 2000)
    few = np.where(groups == "Li", np.cumsum(groups == "Li") <= 20, True)
    with pytest.raises(ValueError, match="group 'Li': found 60 error components, expected at least 100"):
        fit_calibration(deviation[few], errors[few], groups[few])
    temperatures[:20], temperatures[20:40] = 1200.0, np.nan
    calibration = fit_calibration(deviation, errors, groups, temperatures)
    assert {t for _, t in calibration.maps} == {None, 300.0, 900.0}
    assert calibration.map("Li", 1200.0) is calibration.map("Li")


def test_what_does_not_pair_is_refused(rng):
    deviation, errors, groups, _ = made(rng, 200)
    with pytest.raises(ValueError, match="found 199 deviations, 200 errors, 200 groups"):
        fit_calibration(deviation[1:], errors, groups)
    with pytest.raises(ValueError, match="kind is 'spline'; expected one of scale, isotonic"):
        fit_calibration(deviation, errors, groups, kind="spline")
