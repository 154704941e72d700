"""Errors of a model on any labelled data: `python scripts/evaluate.py model=… data=…`; conf/evaluate/evaluate.yaml has every setting."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("evaluate", folder="evaluate")
def main(cfg: DictConfig) -> None:
    from mlff.run.evaluate import evaluate  # here, so that --help answers without loading torch

    evaluate(cfg)


if __name__ == "__main__":
    main()
