// One watched access: in bounds, aligned, initialised, and in order after what others did.
#pragma once
#include "execution/thread.h"
#include "watch/hot.h"

namespace emulation {

enum class Access { read, write, atomic };

// Everything that the fast path does not settle. pc: where the access is, for the message.
void settle_word(Cell& cell, u64 address, u32 bytes, Access access, bool shared, const void* pc);
// The cell of the word, or those of its four bytes where they have different histories. What an earlier block left of shared memory is forgotten.
u32 cells_of_word(Cell& cell, bool shared, Cell* (&cells)[4]);
[[noreturn]] void refuse_device(u64 address, u32 bytes, Access access, const void* pc);
[[noreturn]] void refuse_shared(u64 address, u32 bytes, Access access, const void* pc);
[[noreturn]] void refuse_misaligned(u64 address, u32 bytes, Access access, const void* pc);
void refuse_unwritten(u64 address, u32 bytes, bool shared, const void* pc);
void settle_page(const Page& page, u64 address, u32 bytes, Access access, const void* pc);
void elsewhere(u64 address, u32 bytes, Access access, const void* pc);
void check_registers(u64 address, u32 bytes, Access access, const void* pc);

inline bool fresh_in_block(Stamp stamp, Stamp mine) {
    return stamp < hot.block_ordered || stamp == mine;
}

inline bool fresh_on_device(Stamp stamp, Stamp mine) {
    return stamp < hot.floor || stamp == mine || stamp - hot.block_first < hot.block_ordered - hot.block_first;
}

template <u32 bytes, Access access, bool shared>
inline void touch_cells(Cell* cells, u64 address, u64 offset, const void* pc) {
    if constexpr (bytes < 4 || access == Access::atomic) {
        settle_word(cells[offset / 4], address, bytes < 4 ? bytes : 4, access, shared, pc);
        if constexpr (bytes == 8)
            settle_word(cells[offset / 4 + 1], address + 4, 4, access, shared, pc);
    } else {
        const Stamp mine = hot.current->stamp;
        for (u32 word = 0; word < bytes / 4; word++) {
            Cell& cell = cells[offset / 4 + word];
            const bool fresh = shared ? fresh_in_block(cell.write, mine) && fresh_in_block(cell.read, mine)
                                      : fresh_on_device(cell.write, mine) && fresh_on_device(cell.read, mine);
            if (__builtin_expect(!fresh, 0))
                settle_word(cell, address + 4 * word, 4, access, shared, pc);
            else if constexpr (access == Access::read)
                cell.read = mine;
            else
                cell = {mine, 0};
        }
    }
}

template <u32 bytes, Access access>
inline void touch_shared(const Window& window, u64 address, const void* pc) {
    const u64 offset = address - window.base;
    if (access == Access::write)
        set_bits(window.written, offset, bytes);
    else if (bits_of(window.written, offset, bytes) != (1u << bytes) - 1)
        refuse_unwritten(address, bytes, true, pc);
    touch_cells<bytes, access, true>(window.cells, address, offset, pc);
}

template <u32 bytes, Access access>
inline void touch_device(u64 address, u64 offset, const void* pc) {
    const Page& page = hot.pages[offset >> 12];
    if (__builtin_expect(address + bytes > page.end, 0))
        refuse_device(address, bytes, access, pc);
    if (access == Access::write)
        set_bits(hot.device.written, offset, bytes);
    else if (__builtin_expect(bits_of(hot.device.written, offset, bytes) != (1u << bytes) - 1, 0))
        refuse_unwritten(address, bytes, false, pc);
    if (__builtin_expect(page.stamp >= hot.floor, 0))
        settle_page(page, address, bytes, access, pc);
    touch_cells<bytes, access, false>(hot.device.cells, address, offset, pc);
}

// bytes: 1, 2, 4, 8 or 16.
template <u32 bytes, Access access>
inline void touch(u64 address, const void* pc) {
    if (!hot.watching)
        return;
    const u64 on_device = address - hot.device.base;
    const u64 in_dynamic = address - hot.dynamic_shared.base;
    if (on_device < hot.device.bytes) {
        if (__builtin_expect(address % bytes != 0, 0))
            refuse_misaligned(address, bytes, access, pc);
        touch_device<bytes, access>(address, on_device, pc);
    } else if (in_dynamic < hot.dynamic_shared.bytes) {
        if (__builtin_expect(address % bytes != 0, 0))
            refuse_misaligned(address, bytes, access, pc);
        if (__builtin_expect(in_dynamic + bytes > hot.dynamic_shared.bytes, 0))
            refuse_shared(address, bytes, access, pc);
        touch_shared<bytes, access>(hot.dynamic_shared, address, pc);
    } else if (address - hot.stacks_base >= hot.stacks_bytes) {
        const u64 in_static = address - hot.static_shared.base;
        if (in_static < hot.static_shared.bytes) {
            if (__builtin_expect(address % bytes != 0, 0))
                refuse_misaligned(address, bytes, access, pc);
            if (__builtin_expect(in_static + bytes > hot.static_shared.bytes || bits_of(hot.static_valid, in_static, bytes) != (1u << bytes) - 1, 0))
                refuse_shared(address, bytes, access, pc);
            touch_shared<bytes, access>(hot.static_shared, address, pc);
        } else {
            elsewhere(address, bytes, access, pc);
        }
    } else if (__builtin_expect(hot.registers_in_flight != 0, 0)) {
        check_registers(address, bytes, access, pc);
    }
}

// Any number of bytes at any alignment: a copied structure, memcpy.
void touch_range(u64 address, u64 bytes, Access access, const void* pc);

}
