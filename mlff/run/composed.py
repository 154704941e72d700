"""The configuration of one command inside another."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from mlff.run.command import CONF


def composed(config_name: str, overrides: Sequence[str], folder: str = "") -> DictConfig:
    """As the command line would have it.

    Args:
        config_name, folder: as of `command`.
    Raises:
        ValueError, and Hydra's errors: an override that the command does not know.
    """
    with _beside_the_running_command(), initialize_config_dir(str(CONF / folder), version_base="1.3"):
        return compose(config_name, list(overrides))


def quoted(path: Path | str) -> str:
    """For Hydra's grammar, in which a path may hold characters that mean something."""
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def _beside_the_running_command() -> Iterator[None]:
    """Hydra composes for one command at a time: the one that runs makes room, and comes back."""
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = running  # another instance than before: Hydra puts back a copy
