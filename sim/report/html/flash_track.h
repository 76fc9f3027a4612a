// A device's flash over a run, as data for a page: which pages were programmed before, every operation, and
// what the partitions held whenever that changed.
//
// The page follows pages and wear itself, operation by operation. What bytes mean (boot records, images,
// fuses) is decoded here, at the operations after which it can be another:
//
//   {"part": {...}, "partitions": [[name, offset, size, purpose]...],
//    "before": [[first page, pages]...],                 programmed before the first operation
//    "operations": [[t_us, KIND, STATUS, SOURCE, offset, length, applied, sequence, text]...],
//    "kinds", "statuses", "sources": what these numbers are called,
//    "states": {"boot-control": [[operations done, {...}]...], "otp": ..., "slot-a": ...},
//    "cells": {...}}                                     wear at the end, of the part's whole life
//
// `text` is left out where offset and length say all. When operations were done, a RunStream says.
//
// What can go wrong: a run keeps no op log or not the flash before it (a matrix drops both of runs that
// passed); then there is {"problem": "..."}.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/inspect/keys.h"

namespace otasim::report::html {

/// Decoding a slot costs a hash over its image: after so many changes of a slot only its last state is told.
inline constexpr std::size_t kMostSlotStates = 64;

/// @param folder  the device's, with flash.ops, factory.bin and flash.faults
/// @param times   when each operation was done, by the events' clock
[[nodiscard]] nlohmann::json read_flash_track(const std::string& folder,
                                              const std::vector<std::int64_t>& times,
                                              const inspect::Keys& keys);

}  // namespace otasim::report::html
