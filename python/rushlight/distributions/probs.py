"""What distributions given by probabilities or their logits share."""

from __future__ import annotations

import rushlight
from rushlight._C import Tensor
from rushlight.distributions.utils import lazy_property, logits_to_probs, probs_to_logits


class ProbsOrLogits:
    """probs and logits, the one that was not given computed from the other when first asked for."""

    _is_binary = True  # one event each, rather than classes along the last dim

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, self._is_binary)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, self._is_binary)

    @property
    def _param(self) -> Tensor:
        """The one that is there."""
        return self.__dict__.get("probs", self.__dict__.get("logits"))

    @property
    def param_shape(self) -> rushlight.Size:
        """Shape of the parameter."""
        return self._param.size()
