"""Options of a campaign that are off unless asked for: local cells, and what each member measures."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from mlff.active.local_cell import LocalCells
from mlff.run.active.campaign import confirm_of, explorer_of, selection_of
from mlff.run.command import CONF
from tests.active.alloy import structure_file

WORKERS = SimpleNamespace(gpu=None)


def settings(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("active", ["name=small", "schedule=[]", *overrides])


def given(*overrides: str) -> dict:
    return OmegaConf.to_container(settings(*overrides), resolve=True)


def test_neither_is_on_by_itself():
    assert selection_of(given()["selection"]).local_cells is None
    assert confirm_of(given(), explorer_of(settings()), WORKERS) is None


def test_local_cells_reach_the_selection():
    found = selection_of(given("selection.local_cells={larger_than: 200, edge: 12.0}")["selection"])
    assert found.local_cells == LocalCells(200, 12.0, 5.0)


def test_what_members_are_to_measure_reaches_the_campaign():
    cfg = settings("confirm={structure: Li3PS4_gamma, temperature: 500, duration: 5.0}", "seed=4")
    explorer = explorer_of(cfg)
    asked, *others = confirm_of(OmegaConf.to_container(cfg, resolve=True), explorer, WORKERS).args
    assert (asked.structure, asked.temperature, asked.duration, asked.runs) == ("Li3PS4_gamma", 500, 5.0, 2)
    assert others == [explorer, "Li", 4, None]


def test_a_comparison_of_what_is_not_there_is_refused_before_anything_runs(tmp_path: Path):
    words = f"confirm={{structure: {structure_file(tmp_path)}, temperature: 500, duration: 5.0}}"
    with pytest.raises(ValueError, match="holds Au, Cu, expected Li; name the ion that moves in `mobile`"):
        confirm_of(given(words), explorer_of(settings(words)), WORKERS)
