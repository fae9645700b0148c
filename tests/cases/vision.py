"""Other sizes, other points, windows as columns, channels as pixels, unpooling."""

from samples import T, case, error


def interpolate(ns, x, **options):
    return ns.nn.functional.interpolate(x, **options)


def resized(x, **options):
    case("resample", x, fn=interpolate, ulp=16, **options)


for mode in ("nearest", "nearest-exact", "linear", "area"):
    resized(T(2, 3, 5), size=8, mode=mode)
    resized(T(2, 3, 9), scale_factor=0.6, mode=mode)
for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area"):
    resized(T(2, 2, 4, 5), size=(7, 3), mode=mode)
    resized(T(1, 2, 5, 3), scale_factor=(1.7, 2.0), mode=mode)
    resized(T(1, 2, 5, 3), scale_factor=2.3, mode=mode, recompute_scale_factor=True)
for mode in ("nearest", "nearest-exact", "trilinear"):
    resized(T(1, 2, 3, 4, 2), size=(2, 6, 3), mode=mode)
for dims, mode in ((1, "linear"), (2, "bilinear"), (2, "bicubic"), (3, "trilinear")):
    resized(T(1, 2, *(4, 3, 5)[:dims]), size=6, mode=mode, align_corners=True)
    resized(T(1, 2, *(4, 3, 5)[:dims]), size=1, mode=mode, align_corners=True)
for mode in ("bilinear", "bicubic", "lanczos"):
    resized(T(1, 2, 9, 7), size=(4, 9), mode=mode, antialias=True)
    resized(T(1, 1, 6, 9), scale_factor=0.4, mode=mode, antialias=True)
resized(T(1, 2, 9, 7), size=(4, 9), mode="bicubic", antialias=True, align_corners=True)
resized(T(0, 2, 4, 5), size=3, mode="bilinear")
resized(T(1, 2, 4, 4), size=4, mode="bilinear")
resized(T(1, 2, 4, 4, layout="t"), size=6, mode="bicubic")
for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
    resized(T(1, 2, 4, 5, dtype="uint8", low=0, high=256), size=(7, 3), mode=mode)
resized(T(1, 1, 9, 7, dtype="uint8", low=0, high=256), size=(4, 5), mode="bilinear", antialias=True)
resized(T(1, 1, 9, 7, dtype="uint8", low=0, high=256), size=(4, 5), mode="bicubic", antialias=True)
resized(T(1, 2, 4, 4, dtype="bfloat16"), size=6, mode="bilinear", grad=False)
for options in (
    {},
    {"size": 3, "scale_factor": 2.0},
    {"size": (3, 3, 3)},
    {"size": 0},
    {"size": 2.5},
    {"scale_factor": (1.0, 2.0, 3.0)},
    {"scale_factor": -1.0},
    {"size": 3, "align_corners": True},
    {"size": 3, "mode": "linear"},
    {"size": 3, "mode": "trilinear"},
    {"size": 3, "mode": "cubic"},
    {"size": 3, "antialias": True},
    {"size": 3, "mode": "lanczos"},
    {"size": 3, "mode": "lanczos", "antialias": True, "align_corners": True},
    {"size": 3, "recompute_scale_factor": True},
):
    error("resample", T(1, 2, 4, 5), fn=interpolate, **options)
error("resample", T(4, 5), fn=interpolate, size=3)
error("resample", T(1, 2, 0, 5), fn=interpolate, size=3)
error("resample", T(1, 0, 4, 5), fn=interpolate, size=3)
error("resample", T(1, 2, 4, 5, dtype="int32"), fn=interpolate, size=3)

# ---- points of a grid: not too near to where the derivative jumps ----

for mode in (0, 1, 2):
    for padding in (0, 1, 2):
        for align in (False, True):
            case("grid_sampler_2d", T(2, 2, 4, 5), T(2, 3, 4, 2, low=-1.4, high=1.4), mode, padding, align, gradgrad=False, ulp=32)
for mode in (0, 1):
    for padding in (0, 1, 2):
        case("grid_sampler_3d", T(1, 2, 3, 4, 5), T(1, 2, 3, 2, 3, low=-1.4, high=1.4), mode, padding, bool(padding), gradgrad=False, ulp=32)
case("grid_sampler", T(2, 2, 4, 5), T(2, 3, 4, 2, low=-3, high=3), 0, 2, False, gradgrad=False, ulp=32)
case("grid_sampler", T(1, 1, 1, 1), T(1, 2, 2, 2), 0, 2, True, gradgrad=False)
case("grid_sampler", T(0, 2, 4, 5), T(0, 3, 4, 2), 0, 0, False, grad=False)
nan, inf = float("nan"), float("inf")
for mode, padding in ((0, 0), (0, 1), (0, 2), (1, 0), (2, 0)):
    case("grid_sampler", T(1, 1, 4, 4), T(values=[[[[nan, 0.0], [1e30, 0.1], [-1e30, 0.2], [0.1, inf]]]], grad=False), mode, padding, False, grad=False)
for args in (
    (T(1, 1, 4, 4), T(1, 2, 2, 3)),
    (T(1, 1, 4, 4), T(2, 2, 2, 2)),
    (T(1, 1, 4, 4, dtype="float64"), T(1, 2, 2, 2)),
    (T(1, 1, 4), T(1, 2, 1)),
    (T(1, 1, 0, 4), T(1, 2, 2, 2)),
    (T(1, 1, 4, 4, dtype="int64"), T(1, 2, 2, 2, dtype="int64")),
):
    error("grid_sampler", *args, 0, 0, False)
error("grid_sampler_3d", T(1, 1, 4, 4, 4), T(1, 2, 2, 2, 3), 2, 0, False)
for size in ((2, 3, 4, 5), (2, 1, 1, 3)):
    for align in (False, True):
        case("affine_grid_generator", T(2, 2, 3), size, align)
case("affine_grid_generator", T(1, 3, 4), (1, 2, 3, 2, 4), False)
error("affine_grid_generator", T(2, 2, 3), (1, 1, 2, 2), False)
error("affine_grid_generator", T(2, 2, 3), (2, 1, 2), False)

# ---- windows as columns ----


def unfold(ns, x, *args):
    return ns.nn.functional.unfold(x, *args)


def fold(ns, x, *args):
    return ns.nn.functional.fold(x, *args)


case("im2col", T(2, 3, 5, 6), 2, fn=unfold)
case("im2col", T(2, 3, 7, 6), (3, 2), (1, 2), (1, 0), (2, 1), fn=unfold)
case("im2col", T(3, 5, 6), 3, 1, 1, fn=unfold)
case("im2col", T(1, 2, 3, 3, dtype="bool"), 2, fn=unfold)
case("im2col", T(1, 2, 3, 3, dtype="complex128"), 2, fn=unfold, grad=False)
case("im2col", T(0, 2, 3, 3), 2, fn=unfold, grad=False)
case("col2im", T(2, 12, 20), (5, 6), 2, fn=fold)
case("col2im", T(2, 18, 16), (7, 6), (3, 2), (1, 2), (1, 0), (2, 1), fn=fold)
case("col2im", T(8, 9), 4, 2, fn=fold)
case("col2im", T(8, 9, dtype="complex128"), 4, 2, fn=fold, grad=False)
case("col2im", T(8, 9, dtype="bfloat16"), 4, 2, 1, 0, 1, fn=fold, grad=False)
for args in ((3,), (0,), (2, 0), (2, 1, -1), (2, 1, 0, 0), (2, 5)):
    error("im2col", T(1, 2, 2, 2), *args, fn=unfold)
error("im2col", T(1, 2, 4, 4, dtype="int64"), 2, fn=unfold)
error("im2col", T(1, 2, 0, 4), 2, fn=unfold)
error("col2im", T(1, 5, 4), 3, 2, fn=fold)
error("col2im", T(1, 4, 3), 3, 2, fn=fold)
error("col2im", T(1, 4, 4, dtype="int64"), 3, 2, fn=fold)
error("col2im", T(1, 4, 4, 4), 3, 2, fn=fold)

# ---- channels ----

case("pixel_shuffle", T(2, 12, 2, 3), 2)
case("pixel_shuffle", T(9, 2, 3, dtype="int64"), 3)
case("pixel_shuffle", T(2, 2, 4, 2, 3, layout="t"), 2, strides=False)
case("pixel_shuffle", T(0, 4, 2, 3), 2, grad=False)
case("pixel_unshuffle", T(2, 3, 4, 6), 2)
case("pixel_unshuffle", T(2, 3, 6, dtype="bool"), 3)
case("channel_shuffle", T(2, 6, 2, 3), 3)
case("channel_shuffle", T(2, 4, 3, dtype="int64"), 2)
case("native_channel_shuffle", T(2, 6, 2, 3), 2, grad=False)
error("pixel_shuffle", T(4, 4), 2)
error("pixel_shuffle", T(3, 4, 4), 2)
error("pixel_shuffle", T(4, 4, 4), -2)
error("pixel_unshuffle", T(4, 4), 2)
error("pixel_unshuffle", T(4, 4, 3), 2)
error("pixel_unshuffle", T(4, 4, 4), 0)
error("channel_shuffle", T(4, 4), 2)
error("channel_shuffle", T(1, 3, 4, 4), 2)
error("channel_shuffle", T(1, 3, 4, 4), 0)

# ---- back to the places of maxima ----


def unpool(n):
    def call(ns, x, *args, **options):
        pooled, places = getattr(ns.nn.functional, f"max_pool{n}d")(x, *args, return_indices=True)
        return getattr(ns.nn.functional, f"max_unpool{n}d")(pooled, places, *args, **options)

    return call


case("max_unpool1d", T(2, 3, 8), 2, fn=unpool(1))
case("max_unpool1d", T(3, 9), 2, fn=unpool(1), output_size=(9,))
case("max_unpool2d", T(2, 3, 6, 4), 2, fn=unpool(2))
case("max_unpool2d", T(2, 3, 7, 5), 2, 2, 1, fn=unpool(2), output_size=(2, 3, 7, 5))
case("max_unpool2d", T(3, 6, 4, dtype="bfloat16"), 2, fn=unpool(2), grad=False)
case("max_unpool3d", T(2, 3, 4, 6, 4), 2, fn=unpool(3))
places = T(1, 1, 2, 2, dtype="int64", low=0, high=16)
for args in (
    (T(1, 1, 2, 2), T(1, 1, 2, 2, dtype="int64", low=99, high=100), 2),
    (T(1, 1, 2, 2), T(1, 1, 2, 2, dtype="int64", low=-1, high=0), 2),
    (T(1, 1, 2, 2), T(1, 1, 2, 2, dtype="int32"), 2),
    (T(1, 1, 2, 2), T(1, 1, 2, 3, dtype="int64"), 2),
    (T(1, 1, 2, 2, dtype="int64"), places, 2),
    (T(1, 1, 2, 2), places, 2, 2, 0, (9, 9)),
    (T(1, 1, 2, 2), places, 2, 2, 0, (4,)),
    (T(1, 1, 2, 2), places, 1, 1, 3),
):
    error("max_unpool2d", *args)


def fractional(n):
    return lambda ns, x, *args, **options: getattr(ns.nn.functional, f"fractional_max_pool{n}d_with_indices")(x, *args, **options)


case("fractional_max_pool2d", T(2, 3, 7, 9), 2, (3, 4), seed=1, fn=fractional(2))
case("fractional_max_pool2d", T(3, 7, 9), (3, 2), None, (0.5, 0.6), seed=2, fn=fractional(2))
case("fractional_max_pool2d", T(1, 2, 5, 5), 2, 1, seed=3, fn=fractional(2))
case("fractional_max_pool3d", T(2, 2, 5, 7, 6), 2, (3, 4, 2), seed=1, fn=fractional(3))
case("fractional_max_pool3d", T(2, 5, 7, 6), (2, 3, 1), None, 0.5, seed=1, fn=fractional(3))
error("fractional_max_pool2d", T(1, 1, 4, 4), 5, 2)
error("fractional_max_pool2d", T(1, 1, 4, 4), 2, 4)
error("fractional_max_pool2d", T(1, 1, 4, 4), 2)
error("fractional_max_pool2d", T(1, 1, 4, 4, dtype="int64"), 2, 2)
error("fractional_max_pool3d", T(1, 1, 4, 4, 4), 5, 2)
error("fractional_max_pool3d", T(1, 1, 4, 4, 4), 2, 3)


def lp_pool(n):
    return lambda ns, x, *args: getattr(ns.nn.functional, f"lp_pool{n}d")(x, *args)


case("avg_pool1d", T(2, 3, 7, low=0.1), 2.0, 3, 2, True, fn=lp_pool(1))
case("avg_pool2d", T(2, 3, 6, 5, low=0.1), 3.0, (2, 3), fn=lp_pool(2))
case("avg_pool3d", T(2, 2, 4, 5, 4), 2, 2, fn=lp_pool(3))
case("max_pool2d", T(2, 3, 6, 5), float("inf"), 2, fn=lp_pool(2), node=False)
