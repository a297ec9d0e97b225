// SIGSEGV: a host that touches guarded memory, a kernel that touches what is not there (with the watch off), a stack that is full.
#include <csignal>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "driver/host_guard.h"
#include "execution/block.h"
#include "watch/address_space.h"

namespace emulation {

static struct sigaction previous;
static u64 crash_address;
static u64 crash_place;

// A stack for the last words of a fiber whose own may be full.
alignas(16) static u8 crash_stack[64 * 1024];

pthread_t executing_thread;

static void land() {
    Block& block = Block::instance();
    const bool full = block.in_stack_guard(crash_address);
    const std::string what = full ? "has used up its stack: too many or too large local arrays"
        : "touches " + AddressSpace::instance().describe(crash_address, 1);
    // The faulting instruction, not the one behind a call.
    block.stop(full ? FaultKind::stack_overflow : FaultKind::illegal_address, crash_address, what, (const void*)(crash_place + 1), nullptr);
}

static void forward(int signal, siginfo_t* information, void* context) {
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signal, information, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal);
    } else {
        std::signal(signal, SIG_DFL);
        raise(signal);
    }
}

static void on_violation(int signal, siginfo_t* information, void* context) {
    const u64 address = (u64)information->si_addr;
    auto& registers = ((ucontext_t*)context)->uc_mcontext.gregs;
    if (hot.current != nullptr && pthread_equal(pthread_self(), executing_thread)) {
        crash_address = address;
        crash_place = (u64)registers[REG_RIP];
        registers[REG_RSP] = (greg_t)((u64)crash_stack + sizeof crash_stack - 8);
        registers[REG_RIP] = (greg_t)(u64)&land;
        return;
    }
    if (!HostGuard::instance().caught(address))
        forward(signal, information, context);
}

void install_signal_handler() {
    static bool installed = false;
    if (installed)
        return;
    installed = true;
    struct sigaction action {};
    action.sa_sigaction = &on_violation;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous);
}

}
