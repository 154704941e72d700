"""What is in a data set: `python scripts/inspect_data.py path=data.extxyz`; conf/inspect.yaml has every setting."""

import hydra
from omegaconf import DictConfig

from mlff.run.plain_errors import plain_errors


@hydra.main(config_path="../conf", config_name="inspect", version_base="1.3")
@plain_errors
def main(cfg: DictConfig) -> None:
    from mlff.run.inspect import inspect  # here, so that --help answers at once

    inspect(cfg)


if __name__ == "__main__":
    main()
