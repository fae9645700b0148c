/* compare.c: comparison and logic.  Results are bool and have no gradient. */
#include <math.h>

#include "ops/complex.h"

#define COMPARE(name, op)                                                                          \
    rl_tensor *rl_##name(rl_tensor *input, rl_tensor *other)                                       \
    {                                                                                              \
        return rl_map2(RL_MAP_##op, RL_TYPE_BOOL, #name "_cpu", input, other, NULL);               \
    }
COMPARE(eq, EQ)
COMPARE(ne, NE)
COMPARE(lt, LT)
COMPARE(le, LE)
COMPARE(gt, GT)
COMPARE(ge, GE)
#undef COMPARE

/* Whether numbers are not 0, where x is complex; else x itself. */
static rl_tensor *truth_of(rl_tensor *x)
{
    if (!x || !rl_has_complex(x))
        return rl_retain(x);
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    return rl_ne(x, zero);
}

#define LOGIC(name, op)                                                                            \
    rl_tensor *rl_##name(rl_tensor *input, rl_tensor *other)                                       \
    {                                                                                              \
        RL_TEMP *x = truth_of(input), *y = truth_of(other);                                        \
        return rl_map2(RL_MAP_##op, RL_TYPE_BOOL, #name "_cpu", x, y, NULL);                       \
    }
LOGIC(logical_and, LOGICAL_AND)
LOGIC(logical_or, LOGICAL_OR)
LOGIC(logical_xor, LOGICAL_XOR)
#undef LOGIC

rl_tensor *rl_logical_not(rl_tensor *input)
{
    if (input && rl_has_complex(input)) {
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        return rl_eq(input, zero);
    }
    return rl_map1(RL_MAP_LOGICAL_NOT, RL_TYPE_BOOL, "logical_not_cpu", input, NULL);
}

/* Integers are finite: all false, or all true. */
static rl_tensor *constant_like(rl_tensor *x, bool value)
{
    rl_tensor *z = rl_new_like(x, RL_BOOL);
    if (z && rl_fill_data(z, rl_bool(value))) {
        rl_release(z);
        return NULL;
    }
    return z;
}

/* Of a complex number: what is true of one part (nan, infinite) or of both (finite). */
static rl_tensor *of_parts(rl_tensor *x, rl_tensor *(*classify)(rl_tensor *),
                           rl_tensor *(*join)(rl_tensor *, rl_tensor *))
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *re = rl_real(x);
    RL_TEMP *im = rl_imag(x);
    rl_set_grad_enabled(mode);
    RL_TEMP *a = classify(re);
    RL_TEMP *b = classify(im);
    return join(a, b);
}

#define CLASSIFY(name, op, of_integers)                                                            \
    rl_tensor *rl_##name(rl_tensor *input)                                                         \
    {                                                                                              \
        if (!input)                                                                                \
            return NULL;                                                                           \
        if (rl_has_complex(input))                                                                 \
            return of_parts(input, rl_##name, of_integers ? rl_logical_and : rl_logical_or);       \
        if (!rl_is_floating((rl_dtype)input->dtype))                                               \
            return constant_like(input, of_integers);                                              \
        return rl_map1(RL_MAP_##op, RL_TYPE_BOOL, #name, input, NULL);                             \
    }
CLASSIFY(isnan, ISNAN, false)
CLASSIFY(isinf, ISINF, false)
CLASSIFY(isfinite, ISFINITE, true)
#undef CLASSIFY

static rl_tensor *is_number(rl_tensor *x, double v)
{
    if (!x)
        return NULL;
    if (!rl_is_floating((rl_dtype)x->dtype))
        return constant_like(x, false);
    RL_TEMP *w = rl_wrap_number(rl_float(v));
    return rl_map2(RL_MAP_EQ, RL_TYPE_BOOL, "isinf", x, w, NULL);
}
rl_tensor *rl_isposinf(rl_tensor *input) { return is_number(input, (double)INFINITY); }
rl_tensor *rl_isneginf(rl_tensor *input) { return is_number(input, -(double)INFINITY); }
rl_tensor *rl_isreal(rl_tensor *input)
{
    if (!input || !rl_has_complex(input))
        return input ? constant_like(input, true) : NULL;
    RL_TEMP *im = rl_imag(input);
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    return rl_eq(im, zero);
}

rl_tensor *rl_signbit(rl_tensor *input)
{
    if (input && input->dtype == RL_BOOL)
        return constant_like(input, false);
    return rl_map1(RL_MAP_SIGNBIT, RL_TYPE_BOOL, "signbit_cpu", input, NULL);
}

/* |x - y| <= atol + rtol |y|, or equal; both nan when those count as equal. */
static rl_tensor *complex_isclose(rl_tensor *x, rl_tensor *y, double rtol, double atol,
                                  bool equal_nan)
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *same = rl_eq(x, y);
    RL_TEMP *difference = rl_sub(x, y, rl_int(1));
    RL_TEMP *error = rl_abs(difference);
    RL_TEMP *size = rl_abs(y);
    RL_TEMP *scaled = rl_mul_number(size, rl_float(rtol));
    RL_TEMP *allowed = rl_add_number(scaled, rl_float(atol));
    RL_TEMP *within = rl_le(error, allowed);
    RL_TEMP *finite = error ? rl_isfinite(error) : NULL;
    RL_TEMP *near = rl_logical_and(within, finite);
    RL_TEMP *close = rl_logical_or(same, near);
    RL_TEMP *nan_x = equal_nan ? rl_isnan(x) : NULL;
    RL_TEMP *nan_y = equal_nan ? rl_isnan(y) : NULL;
    RL_TEMP *both = equal_nan ? rl_logical_and(nan_x, nan_y) : NULL;
    rl_set_grad_enabled(mode);
    return equal_nan ? rl_logical_or(close, both) : rl_retain(close);
}

rl_tensor *rl_isclose(rl_tensor *input, rl_tensor *other, double rtol, double atol, bool equal_nan)
{
    if (!input || !other)
        return NULL;
    if (input->dtype != other->dtype)
        return rl_fail(RL_ERUNTIME, "%s did not match %s", rl_dtype_title((rl_dtype)input->dtype),
                       rl_dtype_title((rl_dtype)other->dtype));
    if (rtol < 0 || !(rtol == rtol))
        return rl_fail(RL_ERUNTIME, "rtol must be greater than or equal to zero, but got %g", rtol);
    if (atol < 0 || !(atol == atol))
        return rl_fail(RL_ERUNTIME, "atol must be greater than or equal to zero, but got %g", atol);
    if (rl_has_complex(input))
        return complex_isclose(input, other, rtol, atol, equal_nan);
    rl_map m = {.op = RL_MAP_ISCLOSE,
                .typing = RL_TYPE_FIXED,
                .compute = rl_is_floating((rl_dtype)input->dtype) ? (rl_dtype)input->dtype : RL_F64,
                .result = RL_BOOL,
                .name = "isclose",
                .n = 2,
                .in = {input, other}};
    m.args.f[0] = atol;
    m.args.f[1] = rtol;
    m.args.i[0] = equal_nan;
    return rl_map_run(&m);
}

/* Whether all elements of the bool tensor t are true; releases t. */
static rl_status all_true(rl_tensor *t, bool *out)
{
    RL_TEMP *x = t;
    bool mask[RL_MAX_DIMS];
    memset(mask, true, sizeof mask);
    RL_TEMP *all = x ? rl_reduce_run(RL_REDUCE_ALL, "all", x, mask, false, RL_BOOL, RL_BOOL,
                                     &(rl_kargs){{0}, {0}})
                     : NULL;
    if (!all)
        return rl_error_code();
    *out = *(uint8_t *)all->data;
    return RL_OK;
}

rl_status rl_allclose(rl_tensor *input, rl_tensor *other, double rtol, double atol, bool equal_nan,
                      bool *out)
{
    return all_true(rl_isclose(input, other, rtol, atol, equal_nan), out);
}

rl_status rl_equal(rl_tensor *input, rl_tensor *other, bool *out)
{
    if (!input || !other)
        return rl_error_code();
    if (!rl_same_shape(input, other)) {
        *out = false;
        return RL_OK;
    }
    return all_true(rl_eq(input, other), out);
}
