// What a device's flash holds, read by somebody else: raw bytes, OpenSSL and the host's image parser.
//
// Tests hold the bootloader's decisions against it. It shares the formats' constants with the device and no
// code: the journal, the OTP bank and the slots are read here a second time, from the window. Answers are
// those of this moment; marginal bits read until the next power-on as they do now.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "agent/boot/boot_info.h"
#include "pal_sim/flash/window.h"
#include "sim/crypto/key.h"
#include "sim/image/image.h"
#include "tests/agent/boot/image_builder.h"

namespace boot_test {

using Digest = std::array<std::uint8_t, 32>;

/// The same key for the host's tools.
[[nodiscard]] otasim::crypto::P256Key host_key(const SigningKey& key);

/// What the record in force says.
struct JournalEntry {
  std::uint32_t sequence = 0;
  boot::Slot committed_slot = boot::Slot::kNone;
  boot::Slot staged_slot = boot::Slot::kNone;
  std::uint8_t staged_state = 0;  ///< a boot::StagedState
  std::uint8_t attempts = 0;
  std::uint32_t committed_counter = 0;
  Digest committed_digest{};
  std::uint32_t staged_counter = 0;
  Digest staged_digest{};

  /// Equal but for its place in the journal.
  [[nodiscard]] bool is_same_state(JournalEntry other) const {
    other.sequence = sequence;
    return *this == other;
  }
  bool operator==(const JournalEntry&) const = default;
};

/// An image in a slot that was made for this device, whoever may start it.
struct GenuineImage {
  std::uint32_t signer;
  std::uint32_t counter;
  std::uint32_t kind;  ///< a boot::image::Kind
  std::uint32_t revoked_keys;
  Digest digest;
  Bytes plain;  ///< as it must stand in load memory
};

class Oracle {
 public:
  /// @param window       the part, outliving the oracle
  /// @param signers      those in ROM, in the order of their numbers
  /// @param load_memory  bytes an image may have
  Oracle(flash::ConstWindow window, const std::vector<const SigningKey*>& signers,
         const SigningKey& recipient, std::uint32_t load_memory);

  /// @returns nothing if no record is valid
  [[nodiscard]] std::optional<JournalEntry> journal() const;
  [[nodiscard]] std::uint32_t floor(boot::image::Kind kind) const;
  /// Bit n: signer n.
  [[nodiscard]] std::uint32_t revoked() const;
  /// The image that may start from `slot`: it verifies, its signer is not revoked, it is of the slot's kind
  /// and not below the floor. Null if there is none; valid until the oracle goes.
  [[nodiscard]] const GenuineImage* startable(boot::Slot slot) const;

 private:
  [[nodiscard]] const std::optional<GenuineImage>& genuine(boot::Slot slot) const;
  [[nodiscard]] std::optional<GenuineImage> verify(std::span<const std::uint8_t> bytes) const;

  flash::ConstWindow window_;
  std::vector<otasim::crypto::P256Key> signers_;
  otasim::crypto::P256Key recipient_;
  std::uint32_t load_memory_;
  mutable std::map<Bytes, std::optional<GenuineImage>> verified_;  ///< by the bytes' hash
};

}  // namespace boot_test
