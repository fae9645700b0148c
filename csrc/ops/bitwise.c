/* bitwise.c: operations on the bits of integers and bools. */
#include "ops/map.h"

#define BITWISE(name, op, kernel_name)                                                             \
    rl_tensor *rl_##name(rl_tensor *input, rl_tensor *other)                                       \
    {                                                                                              \
        return rl_map2(RL_MAP_##op, RL_TYPE_PROMOTE, kernel_name, input, other, NULL);             \
    }
BITWISE(bitwise_and, BITAND, "bitwise_and_cpu")
BITWISE(bitwise_or, BITOR, "bitwise_or_cpu")
BITWISE(bitwise_xor, BITXOR, "bitwise_xor_cpu")
BITWISE(bitwise_left_shift, SHL, "lshift_cpu")
BITWISE(bitwise_right_shift, SHR, "rshift_cpu")
#undef BITWISE

rl_tensor *rl_bitwise_not(rl_tensor *input)
{
    return rl_map1(RL_MAP_BITNOT, RL_TYPE_PROMOTE, "bitwise_not_cpu", input, NULL);
}
