from mlff.report.observables import describe
from tests.contracts import observables


def test_distribution_events_and_ions_are_shown(rng):
    system, frames, _ = observables.walk(rng)
    accumulator = observables.make("hop_indicator", system)
    accumulator.update(frames)
    result = accumulator.result()
    shown = describe(result, system)
    assert [panel.title for panel in shown.panels] == ["p_hop", "Hop lengths", "Hops of each ion"]
    assert [number.name for number in shown.numbers] == ["hops per ion", "hop length", "share of time in quiet stretches"]
    assert shown.panels[0].marks == {"hop": 2.0, "quiet": 0.5}
    assert sum(shown.panels[1].curves[0].y) == result.runs[0].counts.sum() > 0
    assert "events with windows of 1 ps" in shown.remarks[0]
