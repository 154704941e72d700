from mlff.analysis.anions.cation_anion_map import CationAnionMapAccumulator
from mlff.report.observables import describe
from tests.contracts import observables


def test_what_is_shown(rng):
    system, frames, _ = observables.walk(rng)
    accumulator = CationAnionMapAccumulator.of(system, frames=100)
    accumulator.update(frames)
    result = accumulator.result()
    found = describe(result, system)
    assert [panel.title for panel in found.panels] == ["Li around PS4", "Li around PS4, relative"]
    assert (found.panels[0].x, found.panels[0].y) == ("Li–S, Å", "P–S–Li, °")
    assert (found.panels[0].values == result.kinds["PS4"].density.T).all()
    assert [number.name for number in found.numbers] == [
        "most frequent Li–S, PS4",
        "most frequent P–S–Li, PS4",
        "mean P–S–Li, PS4",
        "Li within 6 Å of S, PS4",
    ]
    assert all(number.estimate.known for number in found.numbers)
