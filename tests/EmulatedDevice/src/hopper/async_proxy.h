// Shared memory as bulk copies and wgmma reach it: past the thread, through the asynchronous proxy. What a thread wrote is seen only behind its own
// fence.proxy.async; what they read and write is in order for a thread only behind the wait that belongs to it.
#pragma once
#include <string>
#include "execution/thread.h"

namespace emulation {

constexpr u32 kChunkBytes = 16;

// 16 bytes of shared memory.
struct SharedChunk {
    u8* data;
    Cell* cells;        // four
    u8* written;
    u64 offset;         // of the bits of `written`
};

// The chunk at a shared address; ends the block where there is none. what: who wants it, for messages.
SharedChunk chunk_at(u32 shared_address, const char* what, emulated_site site);

// May the running thread let something read the chunk from now on?
void check_async_read(const SharedChunk& chunk, const char* what, emulated_site site);

// Was it written since? issued: Order::now() of the instruction.
void check_unchanged(const SharedChunk& chunk, Stamp issued, const char* what, emulated_site site);

// It was read by the holder of the stamp.
void mark_async_read(const SharedChunk& chunk, Stamp reader, u32 warp);

// The running thread lets something write the chunk from now on: poisoned until it is delivered.
void begin_async_write(const SharedChunk& chunk, const char* what, emulated_site site);

void deliver(const SharedChunk& chunk, const u8* data, Stamp writer);

// Device memory that the running thread lets something read: in order, and not by the block's own threads without a proxy fence.
void check_async_global_read(u64 address, u32 bytes, const char* what, emulated_site site);

std::string place_of_shared(u32 shared_address);

}
