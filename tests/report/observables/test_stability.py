from mlff.report.observables import describe
from tests.contracts import observables


def test_swings_and_anions_are_shown(rng):
    """The PS4 of this trajectory turn, which the remark says is no melting."""
    system, frames, _ = observables.walk(rng)
    accumulator = observables.make("stability", system)
    accumulator.update(frames)
    shown = describe(accumulator.result(), system)
    assert [panel.title for panel in shown.panels] == ["Framework", "Intact anions"]
    assert [number.name for number in shown.numbers] == ["Lindemann index, P", "Lindemann index, S", "intact PS4", "breaking of PS4"]
    assert [curve.name for curve in shown.panels[0].curves] == ["P", "S"]
    assert any("an anion that turns" in remark for remark in shown.remarks)
