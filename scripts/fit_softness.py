"""Why some ions move, told from their surroundings: `python scripts/fit_softness.py train=runs/md/glass_a test=runs/md/glass_b`."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("softness", folder="softness")
def main(cfg: DictConfig) -> None:
    from softness.study import study  # here, so that --help answers at once

    study(cfg)


if __name__ == "__main__":
    main()
