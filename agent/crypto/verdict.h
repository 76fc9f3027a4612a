// A yes or no that decides what runs.
//
// The two values differ in 30 of 32 bits and neither is what a register or memory holds by chance: not zero,
// not all ones, not a small number. So a flipped bit, a skipped store or a return value forced to 1 is no
// yes. Compare with
// `== Verdict::kYes`: whatever is neither counts as no.
#pragma once

#include <cstdint>

namespace crypto {

enum class Verdict : std::uint32_t { kNo = 0x5AC3'96A6, kYes = 0xA53C'6A59 };

}  // namespace crypto
