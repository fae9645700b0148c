/* quantile.c: quantiles by sorting, with and without nan; means of what is a number. */
#include "core/iter.h"
#include "ops/view.h"

/* ---- nanmean ---- */

rl_tensor *rl_nanmean(rl_tensor *x, rl_ints dim, bool keepdim, rl_dtype dtype)
{
    if (!x)
        return NULL;
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_fail(
            RL_ERUNTIME,
            "nanmean(): expected input to have floating point or complex dtype but got %s",
            rl_dtype_title((rl_dtype)x->dtype));
    if (dtype != RL_NO_DTYPE && !rl_is_floating(dtype))
        return rl_fail(RL_ERUNTIME,
                       "nanmean(): could not infer output dtype. Optional dtype must be either a "
                       "floating point or complex dtype. Got: %s",
                       rl_dtype_title(dtype));
    RL_TEMP *holes = rl_isnan(x);
    RL_TEMP *numbers = holes ? rl_logical_not(holes) : NULL;
    RL_TEMP *count = numbers ? rl_sum(numbers, dim, keepdim, RL_NO_DTYPE) : NULL;
    RL_TEMP *sum = rl_nansum(x, dim, keepdim, dtype);
    return count && sum ? rl_div(sum, count, NULL) : NULL;
}

/* ---- quantile ---- */

enum { LINEAR, LOWER, HIGHER, MIDPOINT, NEAREST };

static rl_status parse_interpolation(const char *text, int *out)
{
    static const char *const names[] = {"linear", "lower", "higher", "midpoint", "nearest"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(text, names[i])) {
            *out = i;
            return RL_OK;
        }
    return rl_error(RL_ERUNTIME,
                    "quantile() interpolation must be one of linear, lower, higher, midpoint or "
                    "nearest, but got %s",
                    text);
}

static rl_status check_input(const rl_tensor *x, const rl_tensor *q)
{
    if (x->numel == 0)
        return rl_error(RL_ERUNTIME, "quantile() input tensor must be non-empty");
    if (q->ndim > 1)
        return rl_error(RL_ERUNTIME, "quantile() q must be a scalar or 1D tensor");
    if (x->dtype != RL_F32 && x->dtype != RL_F64)
        return rl_error(RL_ERUNTIME,
                        "quantile() input tensor must be either float or double dtype");
    if (x->dtype != q->dtype)
        return rl_error(RL_ERUNTIME, "quantile() q tensor must be same dtype as the input tensor");
    return RL_OK;
}

static rl_status check_range(rl_tensor *q)
{
    RL_TEMP *values = rl_cast_data(q, RL_F64);
    if (!values)
        return rl_error_code();
    const double *v = (const double *)values->data;
    for (int64_t i = 0; i < values->numel; i++)
        if (!(v[i] >= 0 && v[i] <= 1))
            return rl_error(RL_ERUNTIME, "quantile() q values must be in the range [0, 1]");
    return RL_OK;
}

/* x sorted, with the elements of one quantile as the last dim. */
static rl_tensor *sorted_rows(rl_tensor *x, rl_opt_int dim, bool keepdim)
{
    RL_TEMP *rows = NULL;
    int64_t last = -1;
    if (!dim.given) {
        RL_TEMP *flat = rl_flatten(x, 0, -1);
        int64_t shape[RL_MAX_DIMS];
        for (int d = 0; d < x->ndim; d++)
            shape[d] = 1;
        shape[x->ndim] = x->numel;
        rows = keepdim && flat ? rl_reshape(flat, (rl_ints){shape, x->ndim + 1}) : rl_retain(flat);
    } else if (keepdim && x->ndim) {
        RL_TEMP *wide = rl_unsqueeze(x, -1);
        rows = wide ? rl_transpose(wide, dim.v, -1) : NULL;
    } else if (x->ndim == 0) {
        rows = rl_unsqueeze(x, 0);
    } else {
        rows = rl_movedim(x, (rl_ints){&dim.v, 1}, (rl_ints){&last, 1});
    }
    rl_tensor *out[2];
    if (!rows || rl_sort(rows, -1, false, false, out))
        return NULL;
    rl_release(out[1]);
    return out[0];
}

/* Where in the sorted rows each quantile is, with fractions. */
static rl_tensor *ranks_of(rl_tensor *sorted, rl_tensor *q, bool skip_nan)
{
    rl_ints last = {(int64_t[]){-1}, 1};
    RL_TEMP *holes = rl_isnan(sorted);
    if (skip_nan) {
        RL_TEMP *numbers = holes ? rl_logical_not(holes) : NULL;
        RL_TEMP *count = numbers ? rl_sum(numbers, last, true, RL_NO_DTYPE) : NULL;
        RL_TEMP *one = rl_wrap_number(rl_int(1));
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        RL_TEMP *end = count ? rl_sub(count, one, rl_int(1)) : NULL;
        RL_TEMP *ranks = end ? rl_mul(q, end) : NULL;
        return ranks && zero ? rl_clamp_min(ranks, zero) : NULL;
    }
    RL_TEMP *hole = holes ? rl_any(holes, last, true) : NULL;
    RL_TEMP *end = rl_wrap_number(rl_int(sorted->shape[sorted->ndim - 1] - 1));
    RL_TEMP *ranks = end ? rl_mul(q, end) : NULL;
    return hole && ranks ? rl_where(hole, end, ranks) : NULL;
}

static rl_tensor *quantile(rl_tensor *x, rl_tensor *q, rl_opt_int dim, bool keepdim,
                           const char *interpolation, bool skip_nan)
{
    int way = LINEAR;
    if (!x || !q || check_input(x, q) || parse_interpolation(interpolation, &way) || check_range(q))
        return NULL;
    if (dim.given && rl_wrap_dim(&dim.v, x->ndim))
        return NULL;
    RL_TEMP *sorted = sorted_rows(x, dim, keepdim);
    RL_TEMP *line = q->ndim ? rl_retain(q) : rl_unsqueeze(q, 0);
    RL_TEMP *exact = sorted && line ? ranks_of(sorted, line, skip_nan) : NULL;
    if (!exact)
        return NULL;
    RL_TEMP *ranks = way == LOWER     ? rl_floor(exact)
                     : way == HIGHER  ? rl_ceil(exact)
                     : way == NEAREST ? rl_round(exact, 0)
                                      : rl_retain(exact);
    RL_TEMP *below = ranks ? rl_to_dtype(ranks, RL_I64, false) : NULL;
    /* The ranks may be those of all rows: gather wants one index per row. */
    int64_t shape[RL_MAX_DIMS];
    memcpy(shape, sorted->shape, sorted->ndim * sizeof *shape);
    shape[sorted->ndim - 1] = line->numel;
    rl_ints size = {shape, sorted->ndim};
    RL_TEMP *at = below ? rl_expand(below, size, false) : NULL;
    RL_TEMP *values = at ? rl_gather(sorted, -1, at, false) : NULL;
    if (values && (way == LINEAR || way == MIDPOINT)) {
        RL_TEMP *half = rl_wrap_number(rl_float(0.5));
        RL_TEMP *weight = way == MIDPOINT ? rl_retain(half) : rl_sub(ranks, below, rl_int(1));
        RL_TEMP *up = rl_ceil(ranks);
        RL_TEMP *above = up ? rl_to_dtype(up, RL_I64, false) : NULL;
        RL_TEMP *there = above ? rl_expand(above, size, false) : NULL;
        RL_TEMP *upper = there ? rl_gather(sorted, -1, there, false) : NULL;
        rl_tensor *between = upper && weight ? rl_lerp(values, upper, weight) : NULL;
        rl_release(values);
        values = between;
    }
    if (!values)
        return NULL;
    if (q->ndim) { /* the quantiles become the first dim, of the tensor itself and not of a view */
        RL_TEMP *wide = rl_unsqueeze_(values, 0);
        RL_TEMP *moved = wide ? rl_transpose_(wide, 0, -1) : NULL;
        if (!moved)
            return NULL;
    }
    return rl_squeeze_dims_(values, (rl_ints){(int64_t[]){-1}, 1});
}

static rl_tensor *quantile_number(rl_tensor *x, double q, rl_opt_int dim, bool keepdim,
                                  const char *interpolation, bool skip_nan)
{
    if (!(q >= 0 && q <= 1))
        return rl_fail(RL_ERUNTIME, "quantile() q must be in the range [0, 1] but got %g", q);
    RL_TEMP *number = x ? rl_scalar_tensor(rl_float(q), (rl_dtype)x->dtype) : NULL;
    return quantile(x, number, dim, keepdim, interpolation, skip_nan);
}

rl_tensor *rl_quantile(rl_tensor *x, double q, rl_opt_int dim, bool keepdim,
                       const char *interpolation)
{
    return quantile_number(x, q, dim, keepdim, interpolation, false);
}
rl_tensor *rl_quantile_tensor(rl_tensor *x, rl_tensor *q, rl_opt_int dim, bool keepdim,
                              const char *interpolation)
{
    return quantile(x, q, dim, keepdim, interpolation, false);
}
rl_tensor *rl_nanquantile(rl_tensor *x, double q, rl_opt_int dim, bool keepdim,
                          const char *interpolation)
{
    return quantile_number(x, q, dim, keepdim, interpolation, true);
}
rl_tensor *rl_nanquantile_tensor(rl_tensor *x, rl_tensor *q, rl_opt_int dim, bool keepdim,
                                 const char *interpolation)
{
    return quantile(x, q, dim, keepdim, interpolation, true);
}
