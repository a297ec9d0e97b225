// cp.async: what is under way.
#pragma once
#include "execution/thread.h"

namespace emulation {

// A thread that returns leaves its copies behind; the words they would have written are nobody's.
void forget_copies(Thread& thread);

}
