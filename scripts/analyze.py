"""Every observable of trajectories in one pass, as a page, pictures and tables: `python scripts/analyze.py trajectory=runs/md/lgps`."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("analyze")
def main(cfg: DictConfig) -> None:
    from mlff.run.analysis import analyze  # here, so that --help answers at once

    analyze(cfg)


if __name__ == "__main__":
    main()
