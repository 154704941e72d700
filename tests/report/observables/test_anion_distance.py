from mlff.analysis.anions.anion_distance import AnionDistanceAccumulator
from mlff.report.observables import describe
from tests.contracts import observables


def test_an_anion_distance_is_described(rng):
    system, frames, _ = observables.walk(rng)
    accumulator = AnionDistanceAccumulator.of(system, r_max=5.0, width=0.25)
    accumulator.update(frames)
    told = describe(accumulator.result(), system)
    assert [panel.title for panel in told.panels] == ["Distance from the anion", "Free energy of the distance", "Free energy by volume"]
    assert all(curve.name == "PS4" and len(curve.x) for panel in told.panels for curve in panel.curves)
    assert told.panels[1].y == "free energy, eV"
    assert [number.name for number in told.numbers] == ["mean distance, Li–PS4"]
    assert told.numbers[0].estimate.known
    assert "3000 frames" in told.remarks[0]
    assert "are further than 5 Å from any PS4" in told.remarks[1]
