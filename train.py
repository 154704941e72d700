"""Train a model: `python train.py +experiment=quickstart`; conf/train.yaml is where every setting has its place."""

import hydra
from omegaconf import DictConfig

from mlff.run.plain_errors import plain_errors


@hydra.main(config_path="conf", config_name="train", version_base="1.3")
@plain_errors
def main(cfg: DictConfig) -> float:
    from mlff.run.train import train  # here, so that --help and a misspelt override answer without loading torch

    return train(cfg)


if __name__ == "__main__":
    main()
