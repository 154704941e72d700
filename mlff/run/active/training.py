"""Training as a step of a campaign: `train.py` with the campaign's overrides, on its frames, from its last model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from mlff.active.executors import Workers
from mlff.run.command import CONF
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
            f"data.path={_quoted(data)}",
            f"name={_quoted(folder.parent.name)}",
            f"folder={_quoted(folder)}",
            f"seed={self.seed}",
        ]
        if not any(override.startswith("uncertainty=") for override in self.overrides):
            own.append("uncertainty=committee")
        chosen = [*self.overrides, *(self.first if start is None else [*self.later, f"trainer.init_from={_quoted(start)}"])]
        with _beside_the_running_command(), initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("train", [*own, *chosen])


def train_elsewhere(workers: Workers, training: Training, data: Path, folder: Path, start: Path | None) -> None:
    """The same as a task of an executor, on whose node the folders must be the same."""
    workers.submit(training, data, folder, start).result()


@contextmanager
def _beside_the_running_command() -> Iterator[None]:
    """Hydra composes for one command at a time: that of the campaign makes room, and comes back."""
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = running  # another instance than before: Hydra puts back a copy


def _quoted(path: Path | str) -> str:
    """For Hydra's grammar, in which a path may hold characters that mean something."""
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"
