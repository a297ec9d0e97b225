// What every watched access looks at, kept together: the call-outs run hundreds of millions of times.
#pragma once
#include "numbers.h"

namespace emulation {

struct Thread;

// A stamp says which thread did something, and when: (segment of a warp) * 32 + lane. Segments are numbered as they begin, and a warp begins a new one
// at every synchronisation, so one comparison tells what a barrier has put in order. 0: never.
using Stamp = u32;

constexpr u32 kStampBits = 30;
constexpr Stamp kPendingAsync = 0x7FFFFFFF;     // write: a cp.async that nobody has waited for
constexpr Stamp kSplit = 0x7FFFFFFE;            // write: the bytes of the word differ; read is their index
constexpr u32 kAtomic = 0x80000000;             // write: by an atomic
constexpr u32 kReaderSet = 0x80000000;          // read: several warps, the rest is an index
constexpr u32 kSeveralLanes = 0x40000000;       // read: more than one lane of the segment

// Last write and last reads of one 32-bit word (or of one of its bytes).
struct Cell {
    Stamp write;
    Stamp read;
};

// 4096 bytes of device memory.
struct Page {
    u64 end;            // first address behind the allocation; 0: none lives here
    Stamp stamp;        // of a copy or fill that covered the whole page
    u32 allocation;     // index; kept after the free, for the message
};

// Watched memory: data, its cells (one for four bytes), one bit for each byte that was written.
struct Window {
    u64 base = 0;
    u64 bytes = 0;
    Cell* cells = nullptr;
    u8* written = nullptr;
};

struct Hot {
    Thread* current = nullptr;      // null: the host is running
    bool watching = false;
    Window device;
    Page* pages = nullptr;
    Window dynamic_shared;
    Window static_shared;
    u8* static_valid = nullptr;     // one bit for each byte that belongs to a variable
    u32 registers_in_flight = 0;    // accumulators that a wgmma has not given back
    u64 stacks_base = 0;
    u64 stacks_bytes = 0;
    Stamp floor = 1;                // what is older was done before this launch could begin
    Stamp block_first = 1;          // first stamp of the running block
    Stamp block_ordered = 1;        // what this block did before this is behind its last barrier
};

extern Hot hot;

inline u32 bits_of(const u8* bits, u64 offset, u32 bytes) {
    u32 word;
    __builtin_memcpy(&word, bits + offset / 8, 4);
    return word >> offset % 8 & (bytes == 32 ? ~0u : (1u << bytes) - 1);
}

inline void set_bits(u8* bits, u64 offset, u32 bytes) {
    u32 word;
    __builtin_memcpy(&word, bits + offset / 8, 4);
    word |= ((1u << bytes) - 1) << offset % 8;
    __builtin_memcpy(bits + offset / 8, &word, 4);
}

}
