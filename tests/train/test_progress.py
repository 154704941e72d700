import io
import types

import pytest
from rich.console import Console

from mlff.train.progress import ProgressBar


def validated_once(bar: ProgressBar) -> None:
    """A training that is validated at a quarter."""
    module = types.SimpleNamespace(progress=0.0, stage=1)
    trainer = types.SimpleNamespace(is_global_zero=True, current_epoch=4, callback_metrics={})
    bar.on_train_start(trainer, module)
    module.progress = 0.25
    bar.on_train_batch_end(trainer, module, {"loss": 0.5}, None, 0)
    trainer.callback_metrics = {"val_force_mae": 43.21, "val_energy_mae": 1.234}
    bar.on_validation_end(trainer, module)
    bar.on_train_end(trainer, module)


def test_a_file_gets_a_line_at_each_validation(capsys):
    clock = iter([100.0, 110.0])
    validated_once(ProgressBar(clock=lambda: next(clock)))
    assert capsys.readouterr().out == "epoch 5, 25 %, stage 1: loss 0.5000, val F 43.2 meV/Å, E 1.23 meV/atom, 0:00:30 left\n"


@pytest.mark.parametrize("width", [80, 200])
def test_the_bar_shows_its_numbers_uncut(width):
    screen = io.StringIO()
    validated_once(ProgressBar(Console(file=screen, force_terminal=True, width=width)))
    shown = screen.getvalue()
    assert "val F 43.2 meV/Å, E 1.23 meV/atom  left" in shown
    assert "25 %" in shown
    assert "…" not in shown
