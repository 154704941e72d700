"""Relaxation, equation of state and stiffness of a model beside its reference; conf/mechanics/mechanics.yaml has every setting."""

import hydra
from omegaconf import DictConfig

from mlff.run.plain_errors import plain_errors


@hydra.main(config_path="../conf/mechanics", config_name="mechanics", version_base="1.3")
@plain_errors
def main(cfg: DictConfig) -> None:
    from mlff.run.mechanics import compare_mechanics  # here, so that --help answers without loading torch

    compare_mechanics(cfg)


if __name__ == "__main__":
    main()
