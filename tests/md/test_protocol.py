import pytest

from mlff.md.protocol import Protocol, Stage


def temperatures(stage: Stage, n: int, own: float = 500.0) -> list[float]:
    return [stage.temperature(own, step, n) for step in range(n)]


def test_a_stage_holds_the_temperature_of_the_replica():
    assert temperatures(Stage("a", duration=1.0), 7) == [500.0] * 7


def test_a_ramp_climbs_in_steps_of_10_K_of_equal_length_and_ends_at_the_end():
    assert temperatures(Stage("up", rate=10.0, start=300, end=330), 8) == [300, 300, 310, 310, 320, 320, 330, 330]
    assert temperatures(Stage("down", duration=1, start=330, end=300), 4) == [330, 320, 310, 300]


def test_the_last_step_of_a_ramp_may_be_smaller():
    assert temperatures(Stage("up", duration=1, start=300, end=325), 8) == [300, 300, 310, 310, 320, 320, 325, 325]
    assert temperatures(Stage("up", duration=1, start=300, end=325, ramp_step=100.0), 4) == [300, 300, 325, 325]


def test_a_ramp_goes_to_or_from_the_temperature_of_the_replica():
    assert temperatures(Stage("up", duration=1, start=480), 3) == [480, 490, 500]
    assert temperatures(Stage("down", duration=1, end=480), 3) == [500, 490, 480]


def test_a_ramp_in_fewer_timesteps_than_it_has_steps_still_begins_and_climbs():
    found = temperatures(Stage("fast", duration=1, start=300, end=600), 4)
    assert found[0] == 300
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("stage", "timestep", "n"), [(Stage("a", duration=1.0), 2.0, 500), (Stage("b", rate=1.0, start=600, end=300), 1.0, 300000)]
)
def test_timesteps_of_a_stage(stage, timestep, n):
    assert stage.n_steps(timestep) == n
    assert Protocol([stage, Stage("end", duration=0.004)]).n_steps(timestep) == n + round(4 / timestep)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "stage x: duration is None ps and rate None K/ps, expected one of the two"),
        ({"duration": 1.0, "rate": 1.0}, "duration is 1.0 ps and rate 1.0 K/ps, expected one of the two"),
        ({"rate": 1.0, "start": 300}, "a rate needs both start and end, found 300 and None"),
        ({"duration": 0}, "duration is 0, expected above 0"),
        ({"duration": 1, "end": -5}, "end is -5, expected above 0"),
        ({"duration": 1, "ramp_step": 0}, "ramp_step is 0, expected above 0"),
    ],
)
def test_stages_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Stage("x", **options)


@pytest.mark.parametrize("stages", [[], [Stage("a", duration=1), Stage("a", duration=2)]])
def test_stages_have_names_of_their_own(stages):
    with pytest.raises(ValueError, match="expected one at least and each name once"):
        Protocol(stages)
