// What a compiled kernel and the emulated device know of each other; included by both. Kernels are compiled by g++ with -nostdinc, so no header here.
#pragma once

extern "C" {

// Where something was called: a std::source_location::__impl, filled in by the compiler as a default argument.
struct emulated_place {
    const char* file;
    const char* function;
    unsigned line;
    unsigned column;
};
typedef const void* emulated_site;

// --- What a kernel object exports -------------------------------------------------------------------------------------------------------

struct emulated_parameter {
    unsigned offset;
    unsigned bytes;
};

struct emulated_kernel {
    const char* name;
    void (*call)(const unsigned char* arguments);
    const emulated_parameter* parameters;
    unsigned parameter_count;
    unsigned argument_bytes;
    unsigned max_threads;       // of __launch_bounds__; 0: none
    unsigned min_blocks;
};

struct emulated_kernel_table {
    const emulated_kernel* const* kernels;
    unsigned count;
    unsigned architecture;      // 750, 800, ...
};

// --- What a kernel calls ----------------------------------------------------------------------------------------------------------------

// 0-2 threadIdx, 3-5 blockIdx, 6-8 blockDim, 9-11 gridDim: they never change for a thread, so calls may be merged.
unsigned emulated_index(unsigned which) __attribute__((const));

void emulated_barrier(unsigned id, unsigned threads, bool wait, emulated_site site);
unsigned emulated_barrier_count(bool predicate, emulated_site site);
void emulated_sync_warp(unsigned members, emulated_site site);
unsigned emulated_active_mask();

enum emulated_shuffle_mode { emulated_shuffle_up, emulated_shuffle_down, emulated_shuffle_butterfly, emulated_shuffle_index };
unsigned emulated_shuffle(emulated_shuffle_mode mode, unsigned value, unsigned b, unsigned c, unsigned members, emulated_site site);

enum emulated_vote_kind { emulated_vote_ballot, emulated_vote_any, emulated_vote_all };
unsigned emulated_vote(emulated_vote_kind kind, bool predicate, unsigned members, emulated_site site);

enum emulated_reduction { emulated_reduce_add, emulated_reduce_min_s32, emulated_reduce_max_s32, emulated_reduce_min_u32, emulated_reduce_max_u32 };
unsigned emulated_redux(emulated_reduction kind, unsigned value, unsigned members, emulated_site site);

struct emulated_quad { unsigned v[4]; };
struct emulated_pair { unsigned v[2]; };
struct emulated_floats { float v[4]; };

emulated_quad emulated_ldmatrix(unsigned count, bool transposed, unsigned row_address, emulated_site site);
void emulated_stmatrix(unsigned count, bool transposed, unsigned row_address, unsigned a0, unsigned a1, unsigned a2, unsigned a3, emulated_site site);
unsigned emulated_movmatrix(unsigned a, emulated_site site);

enum emulated_mma_type { emulated_mma_f16, emulated_mma_bf16, emulated_mma_s8 };
emulated_floats emulated_mma_f32(emulated_mma_type type, unsigned k, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1,
                                 float c0, float c1, float c2, float c3, emulated_site site);
emulated_pair emulated_mma_half(unsigned k, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1,
                                unsigned c0, unsigned c1, emulated_site site);
emulated_quad emulated_mma_s32(unsigned k, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1,
                               unsigned c0, unsigned c1, unsigned c2, unsigned c3, emulated_site site);

unsigned emulated_shared_address(const void* generic);
void* emulated_shared_pointer(unsigned shared_address);
unsigned char* emulated_dynamic_shared();

void emulated_async_copy(unsigned shared_address, const void* source, unsigned bytes, unsigned source_bytes, emulated_site site);
void emulated_async_commit();
void emulated_async_wait(unsigned pending);
void emulated_async_wait_all();

// --- sm_90a ---
void emulated_mbarrier_init(unsigned address, unsigned count, emulated_site site);
void emulated_mbarrier_inval(unsigned address, emulated_site site);
void emulated_mbarrier_fence_init();
void emulated_mbarrier_arrive(unsigned address, unsigned expected_bytes, emulated_site site);
bool emulated_mbarrier_try_wait(unsigned address, unsigned parity, emulated_site site);
void emulated_proxy_fence();
void emulated_bulk_tensor_load(unsigned shared_address, const void* map, unsigned rank, const int* coordinates, unsigned mbarrier, emulated_site site);
void emulated_bulk_tensor_store(const void* map, unsigned rank, const int* coordinates, unsigned shared_address, emulated_site site);
void emulated_bulk_load(unsigned shared_address, const void* global, unsigned bytes, unsigned mbarrier, emulated_site site);
void emulated_bulk_store(void* global, unsigned shared_address, unsigned bytes, emulated_site site);
void emulated_bulk_commit();
void emulated_bulk_wait(unsigned pending, bool only_read);
void emulated_wgmma_fence(emulated_site site);
void emulated_wgmma_commit(emulated_site site);
void emulated_wgmma_wait(unsigned pending, emulated_site site);
// d [n / 2] is written when a wait has returned; a_registers is null where A is in shared memory.
void emulated_wgmma(unsigned n, bool is_bf16, bool accumulates, const unsigned* a_registers, unsigned long long a, bool a_transposed, unsigned long long b,
                    bool b_transposed, float* d, emulated_site site);
void emulated_setmaxnreg(bool increase, unsigned count, emulated_site site);

enum emulated_scope { emulated_block_scope, emulated_device_scope, emulated_system_scope };
void emulated_fence(emulated_scope scope);

enum emulated_order { emulated_relaxed = 0, emulated_acquire = 1, emulated_release = 2, emulated_acquire_release = 3 };
enum emulated_atomic { emulated_add, emulated_sub, emulated_exchange, emulated_compare_exchange, emulated_min_signed, emulated_max_signed,
                       emulated_min, emulated_max, emulated_and, emulated_or, emulated_xor, emulated_increment, emulated_decrement, emulated_add_f32 };
unsigned emulated_atomic_u32(emulated_atomic operation, void* address, unsigned a, unsigned compare, emulated_order order, emulated_site site);
unsigned long long emulated_atomic_u64(emulated_atomic operation, void* address, unsigned long long a, unsigned long long compare,
                                       emulated_order order, emulated_site site);
unsigned emulated_load_u32(const void* address, emulated_order order, emulated_site site);
void emulated_store_u32(void* address, unsigned a, emulated_order order, emulated_site site);

// The read-only path: the bytes may not be written by this launch.
void emulated_read_only(const void* address, unsigned bytes, emulated_site site);
void emulated_prefetch(const void* address, emulated_site site);

void emulated_grid_wait();
void emulated_grid_launch_dependents();
void emulated_yield();
unsigned long long emulated_nanoseconds();
void emulated_trap(const char* what, emulated_site site) __attribute__((noreturn));

// Conversions, one reading of the formats for all: to nearest even, NaN becomes 0x7FFF.
float emulated_f32_from_f16(unsigned short a) __attribute__((const));
unsigned short emulated_f16_from_f32(float a) __attribute__((const));
unsigned short emulated_bf16_from_f32(float a) __attribute__((const));
enum emulated_pair_operation { emulated_pair_add, emulated_pair_sub, emulated_pair_mul, emulated_pair_fma };
unsigned emulated_f16x2(emulated_pair_operation operation, unsigned a, unsigned b, unsigned c) __attribute__((const));
unsigned emulated_bf16x2_fma(unsigned a, unsigned b, unsigned c) __attribute__((const));
}
