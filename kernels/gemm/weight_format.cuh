// What the host says of the weights' format. WEIGHT_INT8: integers of 8 bits, a scale a row (int8_weights.cuh). WEIGHT_INT4: of 4 bits (int4_weights.cuh).
// WEIGHT_GROUP: columns that share a scale, and a zero point where WEIGHT_ZEROS is set. WEIGHT_ORDER: columns are in another order than the input's.
#pragma once

#ifndef WEIGHT_GROUP
#define WEIGHT_INT4 0
#define WEIGHT_GROUP 0
#define WEIGHT_ZEROS 0
#define WEIGHT_ORDER 0
#endif

static_assert(!(WEIGHT_INT8 && WEIGHT_INT4), "one format");
static_assert((WEIGHT_INT4 == 0 || WEIGHT_GROUP > 0) && (WEIGHT_GROUP == 0 || WEIGHT_INT8 || WEIGHT_INT4), "integers of 4 bits have groups, floating numbers none");
static_assert(WEIGHT_GROUP == 0 || (IN_FEATURES % 64 == 0 && OUT_FEATURES % 16 == 0), "whole units");
static_assert(WEIGHT_GROUP == 0 || WEIGHT_GROUP % 64 == 0 || (WEIGHT_INT4 && WEIGHT_GROUP == 32), "a unit's columns have one scale, or two");
