"""How far a training is: a bar on a terminal, a line at each validation where the output is a file."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBar(Callback):
    """Stage, share of the training that is done (of its steps, or of its minutes), validation errors, time left.

    Args:
        console: where it is drawn.
        clock: s.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic):
        self._console, self._clock = console or Console(file=sys.stdout), clock
        self._bar: Progress | None = None
        self._loss, self._errors = float("nan"), ""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._started, self._start = self._clock(), module.progress
        if trainer.is_global_zero and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("stage {task.fields[stage]}"),
                BarColumn(bar_width=10),
                TextColumn("{task.percentage:>3.0f} %  {task.fields[errors]}  left"),
                TimeRemainingColumn(elapsed_when_finished=False),
                console=self._console,
                refresh_per_second=2,
            )
            self._task = self._bar.add_task("", total=1.0, stage=module.stage, errors="")
            self._bar.start()

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, outputs, batch, batch_idx: int) -> None:
        self._loss = float(outputs["loss"])
        if self._bar is not None:
            shown = self._errors or f"loss {self._loss:.4f}"  # until the first validation
            self._bar.update(self._task, completed=module.progress, stage=module.stage, errors=shown)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        shown = (("val_force_mae", "F {:.1f} meV/Å"), ("val_energy_mae", "E {:.2f} meV/atom"))
        errors = [text.format(float(trainer.callback_metrics[name])) for name, text in shown if name in trainer.callback_metrics]
        self._errors = f"val {', '.join(errors)}"
        if self._bar is not None:
            self._bar.update(self._task, errors=self._errors)
        elif trainer.is_global_zero and not self._console.is_terminal:
            print(
                f"epoch {trainer.current_epoch + 1}, {100 * module.progress:.0f} %, stage {module.stage}: "
                f"loss {self._loss:.4f}, {self._errors}, {self._left(module.progress)} left",
                flush=True,
            )

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _left(self, progress: float) -> timedelta:
        """At the pace so far; a continued training's pace is its own."""
        done = max(progress - self._start, 1e-9)
        return timedelta(seconds=round((self._clock() - self._started) * (1 - progress) / done))

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
