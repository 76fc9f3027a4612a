#include "sim/cli/image_commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/crypto/key.h"
#include "sim/image/image.h"
#include "sim/lab/board_fit.h"
#include "sim/lab/build_products.h"
#include "sim/lab/factory.h"

namespace otasim::cli {
namespace {

/// The key a user named, else the build's `standard` one.
Result<std::string> key_path(const std::string& given, const char* standard) {
  if (!given.empty()) return given;
  return lab::build_key(standard);
}

Result<crypto::P256Key> private_key(const std::string& given, const char* standard) {
  const Result<std::string> path = key_path(given, standard);
  if (!path) return tl::unexpected(path.error());
  return crypto::P256Key::load_private(*path);
}

/// A user's input file: what cannot be read is a wrong command line, not a broken machine.
Result<std::vector<std::uint8_t>> read_input(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) bytes.error().code = ExitCode::kUsage;
  return bytes;
}

nlohmann::json numbers_of(std::uint32_t bits) {
  nlohmann::json numbers = nlohmann::json::array();
  for (std::uint32_t number = 0; number < 32; ++number) {
    if ((bits & (1U << number)) != 0) numbers.push_back(number);
  }
  return numbers;
}

nlohmann::json describe(const image::Info& info) {
  const auto hex_or_null = [](const std::optional<crypto::Bytes>& bytes) {
    return bytes ? nlohmann::json(crypto::hex(*bytes)) : nlohmann::json(nullptr);
  };
  return {{"version", image::to_string(info.version)},
          {"security_counter",
           info.security_counter ? nlohmann::json(*info.security_counter) : nlohmann::json(nullptr)},
          {"load_address", fmt::format("{:#010x}", info.load_address)},
          {"header_bytes", info.header_size},
          {"payload_bytes", info.payload_size},
          {"image_bytes", info.total_size},
          {"flags", fmt::format("{:#x}", info.flags)},
          {"kind", info.kind.value_or(0) == 0 ? "application" : (info.kind == 1U ? "recovery" : "unknown")},
          {"encrypted", info.is_encrypted()},
          {"revoked_keys", numbers_of(info.revoked_keys.value_or(0))},
          {"sha256", hex_or_null(info.sha256)},
          {"key_hash", hex_or_null(info.key_hash)}};
}

void print(const nlohmann::json& description, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", description.dump());
    return;
  }
  for (const auto& [key, value] : description.items()) {
    fmt::print("{:<17} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

Result<std::vector<std::uint8_t>> payload_of(const ImageSignOptions& options) {
  auto bytes = read_input(options.elf.empty() ? options.bin : options.elf);
  if (!bytes) return bytes;
  if (!options.elf.empty()) return lab::application_payload(*bytes, *lab::find_board(options.board));
  if (bytes->empty()) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is empty", options.bin),
                "Give the application's raw bytes.");
  }
  return bytes;
}

}  // namespace

Result<void> image_sign(const ImageSignOptions& options) {
  const Result<image::Version> version = image::parse_version(options.version);
  if (!version) return tl::unexpected(version.error());
  const auto key = private_key(options.key, lab::kBootSigningKey);
  if (!key) return tl::unexpected(key.error());
  const auto payload = payload_of(options);
  if (!payload) return tl::unexpected(payload.error());
  std::optional<crypto::P256Key> encryption_key;
  if (options.encrypt) {
    const Result<std::string> path = key_path(options.encryption_key, lab::kImageEncryptionKey);
    if (!path) return tl::unexpected(path.error());
    auto loaded = crypto::P256Key::load_any(*path);
    if (!loaded) return tl::unexpected(loaded.error());
    encryption_key = std::move(*loaded);
  }
  std::uint32_t revoked = 0;
  for (const std::uint32_t number : options.revoked_keys) revoked |= 1U << number;
  const auto signed_image = image::sign(
      *payload,
      {.version = *version,
       .security_counter = options.security_counter,
       .load_address = lab::find_board(options.board)->load_address,
       .kind = options.is_recovery ? boot::image::Kind::kRecovery : boot::image::Kind::kApplication,
       .revoked_keys = revoked,
       .encrypt_to = encryption_key ? &*encryption_key : nullptr},
      *key);
  if (!signed_image) return tl::unexpected(signed_image.error());
  if (auto fits = lab::check_fits_slot(signed_image->size()); !fits) return fits;
  if (auto written = write_file_atomic(options.out, *signed_image); !written) return written;
  const auto info = image::parse(*signed_image);
  if (!info) return tl::unexpected(info.error());
  print(describe(*info), options.json);
  return {};
}

Result<void> image_info(const ImageReadOptions& options) {
  const auto bytes = read_input(options.file);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto info = image::parse(*bytes);
  if (!info) return tl::unexpected(info.error());
  print(describe(*info), options.json);
  return {};
}

Result<void> image_verify(const ImageReadOptions& options) {
  const auto bytes = read_input(options.file);
  if (!bytes) return tl::unexpected(bytes.error());
  const Result<std::string> path = key_path(options.key, lab::kBootSigningKey);
  if (!path) return tl::unexpected(path.error());
  const Result<crypto::P256Key> key = crypto::P256Key::load_any(*path);
  if (!key) return tl::unexpected(key.error());
  const auto parsed = image::parse(*bytes);
  if (!parsed) return tl::unexpected(parsed.error());
  std::optional<crypto::P256Key> decryption_key;
  if (parsed->is_encrypted()) {
    auto loaded = private_key(options.decryption_key, lab::kImageEncryptionKey);
    if (!loaded) return tl::unexpected(loaded.error());
    decryption_key = std::move(*loaded);
  }
  const auto info = image::verify(*bytes, *key, decryption_key ? &*decryption_key : nullptr);
  if (!info) return tl::unexpected(info.error());
  nlohmann::json description = describe(*info);
  description["verified"] = true;
  print(description, options.json);
  return {};
}

}  // namespace otasim::cli
