"""What is in a data set: `python scripts/inspect_data.py path=data.extxyz`; conf/inspect.yaml has every setting."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("inspect")
def main(cfg: DictConfig) -> None:
    from mlff.run.inspect import inspect  # here, so that --help answers at once

    inspect(cfg)


if __name__ == "__main__":
    main()
