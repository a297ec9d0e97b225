// Host version, for the emulated device: same functions as kernels/ptx/vote.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ u32 vote_sync_ballot(bool predicate, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return emulated_vote(emulated_vote_ballot, predicate, members, site);
}

__device__ __forceinline__ bool vote_sync_any(bool predicate, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return emulated_vote(emulated_vote_any, predicate, members, site) != 0;
}

__device__ __forceinline__ bool vote_sync_all(bool predicate, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return emulated_vote(emulated_vote_all, predicate, members, site) != 0;
}
