"""A trajectory for other programs: `python scripts/convert_trajectory.py trajectory=run/trajectory output=run.xtc`."""

from omegaconf import DictConfig, OmegaConf

from mlff.run.command import command


@command("convert")
def main(cfg: DictConfig) -> None:
    from mlff.run.convert import convert_trajectory  # here, so that --help answers at once

    convert_trajectory(**OmegaConf.to_container(cfg, resolve=True))


if __name__ == "__main__":
    main()
