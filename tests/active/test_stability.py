"""Whether members that are alike are found to agree, and members that are not are told apart, by which observable."""

import copy
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mlff.active import stability
from mlff.active.explore import Explorer
from mlff.active.stability import (
    STABLE,
    UNDECIDED,
    UNSTABLE,
    Confirmation,
    confirm,
    pair_agreement,
    pairs_of,
    slope_agreement,
)
from mlff.active.surrogate import Surrogate
from mlff.active.watch import Silent
from mlff.analysis import Estimate, PairDistribution
from mlff.engine import Committee
from mlff.md.batch import Settings
from mlff.md.guards import Bounds
from mlff.md.langevin import Langevin
from tests.active.alloy import structure_file

EXPLORER = Explorer(
    {"langevin": Langevin(friction=0.05)}, Settings(2.0), record=20.0, chunk=200.0, bounds=Bounds(temperature=np.inf, bond=None)
)


@pytest.fixture
def asked(tmp_path):
    """g(r) of a crystal that vibrates."""
    return Confirmation(
        structure_file(tmp_path),
        300.0,
        duration=1.2,
        equilibration=0.2,
        repeat=[1, 2, 2],
        ensemble="langevin",
        r_max=4.5,
        pair_tolerance=0.15,
        slope_tolerance=None,
    )


def members(model, *stiffness: float) -> Committee:
    """Copies of one member whose forces are that many times as large."""
    found = [copy.deepcopy(Surrogate(model).committee.member(0)) for _ in stiffness]
    for potential, factor in zip(found, stiffness, strict=True):
        potential.energy_scale.mul_(factor)
    return Committee(found)


@pytest.fixture
def confirmed(model, tmp_path, monkeypatch):
    def of(asked, *stiffness: float, watch=None):
        committee = members(model, *stiffness)
        monkeypatch.setattr(stability, "Surrogate", lambda path: SimpleNamespace(committee=committee))
        return confirm(asked, EXPLORER, "Cu", 5, None, model, tmp_path / "confirmation", watch or Silent())

    return of


def test_members_that_are_alike_agree_within_statistics(confirmed, asked, tmp_path):
    found = confirmed(asked, 1.0, 1.0, 1.0)
    assert found.verdict == STABLE
    assert [one.observable for one in found.agreements] == ["g(r) of Au–Cu", "g(r) of Cu–Cu"]
    for one in found.agreements:
        # the largest of three, where `error` is a typical one
        assert 0.3 * one.error < one.difference < 2.5 * one.error
    assert "members agree on cu3au at 300 K" in found.reason
    kept = json.loads((tmp_path / "confirmation" / "confirmation.json").read_text())
    assert kept["verdict"] == "stable"
    assert kept["agreements"][0]["difference"] == found.agreements[0].difference
    assert kept["asked"]["temperature"] == 300.0


def test_a_stiffer_member_is_named_with_the_observable_and_what_to_do(confirmed, asked):
    found = confirmed(asked, 1.0, 1.0, 9.0)
    assert found.verdict == UNSTABLE
    assert {one.member for one in found.agreements} == {2}
    assert "members do not agree on cu3au at 300 K: g(r) of Au–Cu: member 2 differs from the mean by" in found.reason
    assert "allowed 15%; " in found.reason
    assert "label more frames at 300 K" in found.reason


def test_a_member_that_falls_apart_is_unstable(confirmed, asked):
    """Its forces push the wrong way."""
    found = confirmed(asked, 1.0, -1.0)
    assert found.verdict == UNSTABLE
    assert found.agreements == ()
    assert all("_m1_" in name for name in found.stopped)
    assert "runs were stopped, cu3au_300K_m1_s0 because" in found.reason


class Counting(Silent):
    """Dies after some chunks."""

    def __init__(self, last: float = np.inf):
        super().__init__()
        self.last, self.steps = last, []

    def shows(self, step, n_replicas, rows):
        self.steps.append(step)
        if step >= self.last:
            raise KeyboardInterrupt


def test_killed_it_goes_on_and_a_longer_one_begins_where_it_ended(confirmed, asked, tmp_path):
    whole = confirmed(asked, 1.0, 1.0)
    asked = Confirmation(**vars(asked) | {"equilibration": 0.24})  # other runs, of a folder of their own
    with pytest.raises(KeyboardInterrupt):
        confirmed(asked, 1.0, 1.0, watch=Counting(350))
    watch = Counting()
    again = confirmed(asked, 1.0, 1.0, watch=watch)
    assert min(watch.steps) == 330  # after the last checkpoint: the end of the equilibration, step 120, and each 100 steps from there
    assert again != whole
    longer, watch = Confirmation(**vars(asked) | {"duration": 1.4}), Counting()
    confirmed(longer, 1.0, 1.0, watch=watch)
    assert min(watch.steps) == 730
    assert len(list((tmp_path / "confirmation").glob("*_*"))) == 2


def test_dynamics_that_run_elsewhere_are_only_read_here(model, asked, tmp_path):
    class Elsewhere:
        def submit(self, function, *args):
            self.paths = [Path(argument) for argument in args[-2:]]
            function(*args)
            return SimpleNamespace(result=lambda: None)

    gpu, watch = Elsewhere(), Counting()
    found = confirm(asked, EXPLORER, "Cu", 5, gpu, model, tmp_path / "confirmation", watch)
    assert all(path.is_absolute() for path in gpu.paths)
    assert watch.steps == []
    assert found.n_members == 2


def distribution(g: np.ndarray) -> PairDistribution:
    edges = np.linspace(0, 5, len(g) + 1)
    return PairDistribution((edges[1:] + edges[:-1]) / 2, edges, {("Li", "S"): g}, {}, {}, 10)


def test_the_difference_of_g_is_a_share_of_its_area():
    """One of two members has all of its area where the other has none: each differs from the mean by all of it."""
    one, other = np.zeros(50), np.zeros(50)
    one[20], other[30] = 1 / 2.05**2, 1 / 3.05**2
    found = pair_agreement(("Li", "S"), [[distribution(one)] * 2, [distribution(other)] * 2], 0.05)
    assert found.difference == pytest.approx(1.0)
    assert found.error == 0
    assert found.verdict == UNSTABLE


def test_what_chance_makes_of_it_is_estimated_from_the_runs(rng):
    g = [[distribution(1 + 0.2 * rng.normal(size=5000)) for _ in range(4)] for _ in range(3)]
    found = pair_agreement(("Li", "S"), g, 0.05)
    # ⟨|x|⟩ of a normal variable is √(2/π) of its width: here 0.2 √((K − 1)/(K R))
    assert found.error == pytest.approx(0.2 * np.sqrt(2 / np.pi) * np.sqrt(2 / 12), rel=0.05)
    assert found.difference == pytest.approx(found.error, rel=0.1)
    assert found.verdict == UNDECIDED  # above 5 % by chance
    assert pair_agreement(("Li", "S"), g, 0.1).verdict == STABLE


def cm2(value: float, error: float) -> Estimate:
    return Estimate(value, error, unit="cm²/s")


@pytest.mark.parametrize(
    ("values", "verdict", "difference"),
    [
        pytest.param([cm2(1.0, 0.05), cm2(1.2, 0.05)], STABLE, 0.1 / 1.1, id="within"),
        pytest.param([cm2(1.0, 0.05), cm2(3.0, 0.1)], UNSTABLE, 0.5, id="beyond"),
        pytest.param([cm2(1.0, 0.9), cm2(3.0, 0.9)], UNDECIDED, 0.5, id="too-uncertain"),
        pytest.param([cm2(1.0, 0.1), Estimate(None, upper=2.0, reason="short")], UNDECIDED, None, id="a-bound-that-leaves-room"),
        pytest.param([cm2(1.0, 0.1), Estimate(None, upper=0.1, reason="short")], UNSTABLE, None, id="a-bound-that-contradicts"),
        pytest.param([Estimate(None, upper=0.1, reason="short")] * 2, UNDECIDED, None, id="nothing-moves"),
    ],
)
def test_slopes_are_compared_by_their_errors_and_bounds(values, verdict, difference):
    found = slope_agreement("the diffusivity of Li", values, 0.3)
    assert found.verdict == verdict
    assert found.difference == (None if difference is None else pytest.approx(difference))
    assert len(found.members) == 2


def test_pairs_are_those_of_the_mobile_ion_or_those_asked_for(asked):
    assert pairs_of(asked, ["Li", "P", "S", "S"], "Li") == [("Li", "Li"), ("Li", "P"), ("Li", "S")]
    asked = Confirmation(**vars(asked) | {"pairs": ["S-P"]})
    assert pairs_of(asked, ["Li", "P", "S"], "Li") == [("P", "S")]
    with pytest.raises(ValueError, match=r"confirm\.pairs holds S-P, expected two of Cl, Li each"):
        pairs_of(asked, ["Li", "Cl"], "Li")
    with pytest.raises(ValueError, match="holds Cu, expected Li; name the ion"):
        pairs_of(asked, ["Cu"], "Li")


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="runs is 1, expected 2"):
        Confirmation("Li3PS4_gamma", 500.0, duration=1.0, runs=1)
    with pytest.raises(ValueError, match=r"duration is 0\.0, expected above 0"):
        Confirmation("Li3PS4_gamma", 500.0, duration=0.0)
