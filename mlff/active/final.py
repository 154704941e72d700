"""What a campaign leaves: the last model that explored, or one that has learnt the last labels too."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ase import Atoms

from mlff.active.errors import ALL, force_errors
from mlff.active.frames import TEST, TRAIN, part, write_frames
from mlff.active.surrogate import Surrogate
from mlff.units import TO_MILLI

FINAL, TRAINING, DATA = "model", "final", "data.extxyz"


def learn_the_rest(folder: Path, last: Path, data: Sequence[Atoms], train: Callable[[Path, Path, Path | None], None]) -> tuple[Path, str]:
    """The better of the last model and of one that goes on from it with all frames, by the force error on test frames.

    Args:
        folder: of the campaign. last: its last model. data: all labelled frames. train: as `Campaign.train`.
    Returns:
        the model's folder, and a sentence on both.
    """
    place = folder / TRAINING
    if not (place / "training" / "model" / "card.json").exists():
        write_frames(place / DATA, data)
    train(place / DATA, place / "training", last)
    models = [last, place / "training" / "model"]
    tests = part(data, TEST)
    before, after = (TO_MILLI * force_errors(tests, Surrogate(model).forces(tests))[ALL]["rmse"] for model in models)
    better = after <= before
    return models[better], (
        f"learning the last labels too ({len(part(data, TRAIN))} frames) takes the force error on test frames from {before:.1f} to "
        f"{after:.1f} meV/Å rms: {'the new model is' if better else 'the old model stays'} the result"
    )


def keep(model: Path, folder: Path) -> None:
    """A copy of it under a name of its own, in place of that of a shorter campaign."""
    final, unfinished = folder / FINAL, folder / f".{FINAL}"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(model, unfinished)
    shutil.rmtree(final, ignore_errors=True)
    unfinished.rename(final)
