#include "sim/inspect/provisioning_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "sim/crypto/key.h"
#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

using provisioning::Settings;

/// docs/flash-layout.md, "Provisioning".
struct Header {
  std::uint32_t magic;
  std::uint32_t format;
  std::uint32_t sequence;
  std::uint32_t body_size;
  std::array<std::uint8_t, provisioning::kNonceSize> nonce;
};
static_assert(sizeof(Header) == provisioning::kHeaderSize);

constexpr std::size_t kOverhead = provisioning::kHeaderSize + provisioning::kSealTagSize;

std::string problem_of(const Header& header) {
  if (header.magic != provisioning::kMagic) return "no blob begins here";
  if (header.format != provisioning::kFormat)
    return fmt::format("a blob of the unknown format {}", header.format);
  if (header.body_size > provisioning::kMaxBlobSize - kOverhead)
    return fmt::format("a blob that cannot be: its body has {} bytes", header.body_size);
  return {};
}

std::string mac_text(const std::array<std::uint8_t, 6>& mac) {
  return fmt::format("{:02x}", fmt::join(mac, ":"));
}

OpenedProvisioning describe(const Settings& settings, bool is_complete) {
  OpenedProvisioning opened{
      .is_complete = is_complete,
      .thing_name = printable(settings.thing_name),
      .endpoint = fmt::format("{}:{}", printable(settings.endpoint_host), settings.mqtt_port),
      .mac = mac_text(settings.mac),
      .keep_alive_seconds = settings.keep_alive_seconds,
      .self_test_ms = settings.self_test_ms,
      .request_wait_ms = settings.request_wait_ms,
      .has_device_key = !settings.device_key.empty(),
      .entropy_seed_bytes = settings.entropy_seed.size(),
      .transfer = settings.transfer};
  if (!settings.root_ca.empty()) opened.certificates.push_back(read_certificate("root CA", settings.root_ca));
  if (!settings.device_certificate.empty())
    opened.certificates.push_back(read_certificate("device", settings.device_certificate));
  for (std::size_t i = 0; i < settings.code_signer_count; ++i) {
    const provisioning::CodeSigner& signer = settings.code_signers[i];
    opened.certificates.push_back(
        read_certificate("code signer " + printable(signer.name), signer.certificate));
  }
  return opened;
}

void open(std::span<const std::uint8_t> partition, const DeviceKey& key, ProvisioningCopy& out) {
  const std::size_t size = std::min<std::size_t>(partition.size(), provisioning::kMaxBlobSize);
  std::vector<std::uint8_t> blob(partition.begin(), partition.begin() + static_cast<std::ptrdiff_t>(size));
  Settings settings;
  const provisioning::Status status = provisioning::parse(blob, key, settings);
  if (status == provisioning::Status::kOk || status == provisioning::Status::kIncomplete) {
    out.opened = describe(settings, status == provisioning::Status::kOk);
  } else {
    out.problem = "it does not open: it is torn, damaged or sealed with another device key";
  }
  std::ranges::fill(blob, std::uint8_t{0});  // it held the device's private key
}

}  // namespace

ProvisioningCopy read_provisioning(std::span<const std::uint8_t> partition,
                                   const std::optional<DeviceKey>& key) {
  ProvisioningCopy copy{.used_bytes = used_size(partition)};
  if (copy.used_bytes == 0) return copy;
  if (partition.size() < kOverhead) {
    copy.problem = "no blob begins here";
    return copy;
  }
  Header header;
  std::memcpy(&header, partition.data(), sizeof header);
  copy.problem = problem_of(header);
  if (!copy.problem.empty()) return copy;
  copy.sequence = header.sequence;
  copy.body_size = header.body_size;
  copy.nonce = crypto::hex(header.nonce);
  if (key) {
    open(partition, *key, copy);
  } else {
    copy.problem = "not opened: the device key is not at hand";
  }
  return copy;
}

}  // namespace otasim::inspect
