import dataclasses

import numpy as np
from matplotlib.image import imread

from mlff.report import PredictionSamples, write_figures


def test_key_figures_are_written_and_not_blank(content, tmp_path):
    paths = write_figures(tmp_path / "figures", content, dpi=60)
    assert [path.name for path in paths] == ["parity.png", "error_by_force.png", "uncertainty.png", "learning_curves.png"]
    for path in paths:
        pixels = imread(path)[..., :3]
        assert (pixels < 0.9).any(axis=-1).mean() > 0.01  # a blank panel has ink on less than a hundredth of its area


def test_content_without_samples_or_history_gives_no_figure(content, tmp_path):
    assert write_figures(tmp_path, dataclasses.replace(content, samples={}, history=[], uncertainty=None)) == []
    nothing = PredictionSamples(*np.zeros((2, 0)), *np.zeros((2, 0, 3)), np.zeros(0, "U2"), *np.zeros((2, 0, 3, 3)))
    assert write_figures(tmp_path, dataclasses.replace(content, samples={"test": nothing}, history=[], uncertainty=None)) == []
