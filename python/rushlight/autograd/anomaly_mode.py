"""Anomaly detection: backward names the node that failed, and stops at the first nan."""

import warnings

from rushlight import _C

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class _Anomaly:
    def __exit__(self, *args: object) -> None:
        _C._set_anomaly_enabled(*self.prev)


class detect_anomaly(_Anomaly):
    """Context manager: inside, a backward that fails warns with the node's name; nan is a failure (check_nan)."""

    def __init__(self, check_nan: bool = True) -> None:
        self.prev = (_C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled())
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self.prev = (_C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled())
        _C._set_anomaly_enabled(True, self.check_nan)


class set_detect_anomaly(_Anomaly):
    """Switches anomaly detection on or off at once; as a context manager, until the end of the block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.prev = (_C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled())
        _C._set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        pass


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Switches anomaly detection on or off at once."""
    _C._set_anomaly_enabled(enabled, check_nan)
