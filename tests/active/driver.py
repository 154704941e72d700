"""`python -m tests.active.driver folder data structure steps`: a small campaign by the command's own parts; each step of its dynamics
that is shown is a line of the file `steps`."""

import sys

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mlff.run.active import run
from mlff.run.active.progress import Progress
from mlff.run.command import CONF
from tests.active.alloy import OVERRIDES

EPOCHS = ("trainer.max_epochs=4", "trainer.validations=4", "callbacks.checkpoint.every_minutes=0.001")


class Counted(Progress):
    def shows(self, step, n_replicas, rows):
        with open(sys.argv[4], "a") as file:
            file.write(f"{step}\n")


def settings(folder: str, data: str, structure: str) -> dict:
    return {
        "name": "killed",
        "folder": folder,
        "oracle": {"calculator": "tests.active.alloy.CountedEMT", "version": "1"},
        "initial": {"labelled": [data]},
        "criterion": {"low": 0.004, "high": 5.0},
        "schedule": [{"name": "cells", "structures": [structure], "temperatures": [300, 900], "duration": 0.6}],
        "explore": {"record": 20.0, "chunk": 100.0},
        "selection": {"n": 6},
        "audit": 2,
        "val_every": 4,
        "convergence": {"most_rounds": 1},
        "training": {"overrides": [*OVERRIDES, *EPOCHS]},
        "mobile": ["Cu"],
        "threads": 1,
    }


if __name__ == "__main__":
    run.Progress = Counted
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("active", ["oracle=ase"])
    run.run_active(OmegaConf.merge(cfg, settings(*sys.argv[1:4])))
