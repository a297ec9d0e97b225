// setmaxnreg: registers that warps give to the block's pool and take from it.
#pragma once
#include <vector>
#include "execution/thread.h"

namespace emulation {

class Registers {
public:
    static Registers& instance();

    void begin_block(u32 warps);
    void give(Warp& warp, u32 count, emulated_site site);
    void take(Warp& warp, u32 count, emulated_site site);

private:
    void check(const Warp& warp, const char* name, u32 count, emulated_site site);
    static std::string describe(const Thread& thread);

    std::vector<u32> held;                      // by warp, of each thread
    std::vector<std::vector<u32>> history;      // by warp: what it asked for; all warps of a warpgroup ask for the same
    u32 pool = 0;                               // of whole warps
};

}
