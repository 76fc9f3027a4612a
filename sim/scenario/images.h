// The images of a scenario, made from what its file says of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"

namespace otasim::scenario {

using Bytes = std::vector<std::uint8_t>;

/// Makes one image. @param spec  checked against the scenario's table; the seed decides random bytes
/// @returns kUsage, saying why, if it cannot be made as asked for; kEnvironment if a build's file is missing
[[nodiscard]] Result<Bytes> make_image(const nlohmann::json& spec, const lab::Board& board,
                                       const lab::BuildProducts& products, std::uint64_t seed);

/// Makes all of them, by name. @returns the first error, naming the image
[[nodiscard]] Result<std::map<std::string, Bytes>> make_images(const nlohmann::json& specs,
                                                               const lab::Board& board,
                                                               const lab::BuildProducts& products,
                                                               std::uint64_t seed);

}  // namespace otasim::scenario
