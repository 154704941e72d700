"""Train a model: `python train.py +experiment=quickstart`; conf/train.yaml is where every setting has its place."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("train")
def main(cfg: DictConfig) -> float:
    from mlff.run.train import train  # here, so that --help and a misspelt override answer without loading torch

    return train(cfg)


if __name__ == "__main__":
    main()
