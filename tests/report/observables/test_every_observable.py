"""Every observable of conf/observable can be shown: in the page, on paper, as a table, and as numbers with their units."""

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from mlff.report.drawing import chart_of, write_panel_csv
from mlff.report.observables import describe
from mlff.run.command import CONF
from tests.contracts import observables


@pytest.fixture(scope="module")
def walk():
    return observables.walk(np.random.default_rng(2024))


@pytest.mark.parametrize("name", observables.names())
def test_it_is_shown_with_titles_units_and_numbers(name, walk, tmp_path):
    system, frames, velocities = walk
    accumulator = observables.make(name, system)
    accumulator.update(velocities if accumulator.reads == "velocities" else frames)
    shown = describe(accumulator.result(), system)
    assert shown.title
    assert shown.lead.endswith(".")
    assert shown.panels
    assert shown.numbers
    assert len({number.name for number in shown.numbers}) == len(shown.numbers)
    assert len({panel.title for panel in shown.panels}) == len(shown.panels)  # conditions are joined by title
    assert all(remark.endswith(".") for remark in shown.remarks)
    for k, panel in enumerate(shown.panels):
        assert panel.title in chart_of(panel).svg
        assert write_panel_csv(tmp_path / f"{k}.csv", panel).stat().st_size > 0


def test_the_command_offers_every_observable():
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("analyze", ["trajectory=x"])
    assert sorted(cfg.available) == observables.names()
