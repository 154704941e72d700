"""Loggers ask nothing and write below the run's folder alone."""

import os
import subprocess
import sys

import pytest

from mlff.train.history import HistoryLogger
from mlff.train.loggers import build_loggers, has_wandb_key, wandb_mode

WANDB = {"project": "mlff", "entity": None, "group": None, "mode": "auto"}


@pytest.fixture(autouse=True)
def _no_account(monkeypatch, tmp_path):
    for variable in [name for name in os.environ if name.startswith("WANDB_")] + ["NETRC"]:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


def test_history_alone_by_default(tmp_path):
    assert [type(logger) for logger in build_loggers(tmp_path, name="x")] == [HistoryLogger]


@pytest.mark.slow
def test_without_a_key_a_run_is_offline_silent_and_outside_the_home(tmp_path):
    """In a process of its own, with nobody to answer a prompt; two runs, as in a sweep of one process."""
    code = (
        "from mlff.train.loggers import build_loggers\n"
        "for name in ('a', 'b'):\n"
        f"    history, wandb = build_loggers('runs/' + name, name=name, wandb={WANDB!r})\n"
        "    for logger in (history, wandb): logger.log_metrics({'val_force_mae': 30.0}, step=1); logger.finalize('success')\n"
        "    assert wandb.experiment.settings.mode == 'offline', wandb.experiment.settings.mode\n"
        "    wandb.experiment.finish()\n"
    )
    environment = os.environ | {"MPLCONFIGDIR": str(tmp_path / "matplotlib"), "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "home").iterdir()) == []
    for name in ("a", "b"):
        assert list(tmp_path.glob(f"runs/{name}/wandb/offline-run-*/*.wandb"))
        assert (tmp_path / "runs" / name / "history.csv").read_text().endswith(",30.0\n")


def test_a_key_is_found_in_the_environment_and_in_netrc(monkeypatch, tmp_path):
    assert not has_wandb_key()
    assert wandb_mode(WANDB) == "offline"
    (tmp_path / "home/.netrc").write_text("machine elsewhere.org login user password secret\n")
    assert not has_wandb_key()
    (tmp_path / "home/.netrc").write_text("machine api.wandb.ai login user password secret\n")
    assert has_wandb_key()
    (tmp_path / "home/.netrc").unlink()
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert wandb_mode(WANDB) == "online"


def test_the_environment_outranks_the_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert wandb_mode(WANDB | {"mode": "online"}) == "offline"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert [type(logger) for logger in build_loggers(tmp_path, name="x", wandb=WANDB)] == [HistoryLogger]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "online"}, r"mode is online, but no W&B key was found; set WANDB_API_KEY"),
        ({"mode": "on"}, r"mode is 'on', but must be one of auto, online, offline"),
        ({"team": "x"}, r"holds \['team'\], but has project, entity, group and mode"),
    ],
)
def test_what_cannot_be_is_refused(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        build_loggers(tmp_path, name="x", wandb=WANDB | change)
