/* complex.c: complex tensors and their parts.
 *
 * Gradients of complex tensors follow PyTorch: for a real loss L and z = x + iy the gradient is
 * dL/dx + i dL/dy, so that formulas of holomorphic functions take the conjugate of the slope.  A
 * conjugate is a copy here, never a flag on a view. */
#include "core/parallel.h"
#include "ops/complex.h"

#include "ops/view.h"

static rl_tensor *need_complex(rl_tensor *x, const char *name)
{
    if (x && !rl_has_complex(x))
        return rl_fail(RL_ERUNTIME, "%s is only supported for complex tensors", name);
    return x;
}

/* ---- views of the parts ---- */

/* t laid out so that view_as_complex takes it. */
static rl_tensor *pairs_of(rl_tensor *t)
{
    if (!t)
        return NULL;
    bool fits = t->contiguous && t->offset % 2 == 0;
    for (int d = 0; d < t->ndim - 1; d++)
        fits = fits && t->strides[d] % 2 == 0;
    return fits && t->strides[t->ndim - 1] == 1 ? rl_retain(t) : rl_row_major_copy(t);
}

static rl_status view_as_real_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *rows = pairs_of(g[0]);
    dx[0] = rl_view_as_complex(rows);
    return RL_DONE(n, dx);
}
static rl_status view_as_complex_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_view_as_real(g[0]);
    return RL_DONE(n, dx);
}
static const rl_node_type view_as_real_node = {.name = "ViewAsRealBackward0",
                                               .backward = view_as_real_backward};
static const rl_node_type view_as_complex_node = {.name = "ViewAsComplexBackward0",
                                                  .backward = view_as_complex_backward};

/* x's memory as another dtype.  A write through such a view that records is refused: histories of
 * bases are made of as_strided views, which have the base's dtype. */
static rl_tensor *reinterpreted(rl_tensor *x, rl_dtype dtype, const rl_geometry *g,
                                const rl_node_type *type)
{
    RL_TEMP *z = rl_new_view(x, x->ndim, x->shape, x->strides, x->offset);
    if (!z)
        return NULL;
    z->dtype = (int8_t)dtype;
    z->offset = g->offset;
    if (rl_tensor_set_geometry(z, g->ndim, g->shape, g->strides))
        return NULL;
    rl_node *n = rl_recording(x) ? rl_node_new(type, z, 1, &x) : NULL;
    if (rl_recording(x) && !n)
        return NULL;
    if (rl_mark_view(z, x, RL_VIEW_CUSTOM)) {
        rl_node_release(n);
        return NULL;
    }
    return n ? rl_record(n, rl_retain(z)) : rl_retain(z);
}

rl_tensor *rl_view_as_real(rl_tensor *input)
{
    rl_geometry g;
    if (!need_complex(input, "view_as_real"))
        return NULL;
    if (input->ndim == RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "view_as_real: more than %d dims", RL_MAX_DIMS);
    rl_geometry_of(&g, input);
    g.offset *= 2;
    for (int d = 0; d < g.ndim; d++)
        g.strides[d] *= 2;
    g.shape[g.ndim] = 2;
    g.strides[g.ndim++] = 1;
    return reinterpreted(input, rl_real_dtype((rl_dtype)input->dtype), &g, &view_as_real_node);
}

rl_tensor *rl_view_as_complex(rl_tensor *input)
{
    rl_geometry g;
    if (!input)
        return NULL;
    if (input->dtype != RL_F32 && input->dtype != RL_F64)
        return rl_fail(RL_ERUNTIME,
                       "view_as_complex is only supported for half, float and double tensors, but "
                       "got a tensor of scalar type: %s",
                       rl_dtype_title((rl_dtype)input->dtype));
    if (input->ndim == 0)
        return rl_fail(RL_ERUNTIME, "Input tensor must have one or more dimensions");
    rl_geometry_of(&g, input);
    int last = --g.ndim;
    if (g.shape[last] != 2)
        return rl_fail(RL_ERUNTIME, "Tensor must have a last dimension of size 2");
    if (g.strides[last] != 1)
        return rl_fail(RL_ERUNTIME, "Tensor must have a last dimension with stride 1");
    for (int d = 0; d < last; d++) {
        if (g.strides[d] % 2)
            return rl_fail(RL_ERUNTIME,
                           "Tensor must have a stride divisible by 2 for all but last dimension");
        g.strides[d] /= 2;
    }
    if (g.offset % 2)
        return rl_fail(RL_ERUNTIME, "Tensor must have a storage_offset divisible by 2");
    g.offset /= 2;
    return reinterpreted(input, rl_complex_dtype((rl_dtype)input->dtype), &g,
                         &view_as_complex_node);
}

static rl_tensor *part(rl_tensor *x, int which)
{
    RL_TEMP *parts = rl_view_as_real(x);
    return parts ? rl_select(parts, -1, which) : NULL;
}

rl_tensor *rl_real(rl_tensor *input)
{
    return input && rl_has_complex(input) ? part(input, 0) : rl_retain(input);
}

rl_tensor *rl_imag(rl_tensor *input)
{
    if (input && !rl_has_complex(input))
        return rl_fail(RL_ERUNTIME, "imag is not implemented for tensors with non-complex dtypes.");
    return part(input, 1);
}

/* ---- conjugates ---- */

static rl_status conj_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_conj_of(g[0]);
    return RL_DONE(n, dx);
}
static const rl_node_type conj_node = {.name = "ConjBackward0", .backward = conj_backward};
static const rl_node_type conj_physical_node = {.name = "ConjPhysicalBackward0",
                                                .backward = conj_backward};

/* Row-major complex64: real parts as they are, signs of imaginary parts turned, a number a word. */
static void turn(int64_t begin, int64_t end, void *context)
{
    rl_tensor *const *t = context;
    const uint64_t *x = (const uint64_t *)t[1]->data;
    uint64_t *z = (uint64_t *)t[0]->data, sign;
    memcpy(&sign, (const float[2]){0.0f, -0.0f}, sizeof sign);
    for (int64_t i = begin; i < end; i++)
        z[i] = x[i] ^ sign;
}

static rl_tensor *conjugate(rl_tensor *x, const rl_node_type *type)
{
    if (!x || !rl_has_complex(x))
        return rl_retain(x);
    RL_TEMP *z = rl_new_like(x, (rl_dtype)x->dtype);
    if (!z)
        return NULL;
    if (x->dtype == RL_C64 && x->contiguous && z->contiguous) {
        rl_parallel_for(x->numel, 1 << 14, turn, (rl_tensor *[]){z, x});
        return rl_recording(x) ? rl_record(rl_node_new(type, z, 1, &x), rl_retain(z))
                               : rl_retain(z);
    }
    if (rl_copy_data(z, x))
        return NULL;
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *imaginary = rl_imag(z);
    RL_TEMP *done = imaginary ? rl_neg_(imaginary) : NULL;
    rl_set_grad_enabled(mode);
    if (!done)
        return NULL;
    return rl_recording(x) ? rl_record(rl_node_new(type, z, 1, &x), rl_retain(z)) : rl_retain(z);
}

rl_tensor *rl_conj(rl_tensor *input) { return conjugate(input, &conj_node); }
rl_tensor *rl_conj_physical(rl_tensor *input) { return conjugate(input, &conj_physical_node); }
rl_tensor *rl_conj_physical_(rl_tensor *input)
{
    if (!input)
        return NULL;
    if (rl_has_complex(input)) {
        RL_TEMP *self = rl_inplace_source(input, rl_recording(input));
        return self ? rl_inplace_assign(input, rl_conj_physical(self)) : NULL;
    }
    if (rl_check_inplace(input, rl_recording(input)))
        return NULL;
    rl_bump_version(input);
    return rl_retain(input);
}

/* ---- from parts ---- */

static rl_status complex_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_real(g[0]);
    if (rl_wants(n, 1))
        dx[1] = rl_imag(g[0]);
    return RL_DONE(n, dx);
}
static const rl_node_type complex_node = {.name = "ComplexBackward0", .backward = complex_backward};

static rl_status check_parts(const rl_tensor *a, const rl_tensor *b)
{
    bool real_a = rl_is_floating((rl_dtype)a->dtype) && a->dtype != RL_BF16,
         real_b = rl_is_floating((rl_dtype)b->dtype) && b->dtype != RL_BF16;
    if (!real_a || !real_b)
        return rl_error(RL_ERUNTIME,
                        "Expected both inputs to be Half, Float or Double tensors but got %s and "
                        "%s",
                        rl_dtype_title((rl_dtype)a->dtype), rl_dtype_title((rl_dtype)b->dtype));
    if (a->dtype != b->dtype)
        return rl_error(RL_ERUNTIME,
                        "Expected object of scalar type %s but got scalar type %s for second "
                        "argument",
                        rl_dtype_title((rl_dtype)a->dtype), rl_dtype_title((rl_dtype)b->dtype));
    if (a->dtype == RL_F16)
        return rl_error(RL_ENOTIMPL, "\"complex\" not implemented for 'ComplexHalf'");
    return RL_OK;
}

rl_tensor *rl_complex(rl_tensor *real, rl_tensor *imag)
{
    int ndim;
    int64_t shape[RL_MAX_DIMS];
    if (!real || !imag || check_parts(real, imag) ||
        rl_broadcast_shapes(real->ndim, real->shape, imag->ndim, imag->shape, &ndim, shape))
        return NULL;
    rl_dtype dtype = rl_complex_dtype((rl_dtype)real->dtype);
    RL_TEMP *z =
        rl_has_shape(real, ndim, shape) ? rl_new_like(real, dtype) : rl_new(dtype, ndim, shape);
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *re = rl_real(z);
    RL_TEMP *im = z ? rl_imag(z) : NULL;
    rl_set_grad_enabled(mode);
    if (!re || !im || rl_copy_data(re, real) || rl_copy_data(im, imag))
        return NULL;
    if (!rl_recording(real) && !rl_recording(imag))
        return rl_retain(z);
    return rl_record(rl_node_new(&complex_node, z, 2, (rl_tensor *[]){real, imag}), rl_retain(z));
}

/* z = r e^(i a)      dr = Re(g conj(z / |z|)),  da = Re(g conj(i z)).  For r < 0 the first has
 * PyTorch's sign, which is that of |r|. */
static rl_status polar_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *z = rl_saved(n, 0);
    RL_TEMP *conjugate = rl_conj_physical(g[0]);
    if (!z || !conjugate)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *direction = rl_complex_sgn(z);
        RL_TEMP *product = rl_mul(conjugate, direction);
        dx[0] = rl_real(product);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *turn = rl_wrap_complex(0, 1);
        RL_TEMP *tangent = turn ? rl_mul(z, turn) : NULL;
        RL_TEMP *product = rl_mul(conjugate, tangent);
        dx[1] = rl_real(product);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type polar_node = {
    .name = "PolarBackward0", .backward = polar_backward, .n_saved = 1};

rl_tensor *rl_polar(rl_tensor *abs, rl_tensor *angle)
{
    if (!abs || !angle || check_parts(abs, angle))
        return NULL;
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *c = rl_cos(angle);
    RL_TEMP *s = rl_sin(angle);
    RL_TEMP *re = rl_mul(abs, c);
    RL_TEMP *im = rl_mul(abs, s);
    rl_tensor *z = rl_complex(re, im);
    rl_set_grad_enabled(mode);
    if (!z || (!rl_recording(abs) && !rl_recording(angle)))
        return z;
    rl_node *n = rl_node_new(&polar_node, z, 2, (rl_tensor *[]){abs, angle});
    rl_save_output(n, 0, z, 0);
    return rl_record(n, z);
}

/* ---- functions ---- */

/* y = |z|      dz = g z / y, 0 at 0 */
static rl_status abs_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *z = rl_saved(n, 0);
    RL_TEMP *direction = z ? rl_complex_sgn(z) : NULL;
    dx[0] = rl_mul(g[0], direction);
    return RL_DONE(n, dx);
}
static const rl_node_type abs_node = {
    .name = "AbsBackward0", .backward = abs_backward, .n_saved = 1};

rl_tensor *rl_complex_abs(rl_tensor *x)
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *re = rl_real(x);
    RL_TEMP *im = re ? rl_imag(x) : NULL;
    RL_TEMP *y = rl_map2(RL_MAP_HYPOT, RL_TYPE_FLOAT, "abs_cpu", re, im, NULL);
    rl_set_grad_enabled(mode);
    if (!y || !rl_recording(x))
        return rl_retain(y);
    rl_node *n = rl_node_new(&abs_node, y, 1, &x);
    rl_save(n, 0, x);
    return rl_record(n, rl_retain(y));
}

/* s = z / |z|, 0 at 0      dz = (g - Re(g conj(s)) s) / |z|, 0 at 0 */
static rl_status sgn_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *z = rl_saved(n, 0);
    RL_TEMP *s = z ? rl_complex_sgn(z) : NULL;
    RL_TEMP *size = z ? rl_abs(z) : NULL;
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *one = rl_wrap_number(rl_int(1));
    RL_TEMP *at_zero = rl_eq(size, zero);
    RL_TEMP *divisor = at_zero ? rl_where(at_zero, one, size) : NULL;
    RL_TEMP *conjugate = rl_conj_of(s);
    RL_TEMP *product = rl_mul(g[0], conjugate);
    RL_TEMP *along = product ? rl_real(product) : NULL;
    RL_TEMP *radial = rl_mul(along, s);
    RL_TEMP *rest = rl_sub(g[0], radial, rl_int(1));
    RL_TEMP *slope = rest && divisor ? rl_div(rest, divisor, NULL) : NULL;
    dx[0] = slope ? rl_where(at_zero, zero, slope) : NULL;
    return RL_DONE(n, dx);
}
static const rl_node_type sgn_node = {
    .name = "SgnBackward0", .backward = sgn_backward, .n_saved = 1};

rl_tensor *rl_complex_sgn(rl_tensor *input)
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *one = rl_wrap_number(rl_int(1));
    RL_TEMP *size = rl_abs(input);
    RL_TEMP *at_zero = rl_eq(size, zero);
    RL_TEMP *divisor = at_zero ? rl_where(at_zero, one, size) : NULL;
    rl_tensor *s = divisor ? rl_div(input, divisor, NULL) : NULL;
    rl_set_grad_enabled(mode);
    if (!s || !rl_recording(input))
        return s;
    rl_node *n = rl_node_new(&sgn_node, s, 1, &input);
    rl_save(n, 0, input);
    return rl_record(n, s);
}

/* y = arg z      dz = i g z / |z|^2 */
static rl_status angle_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *z = rl_saved(n, 0);
    RL_TEMP *turn = rl_wrap_complex(0, 1);
    RL_TEMP *tangent = z && turn ? rl_mul(z, turn) : NULL;
    RL_TEMP *size = z ? rl_abs(z) : NULL;
    RL_TEMP *square = rl_mul(size, size);
    RL_TEMP *slope = tangent && square ? rl_div(tangent, square, NULL) : NULL;
    dx[0] = rl_mul(g[0], slope);
    return RL_DONE(n, dx);
}
static const rl_node_type angle_node = {
    .name = "AngleBackward0", .backward = angle_backward, .n_saved = 1};

rl_tensor *rl_complex_angle(rl_tensor *x)
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *re = rl_real(x);
    RL_TEMP *im = rl_imag(x);
    rl_tensor *y = re && im ? rl_atan2(im, re) : NULL;
    rl_set_grad_enabled(mode);
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&angle_node, y, 1, &x);
    rl_save(n, 0, x);
    return rl_record(n, y);
}

/* ---- sums and products by parts ---- */

rl_tensor *rl_complex_sum(rl_tensor *x, rl_ints dim, bool keepdim, bool mean)
{
    bool mask[RL_MAX_DIMS];
    int64_t dims[RL_MAX_DIMS];
    int n = 0;
    if (rl_dim_mask(dim, x->ndim, mask))
        return NULL;
    for (int d = 0; d < x->ndim; d++)
        if (mask[d])
            dims[n++] = d;
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *parts = n ? rl_view_as_real(x) : rl_clone(x);
    RL_TEMP *sum = !parts || !n ? NULL
                   : mean       ? rl_mean(parts, (rl_ints){dims, n}, keepdim, RL_NO_DTYPE)
                                : rl_sum(parts, (rl_ints){dims, n}, keepdim, RL_NO_DTYPE);
    RL_TEMP *rows = pairs_of(sum);
    rl_tensor *y = n ? rl_view_as_complex(rows) : rl_retain(parts);
    rl_set_grad_enabled(mode);
    return y;
}

rl_tensor *rl_complex_product(rl_tensor *(*product)(rl_tensor *, rl_tensor *), rl_tensor *a,
                              rl_tensor *b)
{
    RL_TEMP *ar = rl_real(a), *ai = rl_imag(a), *br = rl_real(b), *bi = rl_imag(b);
    RL_TEMP *rr = product(ar, br), *ii = product(ai, bi), *ri = product(ar, bi),
            *ir = product(ai, br);
    RL_TEMP *re = rl_sub(rr, ii, rl_int(1));
    RL_TEMP *im = rl_add(ri, ir, rl_int(1));
    return rl_complex(re, im);
}
