"""Windows and short-time Fourier transforms."""

from samples import T, case, error

WINDOWS = ("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window")
for name in WINDOWS:
    for args in ((8,), (7, False), (0,), (1,), (2, True), (33, True)):
        case(name, *args, ulp=16)
    case(name, 9, dtype="torch.float64", ulp=16)
    case(name, 9, dtype="torch.bfloat16")
    error(name, -1)
    error(name, 5, dtype="torch.int64")
    error(name, 2.5)
case("hamming_window", 8, True, 0.5)
case("hamming_window", 8, False, 0.5, 0.4)
case("kaiser_window", 8, True, 3.0)


def window(name):
    return lambda ns, *args, **kwargs: getattr(ns.signal.windows, name)(*args, **kwargs)


OPTIONS = {"general_cosine": {"a": [0.46, 0.23, 0.31]}, "gaussian": {"std": 2.5}, "kaiser": {"beta": 5.0}, "exponential": {"tau": 3.0},
           "general_hamming": {"alpha": 0.6}}
for name in ("bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
             "kaiser", "nuttall"):  # fmt: skip
    options = OPTIONS.get(name, {})
    for M in (0, 1, 2, 9):
        case(f"windows.{name}", M, fn=window(name), ulp=16, **options)
        case(f"windows.{name}", M, sym=False, fn=window(name), ulp=16, **options)
    if name != "general_cosine":
        case(f"windows.{name}", 5, fn=window(name), ulp=16)
    case(f"windows.{name}", 6, dtype="torch.float64", fn=window(name), ulp=16, **options)
    error(f"windows.{name}", -1, fn=window(name), **options)
    error(f"windows.{name}", 5, dtype="torch.float16", fn=window(name), **options)
error("windows.gaussian", 5, std=0.0, fn=window("gaussian"))
error("windows.kaiser", 5, beta=-1.0, fn=window("kaiser"))
error("windows.exponential", 5, tau=0.0, fn=window("exponential"))
error("windows.exponential", 5, center=1.0, fn=window("exponential"))
case("windows.exponential", 5, sym=False, center=1.0, fn=window("exponential"))
error("windows.general_cosine", 5, a=[], fn=window("general_cosine"))
error("windows.general_cosine", 5, a=3, fn=window("general_cosine"))

X = T(2, 40)
W = T(8, low=0.2, high=1, grad=False)
for args, options in (
    ((X, 8), {}), ((T(30), 8), {}), ((X, 8, 3), {}), ((X, 8, 4, 6), {}), ((X, 8), {"window": W}), ((X, 12, 5, 8), {"window": W}),
    ((X, 8), {"window": W, "normalized": True}), ((X, 8), {"center": False}), ((X, 9), {"onesided": False}),
    ((X, 8), {"pad_mode": "constant"}), ((X, 12, 4, 8), {"window": W, "center": False, "align_to_window": True}),
):  # fmt: skip
    case("stft", *args, return_complex=True, node=False, ulp=16, gradgrad=False, strides=False, **options)
case("stft", X, 8, window=W, return_complex=False, node=False, ulp=16, strides=False)
case("stft", T(2, 40, dtype="complex64"), 8, window=W, node=False, ulp=16, gradgrad=False, strides=False)
case("stft", T(2, 40, dtype="float64"), 8, return_complex=True, node=False, ulp=64, gradgrad=False, strides=False)
error("stft", X, 8)
error("stft", T(2, 3, 40), 8, return_complex=True)
error("stft", X, 8, 0, return_complex=True)
error("stft", X, 50, center=False, return_complex=True)
error("stft", X, 8, 2, 9, return_complex=True)
error("stft", X, 8, 2, 6, window=W, return_complex=True)
error("stft", T(2, 40, dtype="complex64"), 8, onesided=True)
error("stft", X, 8, return_complex=True, align_to_window=True)
error("stft", T(40, dtype="int64"), 8, return_complex=True)
Z = T(2, 5, 11, dtype="complex64")
for args, options in (
    ((Z, 8), {}), ((T(5, 11, dtype="complex64"), 8), {}), ((Z, 8, 3), {}), ((Z, 8, 2), {"window": W}), ((Z, 8), {"window": W, "normalized": True}),
    ((Z, 8, 2, 6), {}), ((Z, 8), {"window": W, "center": False}), ((Z, 8), {"window": W, "length": 15}), ((Z, 8), {"window": W, "length": 30}),
    ((T(2, 8, 11, dtype="complex64"), 8), {"onesided": False}),
    ((T(2, 8, 11, dtype="complex64"), 8), {"return_complex": True, "onesided": False}), ((T(2, 5, 11, dtype="complex128"), 8), {"window": W}),
):  # fmt: skip
    case("istft", *args, node=False, ulp=32, gradgrad=False, strides=False, **options)
error("istft", T(2, 5, 11), 8)
error("istft", Z, 10)
error("istft", Z, 8, 9)
error("istft", Z, 8, 2, 10)
error("istft", Z, 8, onesided=False)
error("istft", Z, 8, return_complex=True)
error("istft", T(5, 0, dtype="complex64"), 8)
error("istft", T(5, 4, dtype="complex64"), 8, 4, window=T(8, low=0, high=0))
