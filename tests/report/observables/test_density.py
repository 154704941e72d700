import numpy as np
import pytest

from mlff.analysis.density.density import DensityAccumulator
from mlff.report.observables import describe
from mlff.report.panels import Volume
from tests.contracts import observables


@pytest.fixture
def walk(rng):
    """A system of PS4 and lithium, and 400 frames whose lithium keeps to a channel along a."""
    system, frames, _ = observables.walk(rng)
    fractions = np.full((3000, 6, 3), 0.5)
    fractions[..., 0] = rng.random((3000, 6))
    frames.positions[:, 10:] = fractions @ frames.cells
    return system, frames


def test_a_density_is_described(walk):
    system, frames = walk
    accumulator = DensityAccumulator.of(system, spacing=1.0)
    accumulator.update(frames)
    result = accumulator.result()
    told = describe(result, system)
    assert [panel.title for panel in told.panels] == [
        "Density, Li",
        "Along the axes",
        "Free energy along the axes",
        "Ways through the cell",
    ]
    volume = told.panels[0]
    assert isinstance(volume, Volume)
    assert volume.values.shape == (12, 11, 13)
    assert list(volume.symbols) == list(observables.SYMBOLS[:10])
    assert "0.01 / Å³" in volume.levels
    assert [curve.name for curve in told.panels[3].curves] == ["a"]
    assert [number.name for number in told.numbers] == ["barrier along a", "barrier along b", "barrier along c"]
    assert [number.estimate.known for number in told.numbers] == [True, False, False]
    assert "12 × 11 × 13 points" in told.remarks[0]
    assert not any("counts decide" in remark for remark in told.remarks)


def test_few_counts_and_smoothing_are_told(walk):
    system, frames = walk
    accumulator = DensityAccumulator.of(system, spacing=0.1, smoothing=0.1, most_points=2e5)
    accumulator.update(type(frames)(frames.steps[:300], frames.positions[:300], frames.cells[:300]))
    told = describe(accumulator.result(), system)
    assert "Gaussian of 0.1 Å" in told.remarks[1]
    assert any("counts decide the barrier along a" in remark for remark in told.remarks)
