// The calls that g++ -fsanitize=thread puts before every load and store, and the ones of -fsanitize=alignment,bounds. Kernel objects are not linked
// with the sanitizers' libraries: this library answers.
#include <cstring>
#include "execution/block.h"
#include "faults/fault.h"
#include "watch/access.h"

using namespace emulation;

#define HERE __builtin_return_address(0)

extern "C" {

#define CALLOUT(bytes)                                                                                                     \
    void __tsan_read##bytes(void* p) { touch<bytes, Access::read>((u64)p, HERE); }                                         \
    void __tsan_write##bytes(void* p) { touch<bytes, Access::write>((u64)p, HERE); }                                       \
    void __tsan_volatile_read##bytes(void* p) { touch<bytes, Access::read>((u64)p, HERE); }                                \
    void __tsan_volatile_write##bytes(void* p) { touch<bytes, Access::write>((u64)p, HERE); }                              \
    void __tsan_unaligned_read##bytes(void* p) { touch_range((u64)p, bytes, Access::read, HERE); }                         \
    void __tsan_unaligned_write##bytes(void* p) { touch_range((u64)p, bytes, Access::write, HERE); }
CALLOUT(1)
CALLOUT(2)
CALLOUT(4)
CALLOUT(8)
CALLOUT(16)
#undef CALLOUT

void __tsan_read_range(void* p, unsigned long bytes) { touch_range((u64)p, bytes, Access::read, HERE); }
void __tsan_write_range(void* p, unsigned long bytes) { touch_range((u64)p, bytes, Access::write, HERE); }
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

// Kernel objects are linked with --wrap, so that copies through the C library are seen too.
void* __wrap_memcpy(void* to, const void* from, size_t bytes) {
    touch_range((u64)from, bytes, Access::read, HERE);
    touch_range((u64)to, bytes, Access::write, HERE);
    return std::memcpy(to, from, bytes);
}

void* __wrap_memmove(void* to, const void* from, size_t bytes) {
    touch_range((u64)from, bytes, Access::read, HERE);
    touch_range((u64)to, bytes, Access::write, HERE);
    return std::memmove(to, from, bytes);
}

void* __wrap_memset(void* to, int value, size_t bytes) {
    touch_range((u64)to, bytes, Access::write, HERE);
    return std::memset(to, value, bytes);
}

// What g++ describes of the place, as libubsan declares it.
struct UbsanPlace {
    const char* file;
    u32 line;
    u32 column;
};

struct UbsanType {
    u16 kind;
    u16 information;
    char name[1];
};

struct TypeMismatch {
    UbsanPlace place;
    const UbsanType* type;
    u8 alignment_log2;
    u8 check;
};

struct OutOfBounds {
    UbsanPlace place;
    const UbsanType* array;
    const UbsanType* index;
};

void __ubsan_handle_type_mismatch_v1(const TypeMismatch* data, u64 address) {
    Block::instance().stop(address == 0 ? FaultKind::illegal_address : FaultKind::misaligned_address, address,
                           text("address 0x%llx is taken for %s, which needs a multiple of %u", (unsigned long long)address, data->type->name,
                                1u << data->alignment_log2), HERE, nullptr);
}

void __ubsan_handle_out_of_bounds(const OutOfBounds* data, u64 index) {
    Block::instance().stop(FaultKind::index_out_of_bounds, 0,
                           text("index %lld is outside of an array of type %s", (long long)index, data->array->name), HERE, nullptr);
}

}
