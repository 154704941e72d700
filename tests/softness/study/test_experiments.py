"""The experiments of the study compose, set only what there is, and simulate what molecular dynamics understands."""

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mlff.run.command import CONF
from mlff.run.composed import composed

FOLDER = CONF / "softness"
EXPERIMENTS = sorted(path.stem for path in (FOLDER / "experiment").glob("*.yaml"))


def config(*overrides: str):
    with initialize_config_dir(str(FOLDER), version_base="1.3"):
        return compose("softness", list(overrides))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_composes(name):
    path = FOLDER / "experiment" / f"{name}.yaml"
    lines = path.read_text().splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# conf/softness/softness.yaml: ")
    base, own = OmegaConf.to_container(config()), yaml.safe_load(path.read_text())
    for key, value in own.items():
        assert key in base
        if isinstance(value, dict) and key != "neighbours":  # whose names are the user's
            assert set(value) <= set(base[key])
    found = config(f"+experiment={name}")
    simulated = composed("md", [*found.simulate.overrides, f"model={found.model}"], "md")
    assert list(simulated.temperatures) == [300, 400, 500, 600]


def test_a_model_is_named_as_the_documentation_does():
    """`model` is also a group of train.py; a root beside that group would look for an option of it."""
    assert config("model=bundled:thiophosphates").model == "bundled:thiophosphates"
