// Lives of a device on the host, recorded: what the bootloader and the update service do to flash, without a
// cut. They are made by the code that the program was linked with, so a mutant's are a mutant's.
//
//   for (const sweep::Recording& recording : record_histories(rom)) ...
//
// Steps that the device's code refuses are left out, as an application would leave them: what comes of it is
// for the sweep to judge.
#pragma once

#include <vector>

#include "sim/crypto/key.h"
#include "sim/sweep/native_machine.h"
#include "sim/sweep/recording.h"

namespace otasim::mutants {

/// What the device's ROM holds, and the keys behind it. The oracle believes the first signer.
struct Rom {
  Rom();

  crypto::P256Key signer;
  crypto::P256Key spare_signer;
  crypto::P256Key stranger;  ///< not in ROM
  sweep::RomKeys keys;
};

inline constexpr std::uint32_t kLoadAddress = 0x0010'0000;
inline constexpr std::uint32_t kLoadSize = 0x4000;

/// Updates, in order:
///   update    two of them, one after the other, accepted and committed
///   rejected  one that does not accept itself, one that rejects itself, one that is accepted
///   resumed   one that power interrupts in its download, which then begins again
///   hostile   images that may not start, each put on record as verified by an application that lies
[[nodiscard]] std::vector<sweep::Recording> record_histories(const Rom& rom);
/// The first of them, and the second.
[[nodiscard]] sweep::Recording record_update(const Rom& rom);
[[nodiscard]] sweep::Recording record_rejected(const Rom& rom);

}  // namespace otasim::mutants
