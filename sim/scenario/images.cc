#include "sim/scenario/images.h"

#include <fmt/format.h>

#include <random>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/crypto/key.h"
#include "sim/image/elf.h"
#include "sim/image/image.h"
#include "sim/lab/board_fit.h"
#include "sim/lab/firmware.h"
#include "sim/lab/variants.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

Result<Bytes> from_hex(const std::string& text) {
  if (text.size() % 2 != 0 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is not hexadecimal", text), "Give two digits a byte.");
  }
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

void append_random(Bytes& payload, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < count; ++i) payload.push_back(static_cast<std::uint8_t>(random()));
}

Result<crypto::P256Key> signing_key(const std::string& signer, const lab::BuildProducts& products) {
  if (signer == "foreign") return crypto::P256Key::generate();
  if (signer != "spare") return crypto::P256Key::load_private(products.boot_signing_key);
  const auto path = lab::build_key(lab::kBootSpareKey);
  if (!path) return tl::unexpected(path.error());
  return crypto::P256Key::load_private(*path);
}

/// Everything of an image but its payload.
struct Envelope {
  image::SignOptions options;
  crypto::P256Key key;
};

Result<Envelope> envelope_of(const json& spec, const lab::Board& board, const lab::BuildProducts& products) {
  const auto version = image::parse_version(spec.value("version", ""));
  if (!version) {
    return fail(ExitCode::kUsage, version.error().message, "Give the image a 'version', or its 'bytes'.");
  }
  auto key = signing_key(spec.value("boot_signer", "boot"), products);
  if (!key) return tl::unexpected(key.error());
  const bool is_recovery = spec.value("kind", "application") == "recovery";
  return Envelope{{.version = *version,
                   .security_counter = spec.value("security_counter", 1U),
                   .load_address = board.load_address,
                   .kind = is_recovery ? boot::image::Kind::kRecovery : boot::image::Kind::kApplication},
                  std::move(*key)};
}

/// What a user gives is checked against the board; of the build's own programs that is known.
Result<Bytes> own_payload(const std::string& path, const lab::Board& board) {
  const auto elf = lab::read_input(path);
  if (!elf) return tl::unexpected(elf.error());
  return lab::application_payload(*elf, board);
}

/// A signed image as it is. Whether it is trusted is for the device to say.
Result<Bytes> own_image(const std::string& path) {
  auto image = lab::read_input(path);
  if (!image) return image;
  if (const auto checked = lab::check_firmware(*image); !checked) return tl::unexpected(checked.error());
  return image;
}

Result<Bytes> application_payload(const json& spec, const lab::Board& board,
                                  const lab::BuildProducts& products) {
  if (spec.contains("elf")) return own_payload(spec.at("elf"), board);
  const bool is_recovery = spec.value("kind", "application") == "recovery";
  std::string program = is_recovery ? products.recovery_elf : products.application_elf;
  if (spec.contains("variant")) {
    auto variant = lab::find_variant(spec.at("variant").get<std::string>(), board.name);
    if (!variant) return tl::unexpected(variant.error());
    program = std::move(*variant);
  }
  const auto elf = read_file(program);
  if (!elf) return tl::unexpected(elf.error());
  return image::payload_from_elf(*elf, board.load_address + boot::image::kDefaultHeaderSize,
                                 flash::kSlotSize - boot::image::kDefaultHeaderSize);
}

}  // namespace

Result<Bytes> make_image(const json& spec, const lab::Board& board, const lab::BuildProducts& products,
                         std::uint64_t seed) {
  if (spec.contains("bytes")) return from_hex(spec.at("bytes").get<std::string>());
  if (spec.contains("file")) return own_image(spec.at("file"));
  auto envelope = envelope_of(spec, board, products);
  if (!envelope) return tl::unexpected(envelope.error());
  auto payload = application_payload(spec, board, products);
  if (!payload) return payload;
  append_random(*payload, spec.value("extra_bytes", std::size_t{0}), seed);
  std::optional<crypto::P256Key> encryption_key;
  if (spec.value("encrypted", false)) {
    const auto path = lab::build_key(lab::kImageEncryptionKey);
    if (!path) return tl::unexpected(path.error());
    auto key = crypto::P256Key::load_private(*path);
    if (!key) return tl::unexpected(key.error());
    encryption_key = std::move(*key);
    envelope->options.encrypt_to = &*encryption_key;
  }
  auto image = spec.value("fills_slot", false)
                   ? image::sign_to_size(*payload, envelope->options, envelope->key, flash::kSlotSize)
                   : image::sign(*payload, envelope->options, envelope->key);
  if (!image || !spec.contains("damage")) return image;
  const std::size_t offset = spec.at("damage").at("offset");
  const std::size_t count = spec.at("damage").value("bytes", std::size_t{1});
  if (offset > image->size() || count > image->size() - offset) {
    return fail(ExitCode::kUsage,
                fmt::format("the damage is outside of the image of {} bytes", image->size()));
  }
  for (std::size_t i = 0; i < count; ++i)
    (*image)[offset + i] = static_cast<std::uint8_t>(~(*image)[offset + i]);
  return image;
}

Result<std::map<std::string, Bytes>> make_images(const json& specs, const lab::Board& board,
                                                 const lab::BuildProducts& products, std::uint64_t seed) {
  std::map<std::string, Bytes> images;
  for (const auto& [name, spec] : specs.items()) {
    auto image = make_image(spec, board, products, seed);
    if (!image) {
      Error error = image.error();
      error.message = fmt::format("cannot make the image '{}': {}", name, error.message);
      return tl::unexpected(std::move(error));
    }
    images[name] = std::move(*image);
  }
  return images;
}

}  // namespace otasim::scenario
