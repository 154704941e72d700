"""Where a training reports to: its own history.csv always, Weights & Biases when asked."""

import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlparse

from pytorch_lightning.loggers import Logger, WandbLogger

from mlff.train.history import HistoryLogger

MODES = ("auto", "online", "offline")
ENVIRONMENT_MODES = {"online": "online", "run": "online", "offline": "offline", "dryrun": "offline", "disabled": None}


def build_loggers(folder: str | Path, *, name: str, wandb: Mapping[str, str | None] | None = None, resume: bool = False) -> list[Logger]:
    """The loggers of one run; none of them asks a question.

    Args:
        folder: the run's folder; everything is written below it.
        name: of the run, as W&B shows it.
        wandb: {"project", "entity", "group", "mode"}, or None for history.csv alone; the variable WANDB_MODE outranks "mode".
        resume: continue the history.csv that is there.
    Raises:
        ValueError: an unknown entry or mode, or mode "online" without a key.
    """
    history = HistoryLogger(folder, resume=resume)
    if wandb is None:
        return [history]
    mode = wandb_mode(wandb)
    if mode is None:
        return [history]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("CACHE", "DATA"):  # otherwise folders of the user's home
        os.environ.setdefault(f"WANDB_{kind}_DIR", str(folder.absolute() / "wandb" / kind.lower()))
    logger = WandbLogger(
        name=name,
        project=wandb["project"],
        entity=wandb.get("entity"),
        group=wandb.get("group"),
        save_dir=folder,
        mode=mode,  # not Lightning's offline=True, which sets WANDB_MODE for the rest of the process
        reinit="create_new",  # a sweep in one process: each of its jobs is its own run
    )
    return [history, logger]


def wandb_mode(wandb: Mapping[str, str | None]) -> str | None:
    """ "online" or "offline"; None where WANDB_MODE=disabled."""
    unknown = set(wandb) - {"project", "entity", "group", "mode"}
    if unknown:
        raise ValueError(f"logger.wandb holds {sorted(unknown)}, but has project, entity, group and mode; correct the spelling")
    asked = os.environ.get("WANDB_MODE")
    if asked in ENVIRONMENT_MODES:
        return ENVIRONMENT_MODES[asked]
    mode = wandb.get("mode", "auto")
    if mode not in MODES:
        raise ValueError(f"logger.wandb.mode is {mode!r}, but must be one of {', '.join(MODES)}; see conf/logger/wandb.yaml")
    if mode == "online" and not has_wandb_key():
        raise ValueError(
            "logger.wandb.mode is online, but no W&B key was found; "
            "set WANDB_API_KEY, run `wandb login`, or take logger.wandb.mode=offline and `wandb sync` later"
        )
    return mode if mode != "auto" else ("online" if has_wandb_key() else "offline")


def has_wandb_key() -> bool:
    """Whether WANDB_API_KEY or the netrc file holds a key for the W&B server (WANDB_BASE_URL)."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc(path).authenticators(host) is not None
    except (FileNotFoundError, netrc.NetrcParseError):
        return False
