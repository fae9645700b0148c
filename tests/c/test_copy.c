/* Conversion between dtypes against closed forms, the same on every instruction set; copies of
 * every layout; filling. */
#include "check.h"
#include "core/cpu.h"
#include "kernels/convert.h"

static double half_value(uint16_t h)
{
    int e = h >> 10 & 31, m = h & 1023;
    double v = e == 0    ? ldexp(m, -24)
               : e == 31 ? (m ? (double)NAN : (double)INFINITY)
                         : ldexp(1024 + m, e - 25);
    return h & 0x8000 ? -v : v;
}

static bool halves_to_float(void)
{
    for (int h = 0; h < 65536; h++) {
        uint16_t x = (uint16_t)h;
        float y;
        rl_convert(RL_F16, &x, 2, RL_F32, &y, 4, 1);
        double should = half_value(x);
        CHECK(isnan(should) ? isnan(y) : y == should && !!signbit(y) == h >> 15);
        uint16_t back;
        rl_convert(RL_F32, &y, 4, RL_F16, &back, 2, 1);
        CHECK(isnan(should) ? isnan(half_value(back)) : back == x);
    }
    return true;
}

/* Between two neighbouring halves: the nearer one, the even one in the middle. */
static bool float_to_half(void)
{
    for (int h = 0; h < 0x7bff; h++) {
        float low = (float)half_value((uint16_t)h), high = (float)half_value((uint16_t)(h + 1));
        float middle = low + (high - low) / 2;
        float x[3] = {nextafterf(middle, low), middle, nextafterf(middle, high)};
        uint16_t y[3];
        rl_convert(RL_F32, x, 4, RL_F16, y, 2, 3);
        CHECK(y[0] == h && y[1] == h + (h & 1) && y[2] == h + 1);
    }
    float x[] = {65519.996f, 65520.0f, 1e30f,           -65520.0f,
                 -INFINITY,  0x1p-25f, 0x1.000002p-25f, -1e-30f};
    uint16_t should[] = {0x7bff, 0x7c00, 0x7c00, 0xfc00, 0xfc00, 0, 1, 0x8000}, y[8];
    rl_convert(RL_F32, x, 4, RL_F16, y, 2, 8);
    CHECK(!memcmp(y, should, sizeof y));
    return true;
}

static bool bfloats(void)
{
    uint32_t bits[] = {0x3f808000, 0x3f818000, 0x3f808001, 0x7f7fffff,
                       0x7fc01234, 0xff800000, 0x80000001};
    uint16_t should[] = {0x3f80, 0x3f82, 0x3f81, 0x7f80, 0x7fc0, 0xff80, 0x8000}, y[7];
    rl_convert(RL_F32, bits, 4, RL_BF16, y, 2, 7);
    CHECK(!memcmp(y, should, sizeof y));
    return true;
}

/* PyTorch 2.13's results of .to() for these values. */
static bool float_to_integers(void)
{
    double x[] = {NAN, INFINITY, -INFINITY, 3e9, -3e9, 1e20, -1e20, 300, -129, 255.9};
    uint8_t u8[10], u8_should[] = {0, 0, 0, 0, 0, 0, 0, 44, 127, 255};
    int8_t i8[10], i8_should[] = {0, 0, 0, 0, 0, 0, 0, 44, 127, -1};
    int16_t i16[10], i16_should[] = {0, 0, 0, 0, 0, 0, 0, 300, -129, 255};
    int32_t i32[10];
    int64_t i64[10];
    rl_convert(RL_F64, x, 8, RL_U8, u8, 1, 10);
    rl_convert(RL_F64, x, 8, RL_I8, i8, 1, 10);
    rl_convert(RL_F64, x, 8, RL_I16, i16, 2, 10);
    rl_convert(RL_F64, x, 8, RL_I32, i32, 4, 10);
    rl_convert(RL_F64, x, 8, RL_I64, i64, 8, 10);
    CHECK(!memcmp(u8, u8_should, sizeof u8));
    CHECK(!memcmp(i8, i8_should, sizeof i8));
    CHECK(!memcmp(i16, i16_should, sizeof i16));
    for (int i = 0; i < 10; i++) {
        CHECK(i32[i] == (i < 7 ? INT32_MIN : (int32_t)x[i]));
        CHECK(i64[i] == (i == 3 || i == 4 || i > 6 ? (int64_t)x[i] : INT64_MIN));
    }
    uint8_t b[10];
    rl_convert(RL_F64, x, 8, RL_BOOL, b, 1, 10);
    for (int i = 0; i < 10; i++)
        CHECK(b[i] == 1);
    return true;
}

/* Every pair of dtypes, every build: same bytes as the portable one; lengths around the vector
 * widths. */
static bool same_on_every_isa(void)
{
    static unsigned char x[100 * 8], y0[100 * 8], y1[100 * 8];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = (unsigned char)((state = state * 1664525u + 1013904223u) >> 24);
    rl_convert_fn *const(*tables[3])[RL_NDTYPES] = {rl_converts_portable, NULL, NULL};
#ifdef RL_HAVE_AVX2
    if (rl_cpu_has_level(RL_LEVEL_AVX2))
        tables[1] = rl_converts_avx2;
#endif
#ifdef RL_HAVE_AVX512
    if (rl_cpu_has_level(RL_LEVEL_AVX512))
        tables[2] = rl_converts_avx512;
#endif
    for (int from = 0; from < RL_NDTYPES; from++)
        for (int to = 0; to < RL_NDTYPES; to++)
            for (int isa = 1; isa < 3; isa++)
                for (size_t n = 0; tables[isa] && n <= 100; n += n < 40 ? 1 : 60) {
                    memset(y0, 7, sizeof y0);
                    memset(y1, 7, sizeof y1);
                    tables[0][from][to](x, y0, n);
                    tables[isa][from][to](x, y1, n);
                    if (memcmp(y0, y1, sizeof y0)) {
                        printf("%s to %s, build %d, n %zu\n", rl_dtype_name(from),
                               rl_dtype_name(to), isa, n);
                        failures++;
                    }
                }
    return true;
}

static bool strided_conversion(void)
{
    int16_t x[3000];
    double y[3000];
    for (int i = 0; i < 3000; i++)
        x[i] = (int16_t)(i - 1500);
    rl_convert(RL_I16, x, 6, RL_F64, y, 24, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK(y[3 * i] == x[3 * i]);
    rl_convert(RL_I16, x, 0, RL_F64, y, 8, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK(y[i] == -1500);
    return true;
}

/* dst = permuted and cut view, read element by element for comparison. */
static bool permuted_copies(void)
{
    int64_t s[3] = {17, 33, 20}, strides[3] = {33 * 20, 20, 1};
    int perms[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    MAKE(x, counting(3, s));
    for (int k = 0; k < 6; k++)
        for (int dtype = RL_I64; dtype <= RL_F64; dtype++) {
            int64_t shape[3], st[3];
            for (int d = 0; d < 3; d++) {
                shape[d] = s[perms[k][d]];
                st[d] = strides[perms[k][d]];
            }
            if (dtype == RL_F16 || dtype == RL_BF16)
                continue;
            MAKE(v, rl_new_view(x, 3, shape, st, 0));
            MAKE(c, rl_cast_data(v, (rl_dtype)dtype));
            MAKE(f, rl_cast_data(c, RL_F32));
            float *at = floats(f);
            bool ok = true;
            for (int64_t a = 0; a < shape[0]; a++)
                for (int64_t b = 0; b < shape[1]; b++)
                    for (int64_t e = 0; e < shape[2]; e++)
                        ok &= *at++ == floats(x)[a * st[0] + b * st[1] + e * st[2]];
            CHECK(ok);
        }
    return true;
}

static bool overlapping_copies(void)
{
    MAKE(x, counting(SHAPE(10)));
    MAKE(low, rl_new_view(x, 1, (int64_t[]){9}, (int64_t[]){1}, 0));
    MAKE(high, rl_new_view(x, 1, (int64_t[]){9}, (int64_t[]){1}, 1));
    NEED(!rl_copy_data(high, low));
    CHECK(floats(x)[0] == 0 && floats(x)[1] == 0 && floats(x)[9] == 8);
    MAKE(q, counting(SHAPE(3, 3)));
    MAKE(t, rl_new_view(q, 2, (int64_t[]){3, 3}, (int64_t[]){1, 3}, 0));
    NEED(!rl_copy_data(q, t));
    float should[] = {0, 3, 6, 1, 4, 7, 2, 5, 8};
    CHECK(!memcmp(q->data, should, sizeof should));
    return true;
}

static bool broadcast_copies(void)
{
    MAKE(x, counting(SHAPE(3, 1)));
    MAKE(y, rl_new(RL_I32, SHAPE(2, 3, 4)));
    NEED(!rl_copy_data(y, x));
    for (int i = 0; i < 24; i++)
        CHECK(((int32_t *)y->data)[i] == i / 4 % 3);
    MAKE(z, rl_new(RL_F32, SHAPE(4)));
    FAILS(!rl_copy_data(z, y), RL_ERUNTIME,
          "output with shape [4] doesn't match the broadcast shape [2, 3, 4]");
    FAILS(!rl_copy_data(x, z), RL_ERUNTIME,
          "output with shape [3, 1] doesn't match the broadcast shape [3, 4]");
    return true;
}

static bool filling(void)
{
    MAKE(x, counting(SHAPE(4, 5)));
    MAKE(column, rl_new_view(x, 1, (int64_t[]){4}, (int64_t[]){5}, 2));
    NEED(!rl_fill_data(column, rl_float(-1.5)));
    for (int i = 0; i < 20; i++)
        CHECK(floats(x)[i] == (i % 5 == 2 ? -1.5f : (float)i));
    MAKE(b, rl_new(RL_U8, SHAPE(3)));
    NEED(!rl_fill_data(b, rl_int(-1)));
    CHECK(((uint8_t *)b->data)[2] == 255);
    FAILS(!rl_fill_data(b, rl_int(300)), RL_ERUNTIME,
          "value cannot be converted to type uint8_t without overflow");
    FAILS(!rl_fill_data(x, rl_float(1e300)), RL_ERUNTIME,
          "value cannot be converted to type float without overflow");
    NEED(!rl_fill_data(x, rl_float(INFINITY)));
    MAKE(i, rl_new(RL_I64, SHAPE(2)));
    FAILS(!rl_fill_data(i, rl_float(INFINITY)), RL_ERUNTIME,
          "value cannot be converted to type int64_t without overflow");
    MAKE(h, rl_new(RL_F16, SHAPE(2)));
    FAILS(!rl_fill_data(h, rl_float(1e6)), RL_ERUNTIME,
          "value cannot be converted to type c10::Half without overflow");
    MAKE(large, rl_new(RL_F32, SHAPE(300000)));
    NEED(!rl_fill_data(large, rl_float(3)));
    CHECK(floats(large)[0] == 3 && floats(large)[299999] == 3);
    return true;
}

int main(void)
{
    RUN(halves_to_float);
    RUN(float_to_half);
    RUN(bfloats);
    RUN(float_to_integers);
    RUN(same_on_every_isa);
    RUN(strided_conversion);
    RUN(permuted_copies);
    RUN(overlapping_copies);
    RUN(broadcast_copies);
    RUN(filling);
    return failures != 0;
}
