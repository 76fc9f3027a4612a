// Keys that are always the same ones, for images written down as bytes. They protect nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "agent/boot/image.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/key.h"

namespace boot_test::fixed {

/// Signs images; its private half was thrown away.
inline constexpr std::string_view kSignerPointHex =
    "0494c66f0b8d2a75e7c2b737f1cc9453f88a73f87047ab181fb8483c839c7c8a0cb26351dbbdf4642a5b521f0a2d49ac"
    "1eedd2f5b1e0f898c89d00d7447c2da9a4";
inline constexpr std::string_view kSignerHashHex =
    "41b921378b0cb58fcb210ceb17da471eb162ecb69fdde5b979b193d73ca4b6ea";
inline constexpr std::string_view kSignerPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAElMZvC40qdefCtzfxzJRT+Ipz+HBH\n"
    "qxgfuEg8g5x8igyyY1HbvfRkKltSHwotSawe7dL1seD4mMidANdEfC2ppA==\n"
    "-----END PUBLIC KEY-----\n";
/// Opens encrypted images.
inline constexpr std::string_view kDeviceScalarHex =
    "bd1ee475fd775dd5d9bff4c047d6cd377377cc8f6955be1adbe375cd177423c4";
inline constexpr std::string_view kDevicePem =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIL0e5HX9d13V2b/0wEfWzTdzd8yPaVW+Gtvjdc0XdCPEoAoGCCqGSM49\n"
    "AwEHoUQDQgAEGUVzvzv+CqsYiylDFVZvTCWZWihUdqmigXrx1FHVjdB+X9CGOtXu\n"
    "vEytqJJpyQnIcm0J7GBvdOsjDxx1L0DoQQ==\n"
    "-----END EC PRIVATE KEY-----\n";

inline std::vector<std::uint8_t> from_hex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return out;
}

template <std::size_t kSize>
std::array<std::uint8_t, kSize> array_of(std::string_view hex) {
  std::array<std::uint8_t, kSize> out{};
  const auto bytes = from_hex(hex);
  std::copy_n(bytes.begin(), kSize, out.begin());
  return out;
}

inline boot::image::PublicKey signer() {
  static const auto point = array_of<65>(kSignerPointHex);
  static const auto hash = array_of<32>(kSignerHashHex);
  return {point, hash};
}

/// The same key for the host's tools.
inline otasim::crypto::P256Key host_key(std::string_view pem) {
  const auto folder = otasim::TempDir::create();
  if (!folder) throw std::runtime_error(folder.error().message);
  std::ofstream(folder->file("key.pem")) << pem;
  auto key = otasim::crypto::P256Key::load_any(folder->file("key.pem"));
  if (!key) throw std::runtime_error(key.error().message);
  return std::move(*key);
}

}  // namespace boot_test::fixed
