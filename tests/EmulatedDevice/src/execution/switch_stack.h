// From one stack to another: what the System V ABI lets a callee keep is saved on the old stack.
#pragma once

extern "C" void emulated_switch_stack(void** save, void* load);
