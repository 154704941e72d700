"""When a stage is done, what is said where it is not, and records that come back from their files."""

from dataclasses import replace

import pytest

from mlff.active.convergence import Convergence, advice
from mlff.active.explored import Condition
from mlff.active.judge import Counts
from mlff.active.record import Record

COLD, HOT = Condition("licl", 300.0), Condition("licl", 600.0, 1.5, "R")


def record(accurate: int = 1000, candidate: int = 0, failed: int = 0, **others) -> Record:
    """Of two conditions, the second as given."""
    plain = {
        "number": 3,
        "stage": "cells",
        "model": "rounds/003/training/model",
        "trained": True,
        "low": 0.11,
        "high": 0.26,
        "counts": {COLD: Counts(1000), HOT: Counts(accurate, candidate, failed)},
        "refused": {},
        "selected": {"candidate": 5},
        "n_audit": 2,
        "labelled": 7,
        "quarantined": [],
        "before": {},
        "audit": {"all": {"mae": 0.01, "rmse": 0.02, "n": 96}},
        "test": {},
        "data": {"train": 20, "val": 3, "test": 4},
        "core_hours": 0.25,
        "seconds": {"label": 12.5},
    }
    return Record(**plain | others)


@pytest.mark.parametrize(
    ("counts", "passes"),
    [((990, 10, 0), True), ((989, 11, 0), False), ((1000, 0, 1), False), ((0, 0, 0), True)],
)
def test_a_round_passes_by_its_ratio_over_all_conditions_and_without_a_failure(counts, passes):
    assert Convergence(ratio=0.995).passes(record(*counts)) == passes


def test_a_round_that_explored_nothing_does_not_pass():
    assert not Convergence().passes(record(counts={}))


def test_the_last_rounds_must_all_pass():
    good, bad = record(), record(0, 1000, 0)
    rule = Convergence(n_rounds=2)
    assert not rule.reached([])
    assert not rule.reached([good])
    assert rule.reached([bad, good, good])
    assert not rule.reached([good, good, bad])
    assert not rule.reached([good, bad, good])


@pytest.mark.parametrize("options", [{"ratio": 0.0}, {"ratio": 1.01}, {"n_rounds": 0}, {"most_rounds": 0}])
def test_numbers_without_meaning_are_refused(options):
    with pytest.raises(ValueError, match="expected a share of frames, at least one round, and at least one round"):
        Convergence(**options)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (record(0, 300, 700), "trajectories break; begin with shorter runs or lower temperatures"),
        (record(0, 700, 300, audit={"all": {"rmse": 0.04}}), "the model's error, 40 meV/Å rms, is large for a lower level of 0.11"),
        (
            record(0, 700, 300, selected={"candidate": 5}, audit={"all": {"rmse": 0.04}}),
            "label more frames in each round (`selection.n`; 5 of",
        ),
        (record(0, 700, 300, audit={}, test={"all": {"rmse": 0.04}}), "40 meV/Å rms"),
        (record(0, 700, 300, labelled=2), "more than half of the chosen frames could not be labelled"),
        (record(0, 700, 300), "there is still something to learn"),
    ],
)
def test_what_is_said_of_a_stage_that_does_not_converge(found, words):
    said = advice([record(), found], 0.995)
    assert "50.0% of the frames were accurate in round 3, expected 99.5%" in said
    assert "licl_600K_1.5GPa_R is worst" in said
    assert words in said


def test_a_record_comes_back_from_its_file(tmp_path):
    written = replace(record(900, 90, 10), alarm="quarantine holds the uncertain ones", quarantined=["it hung"], refused={"a flat cell": 2})
    written.write(tmp_path / "round.json")
    assert Record.read(tmp_path / "round.json") == written
    assert [path.name for path in tmp_path.iterdir()] == ["round.json"]


def test_the_totals_of_a_record():
    found = record(900, 90, 10, selected={"candidate": 5, "hop": 2})
    assert found.total == Counts(1900, 90, 10)
    assert found.n_selected == 7
