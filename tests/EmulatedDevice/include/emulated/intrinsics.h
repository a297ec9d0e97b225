// CUDA's own functions for synchronisation, warps, atomics and memory.
#pragma once
#include "emulated/language.h"

EMULATED_INLINE void __syncthreads(emulated_site site = EMULATED_HERE) { emulated_barrier(0, 0, true, site); }
EMULATED_INLINE int __syncthreads_count(int predicate, emulated_site site = EMULATED_HERE) {
    return (int)emulated_barrier_count(predicate != 0, site);
}
EMULATED_INLINE int __syncthreads_or(int predicate, emulated_site site = EMULATED_HERE) {
    return emulated_barrier_count(predicate != 0, site) != 0;
}
EMULATED_INLINE int __syncthreads_and(int predicate, emulated_site site = EMULATED_HERE) {
    return emulated_barrier_count(predicate == 0, site) == 0;
}
EMULATED_INLINE void __syncwarp(unsigned members = 0xFFFFFFFFu, emulated_site site = EMULATED_HERE) { emulated_sync_warp(members, site); }
EMULATED_INLINE unsigned __activemask() { return emulated_active_mask(); }

EMULATED_INLINE void __threadfence_block() { emulated_fence(emulated_block_scope); }
EMULATED_INLINE void __threadfence() { emulated_fence(emulated_device_scope); }
EMULATED_INLINE void __threadfence_system() { emulated_fence(emulated_system_scope); }
EMULATED_INLINE void __nanosleep(unsigned) { emulated_yield(); }
EMULATED_INLINE long long clock64() { return (long long)emulated_nanoseconds(); }
EMULATED_INLINE void __trap(emulated_site site = EMULATED_HERE) { emulated_trap("__trap", site); }
#define assert(condition) ((condition) ? (void)0 : emulated_trap("assert(" #condition ")", EMULATED_HERE))

EMULATED_INLINE int __float_as_int(float a) { return __builtin_bit_cast(int, a); }
EMULATED_INLINE unsigned __float_as_uint(float a) { return __builtin_bit_cast(unsigned, a); }
EMULATED_INLINE float __int_as_float(int a) { return __builtin_bit_cast(float, a); }
EMULATED_INLINE float __uint_as_float(unsigned a) { return __builtin_bit_cast(float, a); }

#define EMULATED_SHUFFLES(T, TO, FROM)                                                                                                        \
    EMULATED_INLINE T __shfl_sync(unsigned members, T value, int lane, int width = 32, emulated_site site = EMULATED_HERE) {                  \
        return FROM(emulated_shuffle(emulated_shuffle_index, TO(value), (unsigned)lane, (32u - width) << 8 | 31, members, site));             \
    }                                                                                                                                         \
    EMULATED_INLINE T __shfl_up_sync(unsigned members, T value, unsigned delta, int width = 32, emulated_site site = EMULATED_HERE) {         \
        return FROM(emulated_shuffle(emulated_shuffle_up, TO(value), delta, (32u - width) << 8, members, site));                              \
    }                                                                                                                                         \
    EMULATED_INLINE T __shfl_down_sync(unsigned members, T value, unsigned delta, int width = 32, emulated_site site = EMULATED_HERE) {       \
        return FROM(emulated_shuffle(emulated_shuffle_down, TO(value), delta, (32u - width) << 8 | 31, members, site));                       \
    }                                                                                                                                         \
    EMULATED_INLINE T __shfl_xor_sync(unsigned members, T value, int lanes, int width = 32, emulated_site site = EMULATED_HERE) {             \
        return FROM(emulated_shuffle(emulated_shuffle_butterfly, TO(value), (unsigned)lanes, (32u - width) << 8 | 31, members, site));        \
    }
EMULATED_SHUFFLES(int, (unsigned), (int))
EMULATED_SHUFFLES(unsigned, (unsigned), (unsigned))
EMULATED_SHUFFLES(float, __float_as_uint, __uint_as_float)
#undef EMULATED_SHUFFLES

EMULATED_INLINE unsigned __ballot_sync(unsigned members, int predicate, emulated_site site = EMULATED_HERE) {
    return emulated_vote(emulated_vote_ballot, predicate != 0, members, site);
}
EMULATED_INLINE int __any_sync(unsigned members, int predicate, emulated_site site = EMULATED_HERE) {
    return (int)emulated_vote(emulated_vote_any, predicate != 0, members, site);
}
EMULATED_INLINE int __all_sync(unsigned members, int predicate, emulated_site site = EMULATED_HERE) {
    return (int)emulated_vote(emulated_vote_all, predicate != 0, members, site);
}

#define EMULATED_ATOMIC(NAME, T, BITS, OPERATION)                                                                                             \
    EMULATED_INLINE T NAME(T* address, T a, emulated_site site = EMULATED_HERE) {                                                             \
        return (T)emulated_atomic_u##BITS(OPERATION, address, (unsigned long long)a, 0, emulated_relaxed, site);                              \
    }
EMULATED_ATOMIC(atomicAdd, int, 32, emulated_add)
EMULATED_ATOMIC(atomicAdd, unsigned, 32, emulated_add)
EMULATED_ATOMIC(atomicAdd, unsigned long long, 64, emulated_add)
EMULATED_ATOMIC(atomicSub, int, 32, emulated_sub)
EMULATED_ATOMIC(atomicSub, unsigned, 32, emulated_sub)
EMULATED_ATOMIC(atomicExch, int, 32, emulated_exchange)
EMULATED_ATOMIC(atomicExch, unsigned, 32, emulated_exchange)
EMULATED_ATOMIC(atomicExch, unsigned long long, 64, emulated_exchange)
EMULATED_ATOMIC(atomicMin, int, 32, emulated_min_signed)
EMULATED_ATOMIC(atomicMin, unsigned, 32, emulated_min)
EMULATED_ATOMIC(atomicMax, int, 32, emulated_max_signed)
EMULATED_ATOMIC(atomicMax, unsigned, 32, emulated_max)
EMULATED_ATOMIC(atomicMax, unsigned long long, 64, emulated_max)
EMULATED_ATOMIC(atomicAnd, unsigned, 32, emulated_and)
EMULATED_ATOMIC(atomicOr, unsigned, 32, emulated_or)
EMULATED_ATOMIC(atomicXor, unsigned, 32, emulated_xor)
EMULATED_ATOMIC(atomicInc, unsigned, 32, emulated_increment)
EMULATED_ATOMIC(atomicDec, unsigned, 32, emulated_decrement)
#undef EMULATED_ATOMIC

EMULATED_INLINE float atomicAdd(float* address, float a, emulated_site site = EMULATED_HERE) {
    return __uint_as_float(emulated_atomic_u32(emulated_add_f32, address, __float_as_uint(a), 0, emulated_relaxed, site));
}
EMULATED_INLINE unsigned atomicCAS(unsigned* address, unsigned compare, unsigned a, emulated_site site = EMULATED_HERE) {
    return emulated_atomic_u32(emulated_compare_exchange, address, a, compare, emulated_relaxed, site);
}
EMULATED_INLINE int atomicCAS(int* address, int compare, int a, emulated_site site = EMULATED_HERE) {
    return (int)emulated_atomic_u32(emulated_compare_exchange, address, (unsigned)a, (unsigned)compare, emulated_relaxed, site);
}

template <typename T>
EMULATED_INLINE T __ldg(const T* address, emulated_site site = EMULATED_HERE) {
    emulated_read_only(address, sizeof(T), site);
    return *address;
}

EMULATED_INLINE size_t __cvta_generic_to_shared(const void* generic) { return emulated_shared_address(generic); }
