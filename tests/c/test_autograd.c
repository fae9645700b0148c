/* test_autograd.c: the graph and the engine, with operators defined here and those of the table; no
 * Python. */
#include "autograd/autograd.h"
#include "check.h"
#include "rushlight_ops.h"

static double item(rl_tensor *t)
{
    rl_scalar s = rl_float(NAN);
    if (t)
        rl_item(t, &s);
    return rl_scalar_double(s);
}

static rl_tensor *leaf(double value)
{
    rl_tensor *t = rl_scalar_tensor(rl_float(value), RL_F64);
    if (t && rl_set_requires_grad(t, true)) {
        rl_release(t);
        return NULL;
    }
    return t;
}

static rl_status backward(rl_tensor *root, bool keep, bool create)
{
    return rl_backward((rl_tensors){&root, 1}, NULL, keep, create, (rl_tensors){NULL, 0});
}

/* ---- an operator of the test's own: z = x y, which counts how often its formula runs ---- */

static int times_run;

static rl_status times_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    times_run++;
    if (rl_wants(n, 0))
        dx[0] = rl_mul(g[0], y);
    if (rl_wants(n, 1))
        dx[1] = rl_mul(g[0], x);
    return rl_done(n, dx);
}

static const rl_node_type times_node = {
    .name = "TimesBackward0", .backward = times_backward, .n_saved = 2};

static rl_tensor *times(rl_tensor *x, rl_tensor *y)
{
    bool before = rl_set_grad_enabled(false);
    rl_tensor *z = rl_mul(x, y);
    rl_set_grad_enabled(before);
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(&times_node, z, 2, (rl_tensor *[]){x, y});
    rl_save(n, 0, x);
    rl_save(n, 1, y);
    return rl_record(n, z);
}

/* z = exp(x), which saves its output */
static rl_status grow_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *y = rl_saved(n, 0);
    dx[0] = times(g[0], y);
    return rl_done(n, dx);
}

static const rl_node_type grow_node = {
    .name = "GrowBackward0", .backward = grow_backward, .n_saved = 1};

static rl_tensor *grow(rl_tensor *x)
{
    bool before = rl_set_grad_enabled(false);
    rl_tensor *z = rl_exp(x);
    rl_set_grad_enabled(before);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(&grow_node, z, 1, &x);
    rl_save_output(n, 0, z, 0);
    return rl_record(n, z);
}

/* ---- tests ---- */

static bool test_product(void)
{
    MAKE(x, leaf(3));
    MAKE(y, leaf(5));
    MAKE(z, times(x, y));
    MAKE(w, times(z, x));
    NEED(!backward(w, false, false));
    CHECK(item(rl_borrow_grad(x)) == 30);
    CHECK(item(rl_borrow_grad(y)) == 9);
    CHECK(rl_is_leaf(x) && !rl_is_leaf(w) && rl_requires_grad(w));
    return true;
}

static bool test_third_derivative(void)
{
    MAKE(x, leaf(2));
    MAKE(y, grow(x));
    rl_tensor *g = rl_retain(y);
    for (int order = 1; order <= 3; order++) {
        rl_tensor *next = NULL;
        rl_status status =
            rl_grad((rl_tensors){&g, 1}, NULL, (rl_tensors){&x, 1}, true, true, false, &next);
        rl_release(g);
        g = next;
        if (status) {
            NEED(false);
        }
        CHECK(fabs(item(g) - exp(2)) < 1e-12);
    }
    rl_release(g);
    CHECK(!rl_borrow_grad(x));
    return true;
}

static bool test_second_backward(void)
{
    MAKE(x, leaf(3));
    MAKE(z, times(x, x));
    NEED(!backward(z, true, false));
    NEED(!backward(z, false, false));
    CHECK(item(rl_borrow_grad(x)) == 12);
    CHECK(backward(z, false, false));
    if (rl_error_code() == RL_EMEMORY)
        return false;
    CHECK(!strncmp(rl_error_message(), "Trying to backward through the graph a second time", 50));
    return true;
}

static bool test_version(void)
{
    MAKE(x, leaf(3));
    MAKE(y, times(x, x));
    MAKE(z, times(y, y));
    rl_bump_version(y);
    CHECK(backward(z, false, false));
    if (rl_error_code() == RL_EMEMORY)
        return false;
    CHECK_STR(
        rl_error_message(),
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.DoubleTensor []], which is output 0 of Times, is at version 1; expected "
        "version 0 instead. Hint: enable anomaly detection to find the operation that failed to "
        "compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).");
    CHECK(!rl_borrow_grad(x));
    return true;
}

static bool test_only_what_is_needed(void)
{
    MAKE(x, leaf(3));
    MAKE(y, leaf(5));
    MAKE(a, times(x, x));
    MAKE(b, times(y, y));
    MAKE(z, times(a, b));
    rl_tensor *g = NULL;
    times_run = 0;
    rl_status status =
        rl_grad((rl_tensors){&z, 1}, NULL, (rl_tensors){&y, 1}, false, false, false, &g);
    if (status)
        NEED(false);
    CHECK(times_run == 2);
    CHECK(item(g) == 90);
    rl_release(g);
    return true;
}

static bool test_broadcast(void)
{
    MAKE(x, rl_new(RL_F32, SHAPE(2, 1)));
    MAKE(y, rl_new(RL_F64, SHAPE(3)));
    NEED(!rl_fill_data(x, rl_float(2)) && !rl_fill_data(y, rl_float(5)));
    NEED(!rl_set_requires_grad(x, true) && !rl_set_requires_grad(y, true));
    MAKE(z, times(x, y));
    MAKE(seed, rl_new(RL_F64, SHAPE(2, 3)));
    NEED(!rl_fill_data(seed, rl_int(1)));
    NEED(!rl_backward((rl_tensors){&z, 1}, &seed, false, false, (rl_tensors){NULL, 0}));
    rl_tensor *gx = rl_borrow_grad(x), *gy = rl_borrow_grad(y);
    CHECK(rl_has_shape(gx, SHAPE(2, 1)) && gx->dtype == RL_F32 && floats(gx)[1] == 15);
    CHECK(rl_has_shape(gy, SHAPE(3)) && gy->dtype == RL_F64 && ((double *)gy->data)[2] == 4);
    return true;
}

static bool test_write_through_view(void)
{
    MAKE(x, leaf(3));
    MAKE(out, rl_new(RL_F64, SHAPE(3)));
    NEED(!rl_fill_data(out, rl_int(7)));
    MAKE(view, rl_as_strided(out, INTS(1), INTS(1), (rl_opt_int){true, 1}));
    MAKE(y, times(x, x));
    MAKE(written, rl_copy_(view, y, false));
    CHECK(rl_requires_grad(out) && rl_requires_grad(view) && !rl_is_leaf(view));
    MAKE(total, rl_sum(out, (rl_ints){NULL, -1}, false, RL_NO_DTYPE));
    CHECK(item(total) == 23);
    NEED(!backward(total, false, false));
    CHECK(item(rl_borrow_grad(x)) == 6);
    return true;
}

static bool test_inplace_forms(void)
{
    MAKE(x, leaf(3));
    MAKE(y, times(x, x));
    MAKE(source, rl_inplace_source(y, true));
    MAKE(same, rl_inplace_assign(y, grow(source)));
    CHECK(same == y);
    NEED(!backward(y, false, false));
    CHECK(fabs(item(rl_borrow_grad(x)) - 6 * exp(9)) < 1e-9);
    FAILS(!rl_check_inplace(x, true), RL_ERUNTIME,
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(!rl_check_inplace(x, false));
    return true;
}

/* ---- hooks ---- */

static int freed;
static void count_free(void *context) { freed += context != NULL; }

static rl_status double_it(void *context, int n, rl_tensor *const *g, rl_tensor **replacement)
{
    (void)context, (void)n;
    *replacement = rl_add(g[0], g[0], rl_int(1));
    return rl_status_of(*replacement);
}

static rl_status fail(void *context, int n, rl_tensor *const *g, rl_tensor **replacement)
{
    (void)context, (void)n, (void)g, (void)replacement;
    return rl_error(RL_EVALUE, "no");
}

/* A run inside a run, over nodes that both meet. */
static rl_status again(void *context, int n, rl_tensor *const *g, rl_tensor **replacement)
{
    (void)n, (void)g, (void)replacement;
    return backward(context, true, false);
}

static bool test_hooks(void)
{
    freed = 0;
    {
        MAKE(x, leaf(3));
        MAKE(y, times(x, x));
        MAKE(z, times(y, y));
        rl_hook hook = {
            .kind = RL_HOOK_TENSOR, .call = double_it, .free = count_free, .context = y};
        NEED(rl_add_tensor_hook(y, hook) && rl_add_tensor_hook(x, hook));
        NEED(!rl_retain_grad(y));
        NEED(!backward(z, true, false));
        CHECK(item(rl_borrow_grad(y)) == 36 && item(rl_borrow_grad(x)) == 432);
        hook.call = again;
        hook.free = NULL;
        hook.context = y;
        NEED(rl_add_tensor_hook(z, hook));
        NEED(!backward(z, true, false));
        CHECK(item(rl_borrow_grad(x)) == 432 + 432 + 2 * 2 * 6);
        hook.call = fail;
        NEED(rl_add_tensor_hook(z, hook));
        CHECK(backward(z, false, false) != RL_OK);
        if (rl_error_code() == RL_EMEMORY)
            return false;
        CHECK_STR(rl_error_message(), "no");
    }
    CHECK(freed == 2);
    return true;
}

/* ---- depth ---- */

static rl_status same_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n;
    dx[0] = rl_retain(g[0]);
    return RL_OK;
}

static const rl_node_type same_node = {.name = "SameBackward0", .backward = same_backward};

static rl_tensor *same(rl_tensor *x)
{
    rl_tensor *z = rl_detach(x);
    return rl_record(rl_node_new(&same_node, z, 1, &x), z);
}

static void deep(int length)
{
    RL_TEMP *x = leaf(3);
    rl_tensor *y = rl_retain(x);
    for (int i = 0; i < length; i++) {
        rl_tensor *z = same(y);
        rl_release(y);
        y = z;
    }
    CHECK(!backward(y, false, false));
    CHECK(item(rl_borrow_grad(x)) == 1);
    rl_release(y);
}

int main(void)
{
    RUN(test_product);
    RUN(test_third_derivative);
    RUN(test_second_backward);
    RUN(test_version);
    RUN(test_only_what_is_needed);
    RUN(test_broadcast);
    RUN(test_write_through_view);
    RUN(test_inplace_forms);
    RUN(test_hooks);
    int64_t live = rl_alloc_live();
    deep(1000000);
    CHECK(rl_alloc_live() == live);
    printf("%s\n", failures ? "FAILED" : "all passed");
    return failures != 0;
}
