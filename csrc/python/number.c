/* number.c: Tensor as a Python number: operators, reflected and in-place ones, comparisons, bool(),
 * int(), float().
 *
 * Each operator calls its C function at once, without the general argument parser.  A foreign
 * operand gives NotImplemented, so that its own type may answer. */
#include "python/args.h"
#include "python/override.h"

enum { FAILED = -1, FOREIGN, READY, OVERRIDE };

static int complex_operand(PyObject *o, rl_tensor **t, rl_tensor **temp)
{
    *t = *temp = rl_wrap_complex(PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o));
    if (*t)
        return READY;
    rl_py_raise();
    return FAILED;
}

/* The tensor of an operand: READY; FOREIGN when it is neither tensor nor number; OVERRIDE when its
 * type answers itself; FAILED with an exception.  *temp is to be released. */
static inline int operand(PyObject *o, rl_tensor **t, rl_tensor **temp)
{
    if (rl_py_is_tensor(o)) {
        *t = rl_py_borrow(o);
        return rl_py_overrides(o) ? OVERRIDE : READY;
    }
    rl_scalar s;
    if (PyFloat_CheckExact(o))
        s = rl_float(PyFloat_AS_DOUBLE(o));
    else if (PyComplex_Check(o))
        return complex_operand(o, t, temp);
    else if (!rl_py_as_scalar(o, &s))
        return PyErr_Occurred() ? FAILED : rl_py_is_overriding(o) ? OVERRIDE : FOREIGN;
    *t = *temp = rl_wrap_number(s);
    if (*t)
        return READY;
    rl_py_raise();
    return FAILED;
}

/* The result of an operator whose operands are not both READY. */
static PyObject *unusual(int status, const char *name, PyObject *a, PyObject *b)
{
    if (status == OVERRIDE)
        return rl_py_override_operator(name, a, b);
    return status == FOREIGN ? Py_NewRef(Py_NotImplemented) : NULL;
}

/* x op y with tensors x and y in scope of `forward`; `reflected` when only the right operand is a
 * tensor. */
#define BINARY(name, forward, reflected, forward_name, reflected_name)                             \
    static PyObject *name(PyObject *a, PyObject *b)                                                \
    {                                                                                              \
        RL_TEMP *temp = NULL;                                                                      \
        rl_tensor *x, *y = NULL, *z;                                                               \
        bool left = rl_py_is_tensor(a);                                                            \
        int status = left ? operand(b, &y, &temp) : operand(a, &y, &temp);                         \
        if (rl_py_overrides(left ? a : b))                                                         \
            status = OVERRIDE;                                                                     \
        if (status != READY)                                                                       \
            return unusual(status, left ? forward_name : reflected_name, left ? a : b,             \
                           left ? b : a);                                                          \
        x = rl_py_borrow(left ? a : b);                                                            \
        RL_PY_RUN(x->numel + y->numel, z = left ? forward : reflected);                            \
        return rl_py_wrap(z);                                                                      \
    }

static rl_tensor *divided_into(rl_tensor *x,
                               rl_tensor *y) /* y / x the way PyTorch rounds it: (1 / x) * y */
{
    RL_TEMP *r = rl_reciprocal(x);
    return r ? rl_mul(r, y) : NULL;
}

BINARY(number_add, rl_add(x, y, rl_int(1)), rl_add(x, y, rl_int(1)), "add", "add")
BINARY(number_subtract, rl_sub(x, y, rl_int(1)), rl_rsub(x, y, rl_int(1)), "sub", "__rsub__")
BINARY(number_multiply, rl_mul(x, y), rl_mul(x, y), "mul", "mul")
BINARY(number_true_divide, rl_div(x, y, NULL), divided_into(x, y), "div", "__rtruediv__")
BINARY(number_floor_divide, rl_floor_divide(x, y), rl_floor_divide(y, x), "__floordiv__",
       "__rfloordiv__")
BINARY(number_remainder, rl_remainder(x, y), rl_remainder(y, x), "remainder", "__rmod__")
BINARY(number_power2, rl_pow(x, y), rl_pow(y, x), "__pow__", "__rpow__")
BINARY(number_and, rl_bitwise_and(x, y), rl_bitwise_and(x, y), "__and__", "bitwise_and")
BINARY(number_or, rl_bitwise_or(x, y), rl_bitwise_or(x, y), "__or__", "bitwise_or")
BINARY(number_xor, rl_bitwise_xor(x, y), rl_bitwise_xor(x, y), "__xor__", "bitwise_xor")
BINARY(number_lshift, rl_bitwise_left_shift(x, y), rl_bitwise_left_shift(y, x), "__lshift__",
       "__rlshift__")
BINARY(number_rshift, rl_bitwise_right_shift(x, y), rl_bitwise_right_shift(y, x), "__rshift__",
       "__rrshift__")

#define INPLACE(name, text, call)                                                                  \
    static PyObject *name(PyObject *a, PyObject *b)                                                \
    {                                                                                              \
        RL_TEMP *temp = NULL;                                                                      \
        rl_tensor *x = rl_py_borrow(a), *y = NULL, *z;                                             \
        int status = operand(b, &y, &temp);                                                        \
        if (rl_py_overrides(a))                                                                    \
            status = OVERRIDE;                                                                     \
        if (status != READY)                                                                       \
            return unusual(status, text, a, b);                                                    \
        RL_PY_RUN(x->numel, z = call);                                                             \
        return rl_py_wrap(z);                                                                      \
    }

INPLACE(number_iadd, "add_", rl_add_(x, y, rl_int(1)))
INPLACE(number_isub, "sub_", rl_sub_(x, y, rl_int(1)))
INPLACE(number_imul, "mul_", rl_mul_(x, y))
INPLACE(number_itruediv, "div_", rl_div_(x, y, NULL))
INPLACE(number_ifloordiv, "floor_divide_", rl_floor_divide_(x, y))
INPLACE(number_iremainder, "remainder_", rl_remainder_(x, y))
INPLACE(number_ipower2, "__ipow__", rl_pow_(x, y))
INPLACE(number_iand, "__iand__", rl_bitwise_and_(x, y))
INPLACE(number_ior, "__ior__", rl_bitwise_or_(x, y))
INPLACE(number_ixor, "__ixor__", rl_bitwise_xor_(x, y))
INPLACE(number_ilshift, "__ilshift__", rl_bitwise_left_shift_(x, y))
INPLACE(number_irshift, "__irshift__", rl_bitwise_right_shift_(x, y))

static bool is_array(PyObject *o) { return !strcmp(Py_TYPE(o)->tp_name, "numpy.ndarray"); }

/* NumPy leaves array / tensor to the tensor, which multiplies by its reciprocal. */
static PyObject *number_divide(PyObject *a, PyObject *b)
{
    if (rl_py_is_tensor(a) || !is_array(a))
        return number_true_divide(a, b);
    PyObject *r = rl_py_wrap(rl_reciprocal(rl_py_borrow(b)));
    PyObject *result = r ? PyNumber_Multiply(r, a) : NULL;
    Py_XDECREF(r);
    return result;
}

static PyObject *number_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return number_power2(a, b);
}

static PyObject *number_ipower(PyObject *a, PyObject *b, PyObject *Py_UNUSED(modulus))
{
    return number_ipower2(a, b);
}

static PyObject *number_matmul(PyObject *a, PyObject *b)
{
    bool left = rl_py_is_tensor(a), right = rl_py_is_tensor(b);
    if ((left ? rl_py_overrides(a) : rl_py_is_overriding(a)) ||
        (right ? rl_py_overrides(b) : rl_py_is_overriding(b)))
        return rl_py_override_operator(left ? "matmul" : "__rmatmul__", left ? a : b, left ? b : a);
    if (!left || !right)
        Py_RETURN_NOTIMPLEMENTED;
    rl_tensor *x = rl_py_borrow(a), *y = rl_py_borrow(b), *z;
    /* A product of small matrices takes as long as an element-wise operator on many more elements.
     */
    RL_PY_RUN((x->numel + y->numel) * 16, z = rl_matmul(x, y));
    return rl_py_wrap(z);
}

#define UNARY(name, text, function)                                                                \
    static PyObject *name(PyObject *a)                                                             \
    {                                                                                              \
        rl_tensor *x = rl_py_borrow(a), *z;                                                        \
        if (rl_py_overrides(a))                                                                    \
            return rl_py_override_operator(text, a, NULL);                                         \
        RL_PY_RUN(x->numel, z = function(x));                                                      \
        return rl_py_wrap(z);                                                                      \
    }

UNARY(number_negative, "neg", rl_neg)
UNARY(number_positive, "positive", rl_positive)
UNARY(number_absolute, "abs", rl_abs)
UNARY(number_not, "__invert__", rl_bitwise_not)

static PyObject *number_invert(PyObject *a)
{
    if (!rl_py_overrides(a) && !rl_is_integral((rl_dtype)rl_py_borrow(a)->dtype, true)) {
        PyErr_SetString(PyExc_TypeError, "~ (operator.invert) is only implemented on integer and "
                                         "Boolean-type tensors");
        return NULL;
    }
    return number_not(a);
}

static int number_bool(PyObject *self)
{
    rl_tensor *t = rl_py_borrow(self);
    if (rl_py_overrides(self)) {
        PyObject *result = rl_py_override_operator("__bool__", self, NULL);
        int truth = result ? PyObject_IsTrue(result) : -1;
        Py_XDECREF(result);
        return truth;
    }
    if (t->numel != 1) {
        PyErr_SetString(PyExc_RuntimeError,
                        t->numel ? "Boolean value of Tensor with more than one value is ambiguous"
                                 : "Boolean value of Tensor with no values is ambiguous");
        return -1;
    }
    if (rl_is_complex((rl_dtype)t->dtype)) {
        uint8_t truth;
        rl_convert((rl_dtype)t->dtype, t->data, 0, RL_BOOL, &truth, 0, 1);
        return truth;
    }
    rl_scalar s;
    if (rl_item(t, &s)) {
        rl_py_raise();
        return -1;
    }
    return s.dtype == RL_F64 ? s.f != 0 : s.i != 0;
}

/* The one element; ValueError where item() gives RuntimeError. */
static int only_element(PyObject *self, rl_scalar *s)
{
    rl_tensor *t = rl_py_borrow(self);
    if (t->numel != 1) {
        PyErr_SetString(PyExc_ValueError,
                        "only one element tensors can be converted to Python scalars");
        return -1;
    }
    if (rl_item(t, s)) {
        rl_py_raise();
        return -1;
    }
    return 0;
}

static PyObject *number_int(PyObject *self)
{
    if (rl_py_overrides(self))
        return rl_py_override_operator("__int__", self, NULL);
    rl_scalar s;
    if (only_element(self, &s))
        return NULL;
    return s.dtype == RL_F64 ? PyLong_FromDouble(s.f) : PyLong_FromLongLong(s.i);
}

static PyObject *number_float(PyObject *self)
{
    if (rl_py_overrides(self))
        return rl_py_override_operator("__float__", self, NULL);
    rl_scalar s;
    if (only_element(self, &s))
        return NULL;
    return PyFloat_FromDouble(rl_scalar_double(s));
}

static PyObject *number_index(PyObject *self)
{
    if (rl_py_overrides(self))
        return rl_py_override_operator("__index__", self, NULL);
    rl_tensor *t = rl_py_borrow(self);
    if (t->numel != 1 || !rl_is_integral((rl_dtype)t->dtype, true)) {
        PyErr_SetString(PyExc_TypeError,
                        "only integer tensors of a single element can be converted to an index");
        return NULL;
    }
    return number_int(self);
}

/* tensor == array, which NumPy leaves to the tensor; of an array that is no tensor, as of any
 * foreign object, nothing is known. */
static PyObject *equal_to_array(PyObject *a, PyObject *b)
{
    PyObject *module = PyImport_ImportModule("rushlight._C");
    PyObject *other = module ? PyObject_CallMethod(module, "_from_array", "O", b) : NULL;
    Py_XDECREF(module);
    if (!other && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *result = other ? rl_py_tensor_compare(a, other, Py_EQ) : NULL;
    Py_XDECREF(other);
    return result;
}

PyObject *rl_py_tensor_compare(PyObject *a, PyObject *b, int op)
{
    RL_TEMP *temp = NULL;
    rl_tensor *x = rl_py_borrow(a), *y = NULL, *z = NULL;
    static const char *const names[] = {[Py_LT] = "lt", [Py_LE] = "le", [Py_EQ] = "__eq__",
                                        [Py_NE] = "ne", [Py_GT] = "gt", [Py_GE] = "ge"};
    int status = operand(b, &y, &temp);
    if (rl_py_overrides(a))
        status = OVERRIDE;
    if (status == FOREIGN && op == Py_EQ && is_array(b))
        return equal_to_array(a, b);
    if (status != READY)
        return unusual(status, names[op], a, b);
    rl_tensor *(*const compare[])(rl_tensor *, rl_tensor *) = {
        [Py_LT] = rl_lt, [Py_LE] = rl_le, [Py_EQ] = rl_eq,
        [Py_NE] = rl_ne, [Py_GT] = rl_gt, [Py_GE] = rl_ge};
    RL_PY_RUN(x->numel + y->numel, z = compare[op](x, y));
    return rl_py_wrap(z);
}

PyObject *rl_py_tensor_complex(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    rl_tensor *t = rl_py_borrow(self);
    double parts[2];
    if (t->numel != 1) {
        PyErr_SetString(PyExc_ValueError,
                        "only one element tensors can be converted to Python scalars");
        return NULL;
    }
    rl_convert((rl_dtype)t->dtype, t->data, 0, RL_C128, parts, 0, 1);
    return PyComplex_FromDoubles(parts[0], parts[1]);
}

PyNumberMethods rl_py_number_methods = {
    .nb_add = number_add,
    .nb_subtract = number_subtract,
    .nb_multiply = number_multiply,
    .nb_true_divide = number_divide,
    .nb_floor_divide = number_floor_divide,
    .nb_remainder = number_remainder,
    .nb_power = number_power,
    .nb_matrix_multiply = number_matmul,
    .nb_and = number_and,
    .nb_or = number_or,
    .nb_xor = number_xor,
    .nb_lshift = number_lshift,
    .nb_rshift = number_rshift,
    .nb_inplace_add = number_iadd,
    .nb_inplace_subtract = number_isub,
    .nb_inplace_multiply = number_imul,
    .nb_inplace_true_divide = number_itruediv,
    .nb_inplace_floor_divide = number_ifloordiv,
    .nb_inplace_remainder = number_iremainder,
    .nb_inplace_power = number_ipower,
    .nb_inplace_and = number_iand,
    .nb_inplace_or = number_ior,
    .nb_inplace_xor = number_ixor,
    .nb_inplace_lshift = number_ilshift,
    .nb_inplace_rshift = number_irshift,
    .nb_negative = number_negative,
    .nb_positive = number_positive,
    .nb_absolute = number_absolute,
    .nb_invert = number_invert,
    .nb_bool = number_bool,
    .nb_int = number_int,
    .nb_float = number_float,
    .nb_index = number_index,
};

int rl_py_add_number(PyObject *Py_UNUSED(module))
{
    return 0; /* rl_py_number_methods is all there is */
}
