"""Optimizers and learning-rate schedules; what few programs use is imported when first mentioned."""

from rushlight._lazy import attach as _attach
from rushlight.optim.adam import Adam
from rushlight.optim.optimizer import Optimizer
from rushlight.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
    "swap_in_optimizer_params_and_state",
]
__getattr__, __dir__ = _attach(
    __name__,
    globals(),
    {
        "_adafactor": ("Adafactor",),
        "_muon": ("Muon",),
        "_stateless": ("swap_in_optimizer_params_and_state",),
        "adadelta": ("Adadelta",),
        "adagrad": ("Adagrad",),
        "adamax": ("Adamax",),
        "adamw": ("AdamW",),
        "asgd": ("ASGD",),
        "lbfgs": ("LBFGS",),
        "lr_scheduler": (),
        "nadam": ("NAdam",),
        "radam": ("RAdam",),
        "rmsprop": ("RMSprop",),
        "rprop": ("Rprop",),
        "sparse_adam": ("SparseAdam",),
        "swa_utils": (),
    },
)
