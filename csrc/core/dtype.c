/* dtype.c: the element types: names, sizes, categories; numbers that are not tensors. */
#include <math.h>
#include <stdatomic.h>

#include "core/iter.h"
#include "core/tensor.h"

static const struct {
    const char *name, *title, *cpp;
    size_t size;
} dtypes[RL_NDTYPES] = {
    [RL_BOOL] = {"bool", "Bool", "bool", 1},
    [RL_U8] = {"uint8", "Byte", "unsigned char", 1},
    [RL_I8] = {"int8", "Char", "signed char", 1},
    [RL_I16] = {"int16", "Short", "short int", 2},
    [RL_I32] = {"int32", "Int", "int", 4},
    [RL_I64] = {"int64", "Long", "long int", 8},
    [RL_F16] = {"float16", "Half", "c10::Half", 2},
    [RL_BF16] = {"bfloat16", "BFloat16", "c10::BFloat16", 2},
    [RL_F32] = {"float32", "Float", "float", 4},
    [RL_F64] = {"float64", "Double", "double", 8},
    [RL_C64] = {"complex64", "ComplexFloat", "c10::complex<float>", 8},
    [RL_C128] = {"complex128", "ComplexDouble", "c10::complex<double>", 16},
};

static _Atomic int default_dtype = RL_F32;

size_t rl_dtype_size(rl_dtype dtype) { return dtypes[dtype].size; }
const char *rl_dtype_name(rl_dtype dtype) { return dtype < 0 ? "None" : dtypes[dtype].name; }
const char *rl_dtype_title(rl_dtype dtype) { return dtype < 0 ? "Undefined" : dtypes[dtype].title; }
const char *rl_dtype_cpp(rl_dtype dtype) { return dtypes[dtype].cpp; }
bool rl_is_floating(rl_dtype dtype) { return dtype >= RL_F16 && dtype <= RL_F64; }
bool rl_is_complex(rl_dtype dtype) { return dtype >= RL_C64; }
bool rl_is_differentiable(rl_dtype dtype) { return dtype >= RL_F16; }
rl_dtype rl_real_dtype(rl_dtype dtype)
{
    return dtype == RL_C64 ? RL_F32 : dtype == RL_C128 ? RL_F64 : dtype;
}
rl_dtype rl_complex_dtype(rl_dtype dtype)
{
    return dtype == RL_F64 || dtype == RL_C128 ? RL_C128 : RL_C64;
}
bool rl_is_integral(rl_dtype dtype, bool include_bool)
{
    return dtype <= RL_I64 && dtype >= (include_bool ? RL_BOOL : RL_U8);
}

rl_dtype rl_default_dtype(void)
{
    return (rl_dtype)atomic_load_explicit(&default_dtype, memory_order_relaxed);
}

rl_status rl_set_default_dtype(rl_dtype dtype)
{
    if (!rl_is_floating(dtype))
        return rl_error(RL_ETYPE, "only floating-point types are supported as the default type");
    atomic_store(&default_dtype, dtype);
    return RL_OK;
}

double rl_scalar_double(rl_scalar s) { return s.dtype == RL_F64 ? s.f : (double)s.i; }

int64_t rl_scalar_int(rl_scalar s)
{
    if (s.dtype != RL_F64)
        return s.i;
    /* Outside the range, and for nan, what x86 gives: the least number. */
    return s.f >= -0x1p63 && s.f < 0x1p63 ? (int64_t)s.f : INT64_MIN;
}
