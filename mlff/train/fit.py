"""One call of Lightning: the only place that makes a Trainer."""

from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger

from mlff.engine import Committee
from mlff.train.callbacks import KeepBest, TimedCheckpoint
from mlff.train.datamodule import FrameData
from mlff.train.module import ForceField
from mlff.train.progress import ProgressBar


def fit(
    module: ForceField,
    data: FrameData,
    folder: Path,
    loggers: Sequence[Logger],
    *,
    checkpoint: Path | None,
    max_epochs: int,
    validations: int,
    accelerator: str,
    devices: int,
    clip: float,
    patience: float | None,
    checkpoint_minutes: float,
) -> Committee:
    """Train, and return the averaged weights of the best validation.

    Args:
        folder: of the run; checkpoints/last.ckpt is written below it.
        checkpoint: an earlier last.ckpt to continue from.
        validations: how often the validation set is looked at, over max_epochs.
        clip: largest norm of the gradient.
        patience: share of training without a better validation after which it stops; None for never.
        checkpoint_minutes: from one checkpoint to the next.
    """
    best = KeepBest(patience)
    timed = TimedCheckpoint(folder / "checkpoints", checkpoint_minutes)
    trainer = pl.Trainer(
        default_root_dir=folder,
        max_epochs=max_epochs,
        accelerator=accelerator,
        devices=devices,
        check_val_every_n_epoch=max(1, max_epochs // validations),
        gradient_clip_val=clip,
        num_sanity_val_steps=0,
        inference_mode=False,  # forces are gradients
        use_distributed_sampler=False,  # AtomBudgetSampler shares the batches out itself
        logger=list(loggers),
        callbacks=[best, timed, ProgressBar()],
        log_every_n_steps=1,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    timed.save_now(trainer)
    if trainer.current_epoch % trainer.check_val_every_n_epoch:  # the clock stopped it between two validations
        trainer.validate(module, data, verbose=False)
    best.restore(module)
    return module.average.requires_grad_(True)
