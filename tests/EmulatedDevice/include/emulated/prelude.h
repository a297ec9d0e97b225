// Included before every kernel source.
#pragma once
#include "emulated/language.h"
#include "emulated/intrinsics.h"
#include "emulated/arithmetic.h"
