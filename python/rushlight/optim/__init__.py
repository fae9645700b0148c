"""Optimizers and learning-rate schedules; what few programs use is imported when first mentioned."""

from typing import TYPE_CHECKING

from rushlight._lazy import attach as _attach
from rushlight.optim.adam import Adam
from rushlight.optim.optimizer import Optimizer
from rushlight.optim.sgd import SGD

if TYPE_CHECKING:  # what type checkers and editors cannot see below
    from rushlight.optim import lr_scheduler, swa_utils
    from rushlight.optim._adafactor import Adafactor
    from rushlight.optim._muon import Muon
    from rushlight.optim._stateless import swap_in_optimizer_params_and_state
    from rushlight.optim.adadelta import Adadelta
    from rushlight.optim.adagrad import Adagrad
    from rushlight.optim.adamax import Adamax
    from rushlight.optim.adamw import AdamW
    from rushlight.optim.asgd import ASGD
    from rushlight.optim.lbfgs import LBFGS
    from rushlight.optim.nadam import NAdam
    from rushlight.optim.radam import RAdam
    from rushlight.optim.rmsprop import RMSprop
    from rushlight.optim.rprop import Rprop
    from rushlight.optim.sparse_adam import SparseAdam

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
