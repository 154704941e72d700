"""What is in a data set: `python scripts/inspect_data.py path=data.extxyz`; conf/inspect.yaml has every setting."""

import hydra
from omegaconf import DictConfig
from omegaconf.errors import MissingMandatoryValue


@hydra.main(config_path="../conf", config_name="inspect", version_base="1.3")
def main(cfg: DictConfig) -> None:
    from mlff.run.inspect import inspect  # here, so that --help answers at once

    try:
        inspect(cfg)
    except (ValueError, FileNotFoundError, MissingMandatoryValue) as error:
        raise SystemExit(f"error: {error}") from None  # the sentence says it all


if __name__ == "__main__":
    main()
