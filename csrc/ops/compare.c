/* compare.c: comparison and logic.  Results are bool and have no gradient. */
#include <math.h>

#include "ops/map.h"

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
COMPARE(logical_and, LOGICAL_AND)
COMPARE(logical_or, LOGICAL_OR)
COMPARE(logical_xor, LOGICAL_XOR)
#undef COMPARE

rl_tensor *rl_logical_not(rl_tensor *input)
{
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

#define CLASSIFY(name, op, of_integers)                                                            \
    rl_tensor *rl_##name(rl_tensor *input)                                                         \
    {                                                                                              \
        if (!input)                                                                                \
            return NULL;                                                                           \
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
rl_tensor *rl_isreal(rl_tensor *input) { return input ? constant_like(input, true) : NULL; }

rl_tensor *rl_signbit(rl_tensor *input)
{
    if (input && input->dtype == RL_BOOL)
        return constant_like(input, false);
    return rl_map1(RL_MAP_SIGNBIT, RL_TYPE_BOOL, "signbit_cpu", input, NULL);
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
