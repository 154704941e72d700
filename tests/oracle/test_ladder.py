"""The retry ladder: what it tries, where it stops, and what may not be a rung."""

import pickle

import pytest

from mlff.oracle import OracleError, Unconverged
from mlff.oracle.ladder import climb, ladder

KNOBS = ("alpha", "max_scf")


def test_each_rung_changes_the_first_way_and_not_the_one_before():
    ways = ladder({"alpha": 0.4, "max_scf": 60}, [{"alpha": 0.1}, {"max_scf": 200}], KNOBS)
    assert ways == [{"alpha": 0.4, "max_scf": 60}, {"alpha": 0.1, "max_scf": 60}, {"alpha": 0.4, "max_scf": 200}]


@pytest.mark.parametrize(("first", "retries"), [({"smearing": 0.1}, []), ({}, [{"alpha": 0.1}, {"smearing": 0.1}])])
def test_what_changes_the_label_is_no_rung(first, retries):
    with pytest.raises(ValueError, match=r"hold \['smearing'\], expected \['alpha', 'max_scf'\]: .* is a setting of its own"):
        ladder(first, retries, KNOBS)


def climbing(converges: int, n_ways: int = 3):
    """Where the ladder ends when the way of this number converges."""
    seen = []

    def attempt(way):
        seen.append(way["number"])
        if way["number"] != converges:
            raise Unconverged(f"way {way['number']} did not converge")
        return "label"

    return climb([{"number": number} for number in range(n_ways)], attempt), seen


@pytest.mark.parametrize("converges", [0, 1, 2])
def test_the_first_way_that_converges_is_the_last_that_is_tried(converges):
    assert climbing(converges) == (("label", converges), list(range(converges + 1)))


def test_when_none_converges_the_last_reason_is_told():
    with pytest.raises(Unconverged, match=r"^way 2 did not converge \(the last of 3 ways that were tried\)$") as caught:
        climbing(converges=7)
    assert pickle.loads(pickle.dumps(caught.value)).retries == 2  # as a worker sends it back
    with pytest.raises(Unconverged, match=r"^way 0 did not converge$"):
        climbing(converges=7, n_ways=1)


def test_a_crash_is_not_climbed_over():
    tried = []

    def attempt(way):
        tried.append(way)
        raise OracleError("it crashed")

    with pytest.raises(OracleError, match="it crashed") as caught:
        climb([{}, {}], attempt)
    assert type(caught.value) is OracleError
    assert len(tried) == 1
