"""Every configuration that the project ships composes: experiments, options of each group, sweeps; a misspelt key does not."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
EXPERIMENTS = sorted(path.relative_to(CONF / "experiment").with_suffix("").as_posix() for path in (CONF / "experiment").rglob("*.yaml"))
SWEEPS = sorted(path.stem for path in (CONF / "sweep").glob("*.yaml"))
ROLES = yaml.safe_load((CONF / "train.yaml").read_text())["defaults"]  # {group: option}, and the word _self_
GROUPS = [group for role in ROLES if isinstance(role, dict) for group in role if not group.startswith("override")]


@pytest.fixture(autouse=True)
def _some_data_folder(monkeypatch):
    monkeypatch.setenv("MLFF_DATA", "/data")  # composing reads the path, not the files


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_composes(name):
    config = composed(root_of(name), f"+experiment={name}")
    assert config  # resolved, with nothing left to be given


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_sets_only_what_the_root_has(name):
    """A file may add keys where the command line may not, so a misspelt one would be silence."""
    experiment = yaml.safe_load((CONF / f"experiment/{name}.yaml").read_text())
    options = [
        f"{group.removeprefix('override /')}={option}" for default in experiment.pop("defaults", []) for group, option in default.items()
    ]
    base = composed(root_of(name), *options, complete=False)
    assert unknown_keys(experiment, base) == []


@pytest.mark.parametrize("path", sorted((CONF / "experiment").rglob("*.yaml")), ids=lambda path: path.stem)
def test_experiment_begins_as_hydra_needs(path):
    """After any other line Hydra ignores `@package`, and every setting would land under `experiment`."""
    assert path.read_text().splitlines()[0] == "# @package _global_"


@pytest.mark.parametrize("choice", [f"{group}={path.stem}" for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))])
def test_option_composes(choice):
    needs_a_path = choice == "data=files"  # the user's own
    assert choice.split("=")[0] in composed("train", "+experiment=quickstart", choice, complete=not needs_a_path)


def test_misspelt_key_on_the_command_line_is_an_error():
    with pytest.raises(ConfigCompositionException, match=r"Could not override 'optimizer\.learning_rate'"):
        composed("train", "+experiment=quickstart", "optimizer.learning_rate=1e-3")


def test_misspelt_option_is_an_error_that_lists_the_options():
    with pytest.raises(Exception, match=r"Could not find 'model/lean3'[\s\S]*lean2"):
        composed("train", "+experiment=quickstart", "model=lean3")


def test_misspelt_key_in_an_experiment_is_found():
    base = {"optimizer": {"lr": 1.0}, "loss": {"force_weights": {}}, "seed": 0}
    assert unknown_keys({"optimizer": {"learning_rate": 2.0}}, base) == ["optimizer.learning_rate"]
    assert unknown_keys({"optimiser": {"lr": 2.0}}, base) == ["optimiser"]
    assert unknown_keys({"optimizer": {"lr": 2.0}, "loss": {"force_weights": {"Li": 2.0}}}, base) == []


@pytest.mark.parametrize("name", SWEEPS)
def test_sweep_composes_at_both_ends_of_each_parameter(name):
    sweep = yaml.safe_load((CONF / f"sweep/{name}.yaml").read_text())
    assert sweep["program"] == "train.py"
    ends = {key: ends_of(parameter) for key, parameter in sweep["parameters"].items()}
    first = {key: values[0] for key, values in ends.items()}
    names = set()
    for key, values in ends.items():
        for value in values:
            config = composed("train", *arguments(sweep["command"], first | {key: value}))
            names.add(config["name"])
            assert config["logger"]["wandb"]["project"]
    # each set of values has a run folder of its own: the first of all, and one with each parameter's last
    assert len(names) == 1 + len(ends)


@pytest.mark.parametrize("name", SWEEPS)
def test_sweep_minimises_what_is_logged(name):
    metric = yaml.safe_load((CONF / f"sweep/{name}.yaml").read_text())["metric"]
    assert metric == {"name": "val_force_mae", "goal": "minimize"}


@pytest.mark.slow
def test_optuna_sweeps_the_training_configuration_and_continues_a_stored_study(tmp_path):
    """train.py's own configuration with an objective that costs nothing; optuna's storage breaks under the wrong SQLAlchemy."""
    (tmp_path / "objective.py").write_text(
        "import hydra\n"
        f"@hydra.main(config_path={str(CONF)!r}, config_name='train', version_base='1.3')\n"
        "def main(cfg): return (cfg.r_max - 5.0) ** 2 + abs(cfg.optimizer.lr - 5e-3)\n"
        "main()\n"
    )
    command = [sys.executable, "objective.py", "-m", "hydra/sweeper=cutoff", "+experiment=quickstart", "name=cutoff"]
    options = ["hydra.sweeper.n_trials=2", "hydra.sweeper.storage=sqlite:///study.db"]
    for _ in range(2):
        done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        best = re.search(r"Best parameters: \{'optimizer.lr': ([\d.e-]+), 'r_max': ([\d.]+)\}|$", done.stdout + done.stderr)
        assert best.group(2), done.stdout + done.stderr
        assert 4.0 <= float(best.group(2)) <= 7.0
        assert float(best.group(2)) % 0.25 == 0
    with sqlite3.connect(tmp_path / "study.db") as study:
        assert study.execute("select count(*) from trials where state = 'COMPLETE'").fetchone() == (4,)


def composed(root: str, *overrides: str, complete: bool = True) -> dict:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(root, [*overrides, "folder=/runs/x"] if root == "train" else list(overrides))
    return OmegaConf.to_container(config, resolve=complete, throw_on_missing=complete)


def root_of(experiment: str) -> str:
    """The command that an experiment is for: its first comment begins `# conf/train.yaml: …`."""
    comment = (CONF / f"experiment/{experiment}.yaml").read_text().splitlines()[1]
    match = re.match(r"# conf/(\w+)\.yaml: \S", comment)
    assert match, f"experiment/{experiment}.yaml: its second line is {comment!r}, but names the root it is for, `# conf/train.yaml: …`"
    return match[1]


def unknown_keys(new: Mapping, base: Mapping, prefix: str = "") -> list[str]:
    """Keys of new that base does not have; where base is empty or no mapping, any are welcome."""
    found = []
    for key, value in new.items():
        if key not in base:
            found.append(f"{prefix}{key}")
        elif isinstance(value, Mapping) and isinstance(base[key], Mapping) and base[key]:
            found += unknown_keys(value, base[key], f"{prefix}{key}.")
    return found


def ends_of(parameter: Mapping) -> tuple:
    values = parameter.get("values") or (parameter["min"], parameter["max"])
    return values[0], values[-1]


def arguments(command: list[str], values: Mapping) -> list[str]:
    """What the sweep's agent gives train.py: the words after the program, with the parameters in place of ${args_no_hyphens}."""
    assert command[-1] == "${args_no_hyphens}"
    return [*command[command.index("${program}") + 1 : -1], *(f"{key}={value}" for key, value in values.items())]
