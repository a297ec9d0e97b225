// What tests may ask beyond the driver's functions.
#include "configuration.h"
#include "driver/runtime.h"

using namespace emulation;

extern "C" {

struct xc2EmulatedFaultInfo {
    const char* kind;
    const char* kernel;
    const char* message;
    u64 address;
    u32 block[3];
    u32 thread[3];
};

int xc2EmulatedFaultCount() {
    const std::lock_guard guard(Runtime::instance().lock);
    return (int)fault_log().all().size();
}

// The strings live until the next reset or fault.
int xc2EmulatedFault(int index, xc2EmulatedFaultInfo* information) {
    const std::lock_guard guard(Runtime::instance().lock);
    const std::vector<Fault>& faults = fault_log().all();
    if (index < 0 || (size_t)index >= faults.size())
        return 1;
    const Fault& fault = faults[(size_t)index];
    *information = {name_of(fault.kind), fault.kernel.c_str(), fault.message.c_str(), fault.address,
                    {fault.block.x, fault.block.y, fault.block.z}, {fault.thread.x, fault.thread.y, fault.thread.z}};
    return 0;
}

// Waiting work is dropped, faults and the error that sticks are forgotten.
void xc2EmulatedReset() {
    const std::lock_guard guard(Runtime::instance().lock);
    Runtime::instance().reset();
}

// 0: done; 1: there is no such setting or value.
int xc2EmulatedConfigure(const char* name, const char* value) {
    const std::lock_guard guard(Runtime::instance().lock);
    return Configuration::instance().set(name, value) ? 0 : 1;
}

void xc2EmulatedPrint(int print) {
    const std::lock_guard guard(Runtime::instance().lock);
    fault_log().print(print != 0);
}

}
