// vote.sync: a predicate over the lanes of `members`, all of which must execute it. It orders no memory.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ u32 vote_sync_ballot(bool predicate, u32 members = kFullWarp) {
    u32 d;
    asm volatile("{ .reg .pred p; setp.ne.u32 p, %1, 0; vote.sync.ballot.b32 %0, p, %2; }" : "=r"(d) : "r"((u32)predicate), "r"(members));
    return d;
}

__device__ __forceinline__ bool vote_sync_any(bool predicate, u32 members = kFullWarp) {
    u32 d;
    asm volatile("{ .reg .pred p, q; setp.ne.u32 p, %1, 0; vote.sync.any.pred q, p, %2; selp.u32 %0, 1, 0, q; }"
                 : "=r"(d) : "r"((u32)predicate), "r"(members));
    return d != 0;
}

__device__ __forceinline__ bool vote_sync_all(bool predicate, u32 members = kFullWarp) {
    u32 d;
    asm volatile("{ .reg .pred p, q; setp.ne.u32 p, %1, 0; vote.sync.all.pred q, p, %2; selp.u32 %0, 1, 0, q; }"
                 : "=r"(d) : "r"((u32)predicate), "r"(members));
    return d != 0;
}
