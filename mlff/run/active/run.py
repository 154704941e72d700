"""`python scripts/active_learning.py`: a campaign from its first frames to a committee that knows what it explores."""

import logging
from functools import partial
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mlff.active.label import label
from mlff.active.ledger import Ledger
from mlff.active.record import Record
from mlff.run.active.campaign import campaign_of
from mlff.run.active.costs import LABELS
from mlff.run.active.progress import Progress
from mlff.run.active.report import report_active
from mlff.run.folder import changes
from mlff.run.threads import set_threads
from mlff.whole_file import written_whole

log = logging.getLogger(__name__)

CONFIG = "config.yaml"
# what may be changed while a campaign is under way: where and how fast it runs, how long, and what comes next in its schedule
MAY_CHANGE = ("folder", "threads", "executor.", "label.", "convergence.", "schedule", "confirm", "explore.device")


def run_active(cfg: DictConfig) -> list[Record]:
    """Run a campaign to convergence, or go on where it is.

    Raises:
        ValueError: the folder holds a campaign of other settings.
    """
    set_threads(cfg.threads)
    folder = Path(cfg.folder)
    take_folder(folder, cfg)
    oracle, ledger = instantiate(cfg.oracle, _convert_="all"), Ledger(folder / LABELS)
    with instantiate(cfg.executor, _convert_="all") as workers:
        label_all = partial(label, oracle=oracle, ledger=ledger, workers=workers, progress=True, **cfg.label)
        watch = Progress(cfg.mobile, partial(report_active, cfg, folder, figures=False))
        campaign = campaign_of(cfg, label_all, workers, ledger.core_hours, watch)
        try:
            records = campaign.run()
        except KeyboardInterrupt:
            raise SystemExit(f"interrupted; the same command goes on from where {folder} stands") from None
    log.info("report: %s", report_active(cfg, folder))
    log.info("model: %s", folder / "model" if (folder / "model").exists() else folder / records[-1].model)
    return records


def take_folder(folder: Path, cfg: DictConfig) -> None:
    """Write config.yaml, or see that the campaign which is there is this one."""
    config = folder / CONFIG
    own = OmegaConf.create(OmegaConf.to_container(cfg, resolve=True))
    if config.exists():
        found = {name: words for name, words in changes(OmegaConf.load(config), own).items() if not name.startswith(MAY_CHANGE)}
        if found:
            raise ValueError(
                f"{folder} holds a campaign with other settings ({'; '.join(found.values())}); choose another `name`, or remove it. "
                f"What may change: {', '.join(name.rstrip('.') for name in MAY_CHANGE)}"
            )
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(config) as file:
        file.write_text(OmegaConf.to_yaml(own))
