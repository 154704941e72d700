"""Exploration: what is run, with which seeds, what is read of it, and what becomes of it when it is killed."""

import json
from itertools import product

import numpy as np
import pytest
from ase.io import read

from mlff.active.explore import Exploration, Explorer, condition_of, replicas
from mlff.active.explored import FINISHED, Condition
from mlff.active.surrogate import Surrogate
from mlff.md.batch import Settings
from mlff.md.csvr import CSVR
from mlff.md.guards import Bounds
from mlff.md.mtk import MTK
from mlff.md.watch import Silent
from mlff.units import GPA
from tests.active.alloy import structure_file

ENSEMBLES = {"csvr": CSVR(relaxation_time=50.0), "npt": MTK(period=50.0, box_period=200.0)}
NOTHING = Bounds(force=np.inf, contact=0.0, temperature=np.inf, bond=None)


def explorer(**options) -> Explorer:
    plain = {"ensembles": ENSEMBLES, "settings": Settings(timestep=2.0), "record": 4.0, "chunk": 16.0, "bounds": NOTHING}
    return Explorer(**plain | options)


@pytest.fixture(scope="module")
def surrogate(model):
    return Surrogate(model)


@pytest.fixture
def source(tmp_path):
    return structure_file(tmp_path)


class Watched(Silent):
    """Counts the steps of the dynamics; dies at one of them, where it is told to."""

    def __init__(self, dies: int | None = None):
        super().__init__()
        self.dies, self.steps = dies, []

    def shows(self, step, n_replicas, rows):
        self.steps.append(step)
        if step == self.dies:
            raise KeyboardInterrupt


def explore(surrogate, folder, stage, stop=None, number=0, watch=None, **options):
    return explorer(**options).explore(stage, surrogate.committee, stop, number, 5, folder, watch or Watched())


def test_every_combination_is_run_as_often_as_asked_for(source):
    stage = Exploration("all", [source], [300.0, 600.0], 0.1, pressures=[0.0, 1.0], runs=3, ensemble="npt")
    found = replicas(stage, 0, 0)
    assert len({replica.name for replica in found}) == len(found) == 12
    conditions = [condition_of(replica) for replica in found[::3]]
    assert conditions == [Condition("cu3au", t, p) for t, p in product([300.0, 600.0], [0.0, 1.0])]
    assert found[3].pressure == pytest.approx(1.0 * GPA)
    assert found[3].name == "r000_cu3au_300K_1GPa_s0"


def test_no_two_rounds_and_no_two_runs_share_a_seed(source):
    one, many = Exploration("one", [source], [300.0], 0.1), Exploration("many", [source], [300.0], 0.1, runs=40)
    seeds = [replica.seed for number in range(50) for replica in replicas(many if number % 2 else one, number, 7)]
    assert len(set(seeds)) == len(seeds) == 25 * 41


def test_each_run_arranges_disorder_anew():
    stage = Exploration("disorder", ["Li6PS5Cl"], [300.0], 0.1, runs=2)
    arranged = [replica.atoms for number in (0, 1) for replica in replicas(stage, number, 0)]
    places = {tuple(atoms.positions[atoms.symbols == "Li"].round(3).ravel()) for atoms in arranged}
    assert len(places) == 4


def test_what_is_read_is_what_was_planned(surrogate, source, tmp_path):
    stage = Exploration("cells", [source], [300.0, 900.0], 0.04, repeat=[1, 1, 1])
    cold, hot = explore(surrogate, tmp_path / "run", stage)
    assert [one.condition for one in (cold, hot)] == [Condition("cu3au", 300.0), Condition("cu3au", 900.0)]
    assert cold.n_planned == len(cold.frames) == 10
    assert cold.steps.tolist() == list(range(2, 22, 2))
    np.testing.assert_allclose(cold.times, np.arange(4, 44, 4))
    assert cold.ending == FINISHED
    frame = hot.frames[3]
    assert frame.info == {
        "structure": "cu3au", "temperature": 900.0, "config_type": "cu3au", "trajectory": "r000_cu3au_900K_s0", "step": 8
    }  # fmt: skip
    assert frame.calc is None
    assert list(frame.arrays) == ["numbers", "positions"]
    assert not np.allclose(hot.frames[-1].positions, cold.frames[-1].positions)


def test_rounds_differ_and_a_round_repeats_itself(surrogate, source, tmp_path):
    stage = Exploration("cells", [source], [900.0], 0.02)
    last = [explore(surrogate, tmp_path / f"{k}", stage, number=number)[0].frames[-1].positions for k, number in enumerate((0, 0, 1))]
    np.testing.assert_array_equal(last[0], last[1])
    assert np.abs(last[2] - last[0]).max() > 0.01


def test_stages_that_are_not_recorded_plan_no_frames(surrogate, source, tmp_path):
    protocol = [
        {"name": "heat", "duration": 0.01, "record": False},
        {"name": "melt", "duration": 0.009, "start": 1500.0, "end": 1500.0},
        {"name": "quench", "rate": 50000.0, "start": 1500.0, "end": 500.0},
    ]
    (one,) = explore(surrogate, tmp_path / "run", Exploration("glass", [source], [900.0], protocol=protocol))
    assert one.n_planned == len(one.frames) == 2 + 5  # of 4 and 10 steps, each second
    assert one.steps.tolist() == [7, 9, 11, 13, 15, 17, 19]


def test_a_deviation_above_the_level_stops_a_trajectory_and_that_frame_is_the_last(surrogate, source, tmp_path):
    stage = Exploration("cells", [source], [2500.0], 0.4)
    free = explore(surrogate, tmp_path / "free", stage)[0]
    largest = np.array([deviation.max_force for deviation in surrogate.deviations(free.frames)])
    first = int(np.flatnonzero(largest > np.maximum.accumulate(largest)[10])[0])  # the first above all of the eleven before
    stop = float(largest[:first].max() + largest[first]) / 2
    one = explore(surrogate, tmp_path / "run", stage, stop=stop)[0]
    assert len(one.frames) == first + 1
    assert one.steps.tolist() == free.steps[: first + 1].tolist()
    assert one.ending.startswith("the members disagree on atom")
    assert one.n_planned == free.n_planned == 100
    found = [deviation.max_force for deviation in surrogate.deviations(one.frames)]
    assert found[-1] > stop > max(found[:-1])
    np.testing.assert_allclose(one.frames[-1].positions, free.frames[first].positions, atol=2e-4)  # Å, that a trajectory rounds to


def test_of_a_trajectory_stopped_at_its_first_step_the_frame_is_read(surrogate, source, tmp_path):
    one = explore(surrogate, tmp_path / "run", Exploration("cells", [source], [900.0], 0.04), stop=1e-6)[0]
    assert one.steps.tolist() == [2]
    assert one.n_planned == 10


def test_a_stop_frame_that_is_not_a_number_is_left_out(surrogate, source, tmp_path):
    stage, place = Exploration("cells", [source], [900.0], 0.04), tmp_path / "run" / "replicas" / "r000_cu3au_900K_s0"
    explore(surrogate, tmp_path / "run", stage, stop=1e-6)
    words = (place / "stopped.extxyz").read_text().splitlines()
    fields = words[2].split()
    words[2] = " ".join([fields[0], "nan", *fields[2:]])
    (place / "stopped.extxyz").write_text("\n".join(words) + "\n")
    one = explore(surrogate, tmp_path / "run", stage, stop=1e-6)[0]
    assert (len(one.frames), one.n_planned) == (0, 10)
    assert surrogate.deviations(one.frames) == surrogate.features(one.frames) == surrogate.grades(one.frames) == []


@pytest.mark.parametrize("dies", [3, 8, 11, 19])
def test_a_killed_exploration_goes_on_as_if_nothing_had_been(surrogate, source, tmp_path, dies):
    stage = Exploration("cells", [source], [900.0], 0.04, runs=2)
    whole = explore(surrogate, tmp_path / "whole", stage)
    with pytest.raises(KeyboardInterrupt):
        explore(surrogate, tmp_path / "run", stage, watch=Watched(dies=2 * (dies // 2)))
    again = Watched()
    for one, other in zip(explore(surrogate, tmp_path / "run", stage, watch=again), whole, strict=True):
        np.testing.assert_array_equal(one.steps, other.steps)
        for frame, same in zip(one.frames, other.frames, strict=True):
            np.testing.assert_array_equal(frame.positions, same.positions)
    assert again.steps[0] == 8 * ((dies - 1) // 8) + 2  # the steps since the last chunk alone are repeated


def test_a_finished_exploration_is_only_read(surrogate, source, tmp_path):
    stage, again = Exploration("cells", [source], [900.0], 0.02), Watched()
    first = explore(surrogate, tmp_path / "run", stage)
    second = explore(surrogate, tmp_path / "run", stage, watch=again)
    assert again.steps == []
    assert first[0].frames[-1] == second[0].frames[-1]


def test_a_trajectory_says_what_it_is_of(surrogate, source, tmp_path):
    explore(surrogate, tmp_path / "run", Exploration("cells", [source], [900.0], 0.02), number=3)
    place = tmp_path / "run" / "replicas" / "r003_cu3au_900K_s0"
    about = json.dumps(json.loads((place / "trajectory" / "zarr.json").read_text())["attributes"]["about"])
    assert '"round": 3' in about
    assert '"stage": "cells"' in about
    assert len(read(place / "final.extxyz")) == 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"duration": None}, "stage a: duration is None and protocol None, expected one of the two"),
        ({"temperatures": []}, "stage a: temperatures is empty, expected one at least"),
        ({"runs": 0}, "stage a: runs is 0, expected 1"),
        ({"most_rounds": 0}, "stage a: most_rounds is 0, expected 1 at least, or null"),
    ],
)
def test_a_stage_without_sense_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Exploration(**{"name": "a", "structures": ["x"], "temperatures": [300.0], "duration": 1.0} | options)


def test_pressures_that_no_cell_would_feel_are_refused(surrogate, source, tmp_path):
    stage = Exploration("squeezed", [source], [300.0], 0.04, pressures=[0.0, 1.0])
    with pytest.raises(ValueError, match=r"stage squeezed: pressures are \[0\.0, 1\.0\] GPa, but no cell varies in csvr"):
        explore(surrogate, tmp_path, stage)


def test_a_stage_of_less_than_a_frame_is_refused(surrogate, source, tmp_path):
    with pytest.raises(ValueError, match=r"stage short: no frame is recorded; expected a duration of 4\.0 fs"):
        explore(surrogate, tmp_path, Exploration("short", [source], [300.0], 0.002))


def test_an_unknown_ensemble_is_refused_with_those_that_are_known(surrogate, source, tmp_path):
    with pytest.raises(ValueError, match=r"stage a: ensemble is 'nvt', expected one of \['csvr', 'npt'\]"):
        explore(surrogate, tmp_path, Exploration("a", [source], [300.0], 0.04, ensemble="nvt"))


def test_frames_fall_on_steps():
    with pytest.raises(ValueError, match=r"record is 5\.0 fs, expected a multiple of the timestep, 2\.0 fs"):
        explorer(record=5.0)
