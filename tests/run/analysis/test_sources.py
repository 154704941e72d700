"""Which trajectories are analysed, and what each is of."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from mlff.run.analysis.sources import Condition, Reading, sources_of
from tests.run.analysis.conftest import SYMBOLS, write_replica


def test_every_replica_of_a_run_is_found_with_its_condition(run):
    sources = sources_of(str(run), Reading())
    assert [source.name for source in sources] == ["LiS_600K_seed0", "LiS_600K_seed1", "LiS_900K_seed0"]
    assert [source.condition for source in sources] == [Condition("LiS", t, "UC") for t in (600.0, 600.0, 900.0)]
    system = sources[0].system
    assert (system.mobile, system.interval, system.timestep, system.n_frames) == ("Li", 50, 2.0, 600)
    assert system.rests
    assert system.drift @ np.ones(18) == pytest.approx(6 * 32.06, rel=1e-3)  # of the framework alone
    assert system.velocity_interval is None


def test_conditions_go_from_free_to_held_and_from_cold_to_warm(run):
    write_replica(run, "a_held_900K", 1e-5, 3, temperature=900.0, mode="RTC")
    write_replica(run, "a_held_600K", 1e-5, 3, temperature=600.0, mode="RC")
    found = [(s.condition.mode, s.condition.temperature) for s in sources_of(str(run), Reading())]
    assert found == [("UC", 600), ("UC", 600), ("UC", 900), ("RC", 600), ("RTC", 900)]


def test_a_pinned_anion_takes_up_momentum(run):
    write_replica(run, "held", 1e-5, 3, temperature=600.0, mode="RTC")
    held = sources_of(str(run), Reading())[-1]
    assert not held.system.rests
    assert held.system.drift is None
    assert sources_of(str(run), Reading(rests=True))[-1].system.rests


def test_named_trajectories_are_compared_under_their_names(run, tmp_path):
    other = tmp_path / "other"
    write_replica(other, "LiS_600K_seed0", 4e-5, 5, temperature=600.0)
    sources = sources_of({"ML": str(run / "replicas" / "LiS_600K_seed0" / "trajectory"), "AIMD": str(other)}, Reading())
    assert [source.condition.structure for source in sources] == ["ML", "AIMD"]
    assert [source.name for source in sources] == ["ML_LiS_600K_seed0", "AIMD_LiS_600K_seed0"]


def test_a_file_of_another_program_is_read(tmp_path, rng, monkeypatch):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "cache"))
    frames = [Atoms(SYMBOLS, 10 * rng.random((18, 3)), cell=10 * np.eye(3), pbc=True)]
    for _ in range(9):
        frames.append(frames[-1].copy())
        frames[-1].positions += 0.01
    write(tmp_path / "run.extxyz", frames)
    (source,) = sources_of(str(tmp_path / "run.extxyz"), Reading(timestep=20.0, temperature=700.0))
    assert source.condition == Condition("run", 700.0, "UC")
    assert source.system.frame_time == pytest.approx(20.0)
    assert not source.system.rests


def test_what_comes_first_may_be_skipped(run):
    assert sources_of(str(run), Reading(skip=10.0))[0].first == 100  # of 0.1 ps each
    with pytest.raises(ValueError, match=r"600 frames, 600 of them before .* expected at least 2"):
        sources_of(str(run), Reading(skip=1000.0))


def test_trajectories_of_one_name_are_refused(tmp_path):
    write_replica(tmp_path / "one", "b_c", 1e-5, 0)
    write_replica(tmp_path / "two", "c", 1e-5, 0)
    with pytest.raises(ValueError, match=r"several trajectories named a_b_c; .* trajectory=\{first: …"):
        sources_of({"a": str(tmp_path / "one"), "a_b": str(tmp_path / "two")}, Reading())


def test_a_run_that_has_not_begun_is_refused(tmp_path):
    (tmp_path / "run" / "replicas").mkdir(parents=True)
    with pytest.raises(ValueError, match="without any trajectory yet"):
        sources_of(str(tmp_path / "run"), Reading())


def test_an_ion_that_is_not_there_is_refused(run):
    with pytest.raises(ValueError, match="expected Na"):
        sources_of(str(run), Reading(mobile="Na"))
