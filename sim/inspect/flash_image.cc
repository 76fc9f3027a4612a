#include "sim/inspect/flash_image.h"

#include <fmt/format.h>

#include "pal_sim/flash/window.h"
#include "sim/base/file_io.h"

namespace otasim::inspect {
namespace {

using namespace flash::controller;  // NOLINT(google-build-using-namespace): the registers' names

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(
      ExitCode::kUsage, fmt::format("'{}' is not a flash file of this layout: {}", path, why),
      "A device's flash file is flash.bin in its folder; docs/flash-layout.md says what stands in it.");
}

/// Which of the registers that tell the kind of part is not as any part's is.
std::string what_is_foreign(flash::ConstWindow window) {
  const auto reg = [window](std::uint32_t name) { return flash::read_register(window, name); };
  if (reg(kRegId) != kId)
    return fmt::format("its identification is {:#010x}, not {:#010x}", reg(kRegId), kId);
  if (reg(kRegVersion) != kVersion)
    return fmt::format("its layout has version {}, not {}", reg(kRegVersion), kVersion);
  return fmt::format(
      "no board has a part with an array of {:#x} bytes, sectors of {:#x}, pages of {} and features {:#x}",
      reg(kRegArraySize), reg(kRegSectorSize), reg(kRegPageSize), reg(kRegFeatures));
}

}  // namespace

Result<FlashImage> read_flash_file(const std::string& path) {
  auto bytes = read_regular_file(path, flash::kWindowSize);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->size() != flash::kWindowSize)
    return refuse(path, fmt::format("it has {} bytes, not {}", bytes->size(), flash::kWindowSize));
  const auto part = flash::part_of(*bytes);
  if (!part) return refuse(path, what_is_foreign(*bytes));
  return FlashImage{std::move(*bytes), *part};
}

std::string part_name(const flash::Geometry& part) {
  return part == flash::kSpiNorPart ? "SPI NOR" : "controller";
}

}  // namespace otasim::inspect
