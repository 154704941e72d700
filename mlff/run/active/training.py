"""Training as a step of a campaign: `train.py` with the campaign's overrides, on its frames, from its last model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from mlff.active.executors import Workers
from mlff.run.composed import composed, quoted
from mlff.run.train import train


@dataclass(frozen=True)
class Training:
    """overrides: of train.py, for every training; first: for one that begins anew; later: for one that goes on from a model.

    All frames so far are learnt in each training, so that nothing is forgotten.
    """

    overrides: Sequence[str]
    first: Sequence[str]
    later: Sequence[str]
    seed: int

    def __call__(self, data: Path, folder: Path, start: Path | None) -> None:
        """Leaves folder/model; goes on where it was interrupted."""
        train(self.configuration(data, folder, start))

    def configuration(self, data: Path, folder: Path, start: Path | None) -> DictConfig:
        """What train.py would compose.

        Raises:
            ValueError, and Hydra's errors: an override that train.py does not know.
        """
        own = [
            "data=files",
            "data/split=given",
            f"data.path={quoted(data)}",
            f"name={quoted(folder.parent.name)}",
            f"folder={quoted(folder)}",
            f"seed={self.seed}",
        ]
        if not any(override.startswith("uncertainty=") for override in self.overrides):
            own.append("uncertainty=committee")
        chosen = [*self.overrides, *(self.first if start is None else [*self.later, f"trainer.init_from={quoted(start)}"])]
        return composed("train", [*own, *chosen])


def train_elsewhere(workers: Workers, training: Training, data: Path, folder: Path, start: Path | None) -> None:
    """The same as a task of an executor, on whose node the folders must be the same."""
    workers.submit(training, data, folder, start).result()
