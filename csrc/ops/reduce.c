/* reduce.c: sums, means, products, all and any over dims. */
#include "ops/complex.h"
#include "ops/reduced.h"

/* The dtype that sums and products return: integers and bools add up in int64. */
static rl_dtype sum_dtype(const rl_tensor *x, rl_dtype dtype)
{
    if (dtype != RL_NO_DTYPE)
        return dtype;
    return rl_is_integral((rl_dtype)x->dtype, true) ? RL_I64 : (rl_dtype)x->dtype;
}

/* The dtype to add up in for a result of `dtype`. */
static rl_dtype compute_dtype(rl_dtype dtype)
{
    return rl_is_integral(dtype, true) ? RL_I64 : dtype;
}

/* x as the dtype that is asked for, within the graph. */
static rl_tensor *as_dtype(rl_tensor *x, rl_dtype dtype)
{
    if (dtype == RL_NO_DTYPE || (rl_dtype)x->dtype == dtype)
        return rl_retain(x);
    return rl_recording(x) ? rl_to_dtype(x, dtype, false) : rl_cast_data(x, dtype);
}

/* ---- sum, mean ---- */

/* y = sum x      dx = g, spread */
static rl_status sum_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_reduced_spread(n, g[0]);
    return RL_DONE(n, dx);
}

/* y = mean x     dx = g / count, spread */
static rl_status mean_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *count = rl_wrap_number(rl_int(rl_reduced_count(n)));
    RL_TEMP *share = count ? rl_div(g[0], count, NULL) : NULL;
    dx[0] = rl_reduced_spread(n, share);
    return RL_DONE(n, dx);
}

static const rl_node_type sum_nodes[] = {{.name = "SumBackward0", .backward = sum_backward},
                                         {.name = "SumBackward1", .backward = sum_backward}};
static const rl_node_type mean_nodes[] = {{.name = "MeanBackward0", .backward = mean_backward},
                                          {.name = "MeanBackward1", .backward = mean_backward}};

static rl_tensor *record_reduction(const rl_node_type *type, rl_tensor *y, rl_tensor *x,
                                   const bool *mask, bool keepdim)
{
    if (!rl_recording(x))
        return y;
    rl_node *n = rl_node_new(type, y, 1, (rl_tensor *[]){x});
    rl_reduced_set(n, x, mask, keepdim);
    return rl_record(n, y);
}

rl_tensor *rl_sum(rl_tensor *input, rl_ints dim, bool keepdim, rl_dtype dtype)
{
    bool mask[RL_MAX_DIMS];
    if (!input || rl_dim_mask(dim, input->ndim, mask))
        return NULL;
    rl_dtype result = sum_dtype(input, dtype);
    if (rl_is_complex(result) || rl_has_complex(input)) {
        RL_TEMP *z = as_dtype(input, result);
        if (!z || !rl_has_complex(z))
            return z ? rl_sum(z, dim, keepdim, RL_NO_DTYPE) : NULL;
        return record_reduction(&sum_nodes[dim.n >= 0], rl_complex_sum(z, dim, keepdim, false), z,
                                mask, keepdim);
    }
    bool cast = rl_is_integral(result, true) != rl_is_integral((rl_dtype)input->dtype, true);
    RL_TEMP *x = cast && dtype != RL_NO_DTYPE ? rl_cast_data(input, dtype) : rl_retain(input);
    rl_tensor *y =
        rl_reduce_run(RL_REDUCE_SUM, "sum", x, mask, keepdim, compute_dtype(result), result, NULL);
    if (!rl_is_floating(result))
        return y;
    return record_reduction(&sum_nodes[dim.n >= 0], y, input, mask, keepdim);
}

rl_tensor *rl_mean(rl_tensor *input, rl_ints dim, bool keepdim, rl_dtype dtype)
{
    bool mask[RL_MAX_DIMS];
    if (!input || rl_dim_mask(dim, input->ndim, mask))
        return NULL;
    rl_dtype result = dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype;
    if (rl_is_complex(result) || rl_has_complex(input)) {
        RL_TEMP *z = as_dtype(input, result);
        if (!z || !rl_has_complex(z))
            return z ? rl_mean(z, dim, keepdim, RL_NO_DTYPE) : NULL;
        return record_reduction(&mean_nodes[dim.n >= 0], rl_complex_sum(z, dim, keepdim, true), z,
                                mask, keepdim);
    }
    if (!rl_is_floating(result))
        return rl_fail(RL_ERUNTIME,
                       "mean(): could not infer output dtype. %s dtype must be either a floating "
                       "point or complex dtype. Got: %s",
                       dtype == RL_NO_DTYPE ? "Input" : "Optional", rl_dtype_title(result));
    /* The sum in at least float32, rounded once after the division. */
    rl_dtype compute = result == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *sum =
        rl_reduce_run(RL_REDUCE_SUM, "mean", input, mask, keepdim, compute, compute, NULL);
    RL_TEMP *count = rl_wrap_number(rl_int(rl_mask_count(input, mask)));
    rl_tensor *y = sum && count ? rl_map_run(&(rl_map){.op = RL_MAP_DIV,
                                                       .typing = RL_TYPE_FIXED,
                                                       .compute = compute,
                                                       .result = result,
                                                       .name = "mean",
                                                       .n = 2,
                                                       .in = {sum, count}})
                                : NULL;
    return record_reduction(&mean_nodes[dim.n >= 0], y, input, mask, keepdim);
}

/* y = sum of x where it is a number     dx = g there, 0 at nan */
static rl_status nansum_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *all = rl_reduced_spread(n, g[0]);
    RL_TEMP *holes = x ? rl_isnan(x) : NULL;
    RL_TEMP *numbers = rl_logical_not(holes);
    dx[0] = all && numbers ? rl_mul(all, numbers) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type nansum_node = {
    .name = "NansumBackward0", .backward = nansum_backward, .n_saved = 1};

/* Whether no element of t (row-major) is nan. */
static bool free_of_nan(const rl_tensor *t)
{
    bool clean = true;
    if (!rl_is_floating((rl_dtype)t->dtype))
        return true;
    for (int64_t i = 0; clean && i < t->numel; i += 256) {
        double v[256];
        int64_t n = t->numel - i < 256 ? t->numel - i : 256, item = (int64_t)rl_itemsize(t);
        rl_convert((rl_dtype)t->dtype, t->data + i * item, item, RL_F64, v, 8, (size_t)n);
        for (int64_t k = 0; k < n; k++)
            clean &= v[k] == v[k];
    }
    return clean;
}

/* The plain sum unless that is nan: only then may there be one among the elements. */
rl_tensor *rl_nansum(rl_tensor *input, rl_ints dim, bool keepdim, rl_dtype dtype)
{
    bool mask[RL_MAX_DIMS];
    if (!input || rl_dim_mask(dim, input->ndim, mask))
        return NULL;
    rl_dtype result = sum_dtype(input, dtype);
    RL_TEMP *plain = rl_reduce_run(RL_REDUCE_SUM, "nansum", input, mask, keepdim,
                                   compute_dtype(result), result, NULL);
    if (!plain)
        return NULL;
    RL_TEMP *x = free_of_nan(plain)
                     ? NULL
                     : rl_map_run(&(rl_map){.op = RL_MAP_NAN_TO_NUM,
                                            .typing = RL_TYPE_PROMOTE,
                                            .name = "nansum",
                                            .n = 1,
                                            .in = {input},
                                            .args = {.f = {0, __builtin_inf(), -__builtin_inf()}}});
    if (!x && !free_of_nan(plain))
        return NULL;
    rl_tensor *y = x ? rl_reduce_run(RL_REDUCE_SUM, "nansum", x, mask, keepdim,
                                     compute_dtype(result), result, NULL)
                     : rl_retain(plain);
    if (!y || !rl_recording(input))
        return y;
    rl_node *n = rl_node_new(&nansum_node, y, 1, (rl_tensor *[]){input});
    rl_save(n, 0, input);
    rl_reduced_set(n, input, mask, keepdim);
    return rl_record(n, y);
}

/* ---- prod ---- */

/* y = prod x     dx_i = g prod over j != i of x_j
 * Without zeros that is g y / x_i.  With them: the product of all before i times the product of all
 * behind it, each a running product shifted by one. */
static rl_tensor *products_of_others(rl_tensor *x, int64_t dim)
{
    int64_t size = x->ndim ? x->shape[dim] : 1;
    rl_ints dims = {&dim, 1};
    if (x->ndim == 0 || size <= 1)
        return rl_ones_like(x, RL_NO_DTYPE);
    RL_TEMP *head = rl_narrow(x, dim, 0, size - 1);
    RL_TEMP *tail = rl_narrow(x, dim, 1, size - 1);
    RL_TEMP *edge = rl_narrow(x, dim, 0, 1);
    RL_TEMP *one = edge ? rl_ones_like(edge, RL_NO_DTYPE) : NULL;
    RL_TEMP *before = head ? rl_cumprod(head, dim, RL_NO_DTYPE) : NULL;
    RL_TEMP *turned = tail ? rl_flip(tail, dims) : NULL;
    RL_TEMP *running = turned ? rl_cumprod(turned, dim, RL_NO_DTYPE) : NULL;
    RL_TEMP *behind = running ? rl_flip(running, dims) : NULL;
    if (!one || !before || !behind)
        return NULL;
    RL_TEMP *left = rl_cat((rl_tensors){(rl_tensor *[]){one, before}, 2}, dim);
    RL_TEMP *right = rl_cat((rl_tensors){(rl_tensor *[]){behind, one}, 2}, dim);
    return rl_mul(left, right);
}

static bool has_zero(rl_tensor *y)
{
    rl_scalar found = rl_bool(true);
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *differs = zero ? rl_ne(y, zero) : NULL;
    RL_TEMP *all = differs ? rl_all(differs, (rl_ints){NULL, -1}, false) : NULL;
    return !all || rl_item(all, &found) || found.i == 0;
}

static rl_status prod_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *saved = rl_saved(n, 0);
    RL_TEMP *product = rl_saved(n, 1);
    RL_TEMP *x = rl_conj_of(saved), *y = rl_conj_of(product); /* as of all holomorphic functions */
    if (!x || !y)
        return rl_error_code();
    if (x->numel == 0) {
        dx[0] = rl_zeros_like(x, RL_NO_DTYPE);
    } else if (!has_zero(y) && !rl_grad_enabled()) {
        RL_TEMP *gy = rl_mul(g[0], y);
        RL_TEMP *all = rl_reduced_spread(n, gy);
        dx[0] = rl_div(all, x, NULL);
    } else if (n->args.i[0]) { /* along one dim */
        RL_TEMP *others = products_of_others(x, n->args.i[1]);
        RL_TEMP *kept = rl_reduced_keep(n, g[0]);
        dx[0] = rl_mul(kept, others);
    } else {
        RL_TEMP *flat = rl_reshape(x, (rl_ints){(const int64_t[]){-1}, 1});
        RL_TEMP *others = flat ? products_of_others(flat, 0) : NULL;
        RL_TEMP *shaped = others ? rl_reshape(others, (rl_ints){x->shape, x->ndim}) : NULL;
        dx[0] = rl_mul(g[0], shaped);
    }
    return RL_DONE(n, dx);
}

static const rl_node_type prod_nodes[] = {
    {.name = "ProdBackward0", .backward = prod_backward, .n_saved = 2},
    {.name = "ProdBackward1", .backward = prod_backward, .n_saved = 2}};

/* The last of the running products; of none 1. */
static rl_tensor *complex_prod(rl_tensor *x, bool along, int64_t dim, bool keepdim)
{
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *y = NULL;
    RL_TEMP *line = along && x->ndim ? rl_retain(x) : rl_reshape(x, (rl_ints){(int64_t[]){-1}, 1});
    if (!along || x->ndim == 0)
        dim = 0;
    if (line && line->shape[dim] == 0) {
        RL_TEMP *sum = rl_sum(line, (rl_ints){&dim, 1}, false, RL_NO_DTYPE);
        y = sum ? rl_ones_like(sum, RL_NO_DTYPE) : NULL;
    } else if (line) {
        RL_TEMP *running = rl_cumprod(line, dim, RL_NO_DTYPE);
        RL_TEMP *last = running ? rl_select(running, dim, line->shape[dim] - 1) : NULL;
        y = last ? rl_clone(last) : NULL;
    }
    if (y && along && keepdim && x->ndim) {
        RL_TEMP *flat = y;
        y = rl_unsqueeze(flat, dim);
    }
    rl_set_grad_enabled(mode);
    return y;
}

static rl_tensor *prod(rl_tensor *input, const bool *mask, bool along, int64_t dim, bool keepdim,
                       rl_dtype dtype)
{
    rl_dtype result = sum_dtype(input, dtype);
    RL_TEMP *x = as_dtype(input, dtype);
    rl_tensor *y = x && rl_has_complex(x) ? complex_prod(x, along, dim, keepdim)
                                          : rl_reduce_run(RL_REDUCE_PROD, "prod", x, mask, keepdim,
                                                          compute_dtype(result), result, NULL);
    if (!rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&prod_nodes[along], y, 1, (rl_tensor *[]){x});
    rl_save(n, 0, x);
    rl_save_output(n, 1, y, 0);
    rl_reduced_set(n, x, mask, keepdim);
    if (n) {
        n->args.i[0] = along;
        n->args.i[1] = dim;
    }
    return rl_record(n, y);
}

rl_tensor *rl_prod(rl_tensor *input, rl_dtype dtype)
{
    bool mask[RL_MAX_DIMS];
    if (!input)
        return NULL;
    memset(mask, 1, sizeof mask);
    return prod(input, mask, false, 0, false, dtype);
}

rl_tensor *rl_prod_dim(rl_tensor *input, int64_t dim, bool keepdim, rl_dtype dtype)
{
    bool mask[RL_MAX_DIMS];
    if (!input || rl_wrap_dim(&dim, input->ndim))
        return NULL;
    rl_one_dim_mask(input->ndim, dim, mask);
    return prod(input, mask, true, dim, keepdim, dtype);
}

/* ---- all, any, count_nonzero ---- */

static rl_tensor *truth(rl_reduce_op op, const char *name, rl_tensor *x, rl_ints dim, bool keepdim)
{
    bool mask[RL_MAX_DIMS];
    if (!x || rl_dim_mask(dim, x->ndim, mask))
        return NULL;
    rl_dtype result = x->dtype == RL_U8 ? RL_U8 : RL_BOOL; /* PyTorch keeps uint8 */
    if (rl_has_complex(x)) {
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        RL_TEMP *differs = rl_ne(x, zero);
        return truth(op, name, differs, dim, keepdim);
    }
    if (dim.n == 0) /* an empty list: no dim, unlike in sum */
        memset(mask, 0, sizeof mask);
    return rl_reduce_run(op, name, x, mask, keepdim, (rl_dtype)x->dtype, result, NULL);
}

rl_tensor *rl_all(rl_tensor *input, rl_ints dim, bool keepdim)
{
    return truth(RL_REDUCE_ALL, "all", input, dim, keepdim);
}

rl_tensor *rl_any(rl_tensor *input, rl_ints dim, bool keepdim)
{
    return truth(RL_REDUCE_ANY, "any", input, dim, keepdim);
}

rl_tensor *rl_count_nonzero(rl_tensor *input, rl_ints dim)
{
    enum { PART = 1 << 16 }; /* elements whose comparison stays in the cache */
    if (!input)
        return NULL;
    if (dim.n < 0 && input->contiguous && input->numel > PART) {
        int64_t total = 0;
        for (int64_t i = 0, n; i < input->numel; i += n) {
            rl_scalar count;
            n = input->numel - i < PART ? input->numel - i : PART;
            RL_TEMP *part = rl_new_view(input, 1, &n, &(int64_t){1}, input->offset + i);
            RL_TEMP *counted = part ? rl_count_nonzero(part, dim) : NULL;
            if (!counted || rl_item(counted, &count))
                return NULL;
            total += count.i;
        }
        rl_tensor *y = rl_new(RL_I64, 0, NULL);
        return y && rl_fill_data(y, rl_int(total)) ? (rl_release(y), NULL) : y;
    }
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *filled = zero ? rl_ne(input, zero) : NULL;
    return filled ? rl_sum(filled, dim, false, RL_I64) : NULL;
}
