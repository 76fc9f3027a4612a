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
  // Not from the settings' seed: equal seeds are common, and a nonce must never come twice under one key.
  std::array<std::uint8_t, provisioning::kNonceSize> nonce{};
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1) {
    return fail(ExitCode::kInternal, "the system gives no random numbers");
  }
  std::vector<std::uint8_t> blob = builder.build(1, key, nonce);
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

}  // namespace otasim::lab
