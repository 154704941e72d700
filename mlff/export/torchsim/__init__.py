"""TorchSim: a trained model as a model of its batched simulations."""


def __getattr__(name: str) -> type:
    if name == "MLFFModel":  # here, because its base class is TorchSim's, and the engine tells where that is missing
        from mlff.export.torchsim.model import MLFFModel

        return MLFFModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
