// What went wrong, in words: kernel, block, thread, address, place.
#pragma once
#include <string>
#include <vector>
#include "driver/cuda_types.h"
#include "numbers.h"

namespace emulation {

enum class FaultKind {
    out_of_bounds,
    use_after_free,
    illegal_address,
    misaligned_address,
    uninitialised_read,
    shared_memory_race,
    global_memory_race,
    stream_race,
    async_copy_not_waited,
    divergent_barrier,
    divergent_warp,
    bad_lane,
    bad_barrier,
    bad_mbarrier,
    bad_descriptor,
    bad_tensor_map,
    bad_wgmma,
    bad_register_count,
    async_proxy,
    deadlock,
    read_only_path,
    trap,
    stack_overflow,
    index_out_of_bounds,
    launch_limits,
    launch_timeout,
    host_access_before_synchronise,
    double_free,
    bad_argument,
    unsupported,
};

const char* name_of(FaultKind kind);

// What the context answers from then on.
CUresult result_of(FaultKind kind);

struct Fault {
    FaultKind kind;
    bool in_kernel = false;
    std::string kernel{};
    Dim3 block{0, 0, 0};
    Dim3 thread{0, 0, 0};
    u64 address = 0;
    std::string message{};
};

// Every fault since the last reset, printed as it comes.
class FaultLog {
public:
    void add(Fault fault);
    void clear() { faults.clear(); }
    const std::vector<Fault>& all() const { return faults; }
    void print(bool value) { printing = value; }

private:
    std::vector<Fault> faults;
    bool printing = true;
};

FaultLog& fault_log();

// A mistake of the host: noted, and answered by the call itself.
CUresult host_fault(FaultKind kind, CUresult result, u64 address, const char* format, ...) __attribute__((format(printf, 4, 5)));

std::string text(const char* format, ...) __attribute__((format(printf, 1, 2)));

}
