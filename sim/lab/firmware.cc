#include "sim/lab/firmware.h"

#include "sim/base/file_io.h"
#include "sim/crypto/key.h"
#include "sim/image/image.h"
#include "sim/lab/board_fit.h"
#include "sim/lab/factory.h"
#include "sim/lab/variants.h"

namespace otasim::lab {
namespace {

using Bytes = std::vector<std::uint8_t>;

Result<std::string> elf_of(const FirmwareSource& source, const Board& board, const BuildProducts& products) {
  if (!source.elf.empty()) return source.elf;
  if (source.variant.empty()) return products.application_elf;
  return find_variant(source.variant, board.name);
}

Result<Bytes> sign_application(const FirmwareSource& source, const Board& board,
                               const BuildProducts& products) {
  const auto version = image::parse_version(source.version);
  if (!version) return tl::unexpected(version.error());
  const auto path = elf_of(source, board, products);
  if (!path) return tl::unexpected(path.error());
  const auto elf = read_input(*path);
  if (!elf) return tl::unexpected(elf.error());
  const auto payload = application_payload(*elf, board);
  if (!payload) return tl::unexpected(payload.error());
  const auto key = crypto::P256Key::load_private(products.boot_signing_key);
  if (!key) return tl::unexpected(key.error());
  const image::SignOptions options{.version = *version,
                                   .security_counter = source.security_counter,
                                   .load_address = board.load_address,
                                   .kind = source.kind};
  if (source.total_bytes == 0) return image::sign(*payload, options, *key);
  return image::sign_to_size(*payload, options, *key, source.total_bytes);
}

}  // namespace

Result<Bytes> read_input(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) bytes.error().code = ExitCode::kUsage;
  return bytes;
}

Result<Bytes> make_firmware(const FirmwareSource& source, const Board& board, const BuildProducts& products) {
  auto bytes = source.image.empty() ? sign_application(source, board, products) : read_input(source.image);
  if (!bytes) return bytes;
  if (const auto checked = check_firmware(*bytes); !checked) return tl::unexpected(checked.error());
  return bytes;
}

Result<Bytes> make_recovery_image(const Board& board, const BuildProducts& products) {
  auto bytes = make_firmware(
      {.elf = products.recovery_elf, .version = kRecoveryVersion, .kind = boot::image::Kind::kRecovery},
      board, products);
  // The user gave none of this.
  if (!bytes) bytes.error().code = ExitCode::kEnvironment;
  return bytes;
}

Bytes make_no_image(std::size_t size) {
  constexpr std::uint8_t kAnything = 0x42;
  return Bytes(size, kAnything);
}

Result<std::string> check_firmware(std::span<const std::uint8_t> image) {
  const auto info = image::parse(image);
  if (!info) return tl::unexpected(info.error());
  if (auto fits = check_fits_slot(image.size()); !fits) return tl::unexpected(fits.error());
  return image::to_string(info->version);
}

}  // namespace otasim::lab
