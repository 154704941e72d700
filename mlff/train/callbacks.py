"""What watches a training: the best average kept, early stop, checkpoints."""

import time
from datetime import timedelta
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, ModelCheckpoint


class KeepBest(Callback):
    """Keeps the averaged weights of the best validation of the last stage, and stops when none better came for a while.

    Args:
        patience: share of training without a better validation after which it stops, once the last stage has begun; None for never.
    """

    def __init__(self, patience: float | None):
        self.patience = patience
        self.score, self.progress, self.stage, self.weights = float("inf"), 0.0, 1, None

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        if module.stage != self.stage:
            # stage two trades a little force for energy: it is not measured against stage one, which had no such aim
            self.score, self.progress, self.stage = float("inf"), module.progress, module.stage
        score = float(trainer.callback_metrics["val_score"])
        if score < self.score:
            self.score, self.progress = score, module.progress
            self.weights = {name: tensor.detach().clone() for name, tensor in module.average.state_dict().items()}
        elif self.patience is not None and module.in_last_stage and module.progress - self.progress > self.patience:
            trainer.should_stop = True

    def restore(self, module: pl.LightningModule) -> None:
        """Give the module's average the best weights."""
        if self.weights is not None:
            module.average.load_state_dict(self.weights)

    def state_dict(self) -> dict:
        return {"score": self.score, "progress": self.progress, "stage": self.stage, "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:
        self.score, self.progress, self.stage, self.weights = (state[name] for name in ("score", "progress", "stage", "weights"))


class TimedCheckpoint(ModelCheckpoint):
    """last.ckpt every few minutes at the end of an epoch, so that a resumed run repeats no step and skips none.

    Args:
        folder: where last.ckpt lies.
        every_minutes: a killed run loses at most this much, and the epoch it was in.
    """

    def __init__(self, folder: Path, every_minutes: float):
        super().__init__(dirpath=folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False)
        self.interval = timedelta(minutes=every_minutes).total_seconds()
        self._saved = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # rank 0's clock decides: a rank that saved alone would wait for the others for ever
        if trainer.strategy.broadcast(time.monotonic() - self._saved >= self.interval):
            self.save_now(trainer)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Validation scores are KeepBest's; a checkpoint in the middle of an epoch could not resume exactly."""

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        """What failed is not saved over what worked."""

    def save_now(self, trainer: pl.Trainer) -> None:
        self._saved = time.monotonic()
        path = Path(self.dirpath) / "last.ckpt"
        # written beside and renamed, so that a kill while writing leaves the older one
        fresh = path.with_suffix(".part")
        trainer.save_checkpoint(fresh)
        if trainer.is_global_zero:
            fresh.replace(path)
            for logger in trainer.loggers:
                logger.after_save_checkpoint(self)
