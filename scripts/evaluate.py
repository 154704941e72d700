"""Errors of a model on any labelled data: `python scripts/evaluate.py model=… data=…`; conf/evaluate/evaluate.yaml has every setting."""

import hydra
from omegaconf import DictConfig

from mlff.run.plain_errors import plain_errors


@hydra.main(config_path="../conf/evaluate", config_name="evaluate", version_base="1.3")
@plain_errors
def main(cfg: DictConfig) -> None:
    from mlff.run.evaluate import evaluate  # here, so that --help answers without loading torch

    evaluate(cfg)


if __name__ == "__main__":
    main()
