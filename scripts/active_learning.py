"""Active learning with a reference code in the loop: `python scripts/active_learning.py +experiment=al_quickstart`."""

from omegaconf import DictConfig

from mlff.run.active.run import run_active
from mlff.run.command import command


@command("active")
def main(cfg: DictConfig) -> None:
    run_active(cfg)


if __name__ == "__main__":
    main()
