"""Relaxation, equation of state and stiffness of a model beside its reference; conf/mechanics/mechanics.yaml has every setting."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("mechanics", folder="mechanics")
def main(cfg: DictConfig) -> None:
    from mlff.run.mechanics import compare_mechanics  # here, so that --help answers without loading torch

    compare_mechanics(cfg)


if __name__ == "__main__":
    main()
