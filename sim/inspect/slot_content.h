// What stands in a slot: nothing, bytes that are no image, or an image and whether it verifies, with whose
// key.
//
// A half-received image has a header that promises more than there is. How much of it has come nobody can
// tell from flash alone, for blocks may come in any order; pages that read erased inside what is used are
// counted, and are a good guess at those that have not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/image/image.h"
#include "sim/inspect/keys.h"

namespace otasim::inspect {

struct Tlv {
  std::uint16_t type = 0;
  std::uint16_t length = 0;
  bool is_protected = false;
};

struct SlotContent {
  std::uint32_t used_bytes = 0;  ///< up to the last byte that is not erased; 0: the slot is erased
  std::uint32_t erased_pages_inside = 0;
  bool first_sector_is_erased = false;  ///< as a commit leaves the old image; meaningful if something is used
  std::optional<image::Info> image = {};
  std::string problem = {};  ///< why it is no image
  std::vector<Tlv> tlvs = {};
  std::string signer = {};          ///< the key it verifies with; empty: none, or none was tried
  std::string verify_problem = {};  ///< why it does not verify
};

/// @param slot         the partition's bytes
/// @param sector_size  the part's
[[nodiscard]] SlotContent read_slot(std::span<const std::uint8_t> slot, std::uint32_t sector_size,
                                    const Keys& keys);

[[nodiscard]] std::string tlv_name(std::uint16_t type);

}  // namespace otasim::inspect
