#include "sim/lab/factory.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <random>

#include "pal_sim/entropy/nv_seed.h"
#include "pal_sim/flash/flash_map.h"
#include "pal_sim/flash/window.h"
#include "pal_sim/provisioning/provisioning_builder.h"

namespace otasim::lab {
namespace {

using NonceBytes = std::array<std::uint8_t, provisioning::kNonceSize>;

/// Not from a seed: equal seeds are common, and a nonce must never come twice under one key.
Result<NonceBytes> fresh_nonce() {
  NonceBytes nonce{};
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) == 1) return nonce;
  return fail(ExitCode::kInternal, "the system gives no random numbers");
}

}  // namespace

Result<std::vector<std::uint8_t>> provisioning_blob(const Lab& lab, const Identity& device,
                                                    const DeviceSettings& settings, const DeviceKey& key) {
  constexpr std::size_t kSeedSize = 48;
  std::mt19937_64 random(settings.seed);
  std::vector<std::uint8_t> seed(kSeedSize);
  for (std::uint8_t& byte : seed) byte = static_cast<std::uint8_t>(random());

  provisioning::Builder builder;
  builder.add_text(provisioning::kTagThingName, settings.thing_name)
      .add_text(provisioning::kTagEndpointHost, settings.endpoint_host)
      .add_u16(provisioning::kTagMqttPort, settings.mqtt_port)
      .add_u16(provisioning::kTagKeepAliveSeconds, settings.keep_alive_seconds)
      .add(provisioning::kTagMacAddress, settings.mac)
      .add(provisioning::kTagRootCa, lab.authority().certificate.der())
      .add(provisioning::kTagDeviceCertificate, device.certificate.der())
      .add(provisioning::kTagDeviceKey, device.key.private_der())
      .add_code_signer(kCodeSignerName, lab.code_signer().certificate.der())
      .add_u32(provisioning::kTagSelfTestMs, settings.self_test_ms)
      .add_u32(provisioning::kTagRequestWaitMs, settings.request_wait_ms)
      .add(provisioning::kTagEntropySeed, seed)
      .add_transfer(settings.transfer);
  for (const NamedCertificate& signer : settings.more_code_signers) {
    builder.add_code_signer(signer.name, signer.der);
  }
  provisioning::Settings check;
  if (const provisioning::Status status = provisioning::parse_body(builder.body(), check);
      status != provisioning::Status::kOk) {
    return fail(
        ExitCode::kUsage,
        fmt::format("the settings of '{}' cannot be provisioned: {}", settings.thing_name, to_string(status)),
        "Thing names are 1 to 64 printable characters without blanks, host names 1 to 128.");
  }
  const auto nonce = fresh_nonce();
  if (!nonce) return tl::unexpected(nonce.error());
  std::vector<std::uint8_t> blob = builder.build(1, key, *nonce);
  if (blob.empty()) {
    return fail(ExitCode::kUsage, fmt::format("the settings of '{}' do not fit {} bytes of provisioning",
                                              settings.thing_name, provisioning::kMaxBlobSize));
  }
  return blob;
}

namespace {

/// Every bit of it depends on `seed`; equal seeds make equal devices, as with a part that has a source.
entropy::Seed first_seed(std::uint64_t seed) {
  constexpr std::uint64_t kSeedDomain = 0x6E76'7365'6564'0001;  // apart from what is provisioned
  std::mt19937_64 random(seed ^ kSeedDomain);
  entropy::Seed result;
  std::ranges::generate(result, [&random] { return static_cast<std::uint8_t>(random()); });
  return result;
}

void write_first_seed(std::span<std::uint8_t> window, std::uint64_t seed) {
  const entropy::SeedPage page = entropy::seed_page(1, first_seed(seed));
  for (std::uint32_t copy = 0; copy < entropy::kSeedCopies; ++copy)
    std::ranges::copy(page, window.begin() + flash::kSeed0.offset + copy * flash::kPageSize);
}

}  // namespace

Result<void> check_fits_slot(std::size_t size) {
  if (size <= flash::kSlotSize) return {};
  return fail(ExitCode::kUsage,
              fmt::format("the image has {} bytes, and a slot holds {}", size, flash::kSlotSize),
              "Build a smaller application; docs/flash-layout.md shows the slots.");
}

Result<void> equip(std::span<std::uint8_t> window, std::span<const std::uint8_t> provisioning,
                   const FactoryImages& images, std::uint64_t seed) {
  static_assert(flash::kRecovery.size == flash::kSlotSize);
  for (const auto& image : {images.application, images.recovery}) {
    if (auto fits = check_fits_slot(image.size()); !fits) return fits;
  }
  if (window.size() != flash::kWindowSize || provisioning.size() > flash::kProvisioning0.size) {
    return fail(ExitCode::kInternal, "the flash window or the provisioning has a wrong size");
  }
  std::copy(provisioning.begin(), provisioning.end(), window.begin() + flash::kProvisioning0.offset);
  std::copy(provisioning.begin(), provisioning.end(), window.begin() + flash::kProvisioning1.offset);
  std::ranges::copy(images.application, window.begin() + flash::kSlotA.offset);
  std::ranges::copy(images.recovery, window.begin() + flash::kRecovery.offset);
  const auto part = flash::part_of(window);
  if (part && !part->has_entropy) write_first_seed(window, seed);
  return {};
}

namespace {

std::uint32_t u32_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{bytes[at + i]} << (8 * i);
  return value;
}

/// The value of an entry in a body in clear; empty if there is none.
std::span<std::uint8_t> entry(std::span<std::uint8_t> body, provisioning::Tag wanted) {
  constexpr std::size_t kHead = 4;
  while (body.size() >= kHead) {
    const auto tag = static_cast<unsigned>(body[0] | body[1] << 8);
    const auto length = static_cast<std::size_t>(body[2] | body[3] << 8);
    if (length > body.size() - kHead) return {};
    if (tag == wanted) return body.subspan(kHead, length);
    body = body.subspan(kHead + length);
  }
  return {};
}

Result<void> provision_port_in(std::span<std::uint8_t> copy, std::uint16_t mqtt_port, const DeviceKey& key) {
  using provisioning::kHeaderSize;
  using provisioning::kNonceSize;
  using provisioning::kSealTagSize;
  const auto unknown =
      fail(ExitCode::kUsage, "the device's provisioning does not open with this build's device key");
  const std::uint32_t size = u32_at(copy, 12);
  if (u32_at(copy, 0) != provisioning::kMagic ||
      size > provisioning::kMaxBlobSize - kHeaderSize - kSealTagSize)
    return unknown;
  const auto header = copy.first(kHeaderSize);
  const auto nonce = header.last<kNonceSize>();
  const auto body = copy.subspan(kHeaderSize, size);
  const auto tag = copy.subspan(kHeaderSize + size).first<kSealTagSize>();
  if (!provisioning::unseal(key, nonce, header, body, tag)) return unknown;
  const auto port = entry(body, provisioning::kTagMqttPort);
  if (port.size() != 2) return unknown;
  port[0] = static_cast<std::uint8_t>(mqtt_port);
  port[1] = static_cast<std::uint8_t>(mqtt_port >> 8);
  const auto fresh = fresh_nonce();
  if (!fresh) return tl::unexpected(fresh.error());
  std::ranges::copy(*fresh, nonce.begin());
  if (!provisioning::seal(key, nonce, header, body, tag))
    return fail(ExitCode::kInternal, "provisioning cannot be sealed");
  return {};
}

}  // namespace

Result<void> provision_port(std::span<std::uint8_t> window, std::uint16_t mqtt_port, const DeviceKey& key) {
  for (const flash::Partition* copy : {&flash::kProvisioning0, &flash::kProvisioning1}) {
    auto done = provision_port_in(window.subspan(copy->offset, copy->size), mqtt_port, key);
    if (!done) return done;
  }
  return {};
}

}  // namespace otasim::lab
