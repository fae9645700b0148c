/* Constructors, copies, and writing values, against closed forms and PyTorch 2.13's values; their
 * derivatives. */
#include "check.h"
#include "rushlight_ops.h"

static bool constants(void)
{
    MAKE(z, rl_zeros(INTS(2, 3), RL_NO_DTYPE));
    MAKE(o, rl_ones(INTS(2, 3), RL_I16));
    MAKE(f, rl_full(INTS(2), rl_float(2.5), RL_NO_DTYPE));
    MAKE(g, rl_full(INTS(2), rl_int(7), RL_NO_DTYPE));
    MAKE(b, rl_full(INTS(2), rl_bool(true), RL_NO_DTYPE));
    CHECK(z->dtype == RL_F32 && floats(z)[5] == 0);
    CHECK(((int16_t *)o->data)[5] == 1);
    CHECK(f->dtype == RL_F32 && floats(f)[1] == 2.5f && g->dtype == RL_I64 && b->dtype == RL_BOOL);
    MAKE(l, rl_full_like(o, rl_float(2.9), RL_NO_DTYPE));
    CHECK(l->dtype == RL_I16 && ((int16_t *)l->data)[0] == 2);
    MAKE(s, rl_empty_strided(INTS(2, 3), INTS(1, 2), RL_F64));
    CHECK(s->strides[1] == 2);
    FAILS(rl_full(INTS(2), rl_int(300), RL_U8), RL_ERUNTIME,
          "value cannot be converted to type uint8_t without overflow");
    FAILS(rl_empty_strided(INTS(2, 3), INTS(1), RL_F64), RL_ERUNTIME,
          "dimensionality of sizes (2) must match dimensionality of strides (1)");
    return true;
}

static bool ranges(void)
{
    MAKE(a, rl_arange(rl_float(0), rl_float(1), rl_float(0.1), RL_NO_DTYPE));
    CHECK(a->numel == 10 && floats(a)[3] == 0.3f && floats(a)[9] == 0.9f);
    MAKE(i, rl_arange_end(rl_int(5), RL_NO_DTYPE));
    CHECK(i->dtype == RL_I64 && i->numel == 5 && ((int64_t *)i->data)[4] == 4);
    MAKE(w, rl_arange(rl_float(-0.9), rl_float(5.9), rl_float(1.7), RL_I64));
    CHECK(w->numel == 5 && ((int64_t *)w->data)[4] == 4);
    MAKE(down, rl_arange(rl_int(1), rl_int(0), rl_float(-0.25), RL_NO_DTYPE));
    CHECK(down->numel == 4 && floats(down)[3] == 0.25f);
    MAKE(exact, rl_arange(rl_int(1LL << 53), rl_int((1LL << 53) + 3), rl_int(1), RL_NO_DTYPE));
    CHECK(((int64_t *)exact->data)[1] == (1LL << 53) + 1);
    MAKE(u, rl_arange_end(rl_int(300), RL_U8));
    CHECK(((uint8_t *)u->data)[299] == 43);
    MAKE(r, rl_range(rl_int(0), rl_int(1), rl_float(0.1), RL_NO_DTYPE));
    CHECK(r->numel == 11 && floats(r)[10] == 1);
    FAILS(rl_arange(rl_int(0), rl_int(9), rl_int(0), RL_NO_DTYPE), RL_ERUNTIME,
          "step must be nonzero");
    FAILS(rl_arange(rl_int(0), rl_int(9), rl_int(-1), RL_NO_DTYPE), RL_ERUNTIME,
          "upper bound and lower bound inconsistent with step sign");
    FAILS(rl_arange_end(rl_float(NAN), RL_NO_DTYPE), RL_ERUNTIME, "unsupported range: 0 -> nan");
    FAILS(rl_arange_end(rl_float(1e30), RL_NO_DTYPE), RL_ERUNTIME,
          "invalid size, possible overflow?");
    FAILS(rl_arange_end(rl_int(3), RL_BOOL), RL_ENOTIMPL,
          "\"arange_cpu\" not implemented for 'Bool'");
    return true;
}

static bool spaced(void)
{
    MAKE(a, rl_linspace(rl_int(-3), rl_int(7), 7, RL_NO_DTYPE));
    CHECK(floats(a)[1] == -1.3333333730697632f && floats(a)[5] == 5.333333492279053f &&
          floats(a)[6] == 7);
    MAKE(i, rl_linspace(rl_int(0), rl_int(10), 4, RL_I64));
    CHECK(((int64_t *)i->data)[1] == 3 && ((int64_t *)i->data)[2] == 6);
    MAKE(one, rl_linspace(rl_int(3), rl_int(7), 1, RL_F64));
    CHECK(*(double *)one->data == 3);
    MAKE(l, rl_logspace(rl_int(0), rl_int(2), 5, 10, RL_NO_DTYPE));
    CHECK(floats(l)[2] == 10 && fabsf(floats(l)[1] - 3.16227766f) < 1e-6f);
    FAILS(rl_linspace(rl_int(0), rl_int(1), -1, RL_NO_DTYPE), RL_ERUNTIME,
          "number of steps must be non-negative");
    return true;
}

static bool identity(void)
{
    MAKE(e, rl_eye(3, (rl_opt_int){true, 2}, RL_NO_DTYPE));
    float should[] = {1, 0, 0, 1, 0, 0};
    CHECK(!memcmp(e->data, should, sizeof should));
    FAILS(rl_eye(-1, (rl_opt_int){false, 0}, RL_NO_DTYPE), RL_ERUNTIME,
          "n must be greater or equal to 0, got -1");
    return true;
}

static bool copies(void)
{
    MAKE(x, counting(SHAPE(2, 3)));
    MAKE(t, rl_new_view(x, 2, (int64_t[]){3, 2}, (int64_t[]){1, 3}, 0));
    MAKE(c, rl_clone(t));
    CHECK(c->strides[0] == 1 && c->strides[1] == 3 && c->storage != x->storage);
    MAKE(r, rl_contiguous(t));
    CHECK(r->strides[0] == 2 && floats(r)[1] == 3);
    MAKE(same, rl_contiguous(x));
    CHECK(same == x);
    MAKE(d, rl_to_dtype(t, RL_I32, false));
    CHECK(d->strides[0] == 1 && ((int32_t *)d->data)[5] == 5);
    MAKE(itself, rl_to_dtype(x, RL_F32, false));
    CHECK(itself == x);
    return true;
}

/* dx of sum(g * to_double(clone(x))): g, through a copy into part of a larger tensor too. */
static bool derivatives(void)
{
    MAKE(x, counting(SHAPE(3)));
    NEED(!rl_set_requires_grad(x, true));
    MAKE(c, rl_clone(x));
    MAKE(d, rl_to_dtype(c, RL_F64, false));
    MAKE(z, rl_zeros(INTS(2, 3), RL_F64));
    MAKE(zc, rl_copy_(z, d, false)); /* broadcast: each element twice */
    CHECK(zc == z && rl_requires_grad(z));
    MAKE(g, rl_full(INTS(2, 3), rl_float(0.5), RL_F64));
    NEED(!rl_backward((rl_tensors){(rl_tensor *[]){z}, 1}, (rl_tensor *[]){g}, false, false,
                      (rl_tensors){NULL, 0}));
    rl_tensor *dx = rl_borrow_grad(x);
    CHECK(dx && dx->dtype == RL_F32 && dx->ndim == 1 && floats(dx)[2] == 1);
    rl_set_grad(x, NULL);
    return true;
}

static bool writing(void)
{
    MAKE(x, counting(SHAPE(2, 3)));
    MAKE(n, rl_wrap_number(rl_float(4)));
    MAKE(filled, rl_fill_(x, n));
    CHECK(filled == x && floats(x)[5] == 4 && x->storage->version == 1);
    MAKE(zero, rl_zero_(x));
    CHECK(floats(x)[5] == 0 && x->storage->version == 2);
    MAKE(two, counting(SHAPE(2)));
    FAILS(rl_fill_(x, two), RL_ERUNTIME,
          "fill_ only supports 0-dimension value tensor but got tensor with 1 dimensions.");
    FAILS(rl_copy_(x, two, false), RL_ERUNTIME,
          "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension "
          "1");
    MAKE(leaf, counting(SHAPE(2)));
    NEED(!rl_set_requires_grad(leaf, true));
    FAILS(rl_zero_(leaf), RL_ERUNTIME,
          "a leaf Variable that requires grad is being used in an in-place operation.");
    return true;
}

int main(void)
{
    RUN(constants);
    RUN(ranges);
    RUN(spaced);
    RUN(identity);
    RUN(copies);
    RUN(derivatives);
    RUN(writing);
    return failures != 0;
}
