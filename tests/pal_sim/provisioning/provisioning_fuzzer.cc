// Provisioning blobs: what is not authentic, and what a sealed body holds.
//
// Input: a byte of bits to damage, two bytes (little-endian) that say where in the sealed blob, and the
// body's entries. The raw input is no blob; the sealed body with any bit damaged is none either. The sealed
// body as it is parses as the body does: parsing stays within, what is taken is in range and is the same
// again after it was built anew.
//
// A corpus file is such an input, written by hand: `printf '\1\20\0' >FILE; printf '\1\0\4\0lamp...' >>FILE`
// flips the lowest bit of the nonce's first byte, and then names the thing.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "pal_sim/provisioning/provisioning.h"
#include "pal_sim/provisioning/provisioning_builder.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace provisioning;
using otasim::testing::claim;

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kDamageSize = 3;

constexpr std::array<std::uint8_t, kDeviceKeySize> kKey{0x5E, 0xA1};
constexpr std::array<std::uint8_t, kNonceSize> kNonce{0x01, 0x02};

void put(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::vector<std::uint8_t> sealed(Bytes body) {
  std::vector<std::uint8_t> blob;
  put(blob, kMagic);
  put(blob, kFormat);
  put(blob, 1);
  put(blob, static_cast<std::uint32_t>(body.size()));
  blob.insert(blob.end(), kNonce.begin(), kNonce.end());
  blob.insert(blob.end(), body.begin(), body.end());
  std::array<std::uint8_t, kSealTagSize> tag{};
  const std::span<std::uint8_t> bytes(blob);
  claim(seal(kKey, kNonce, bytes.first(kHeaderSize), bytes.subspan(kHeaderSize), tag),
        "a body can be sealed");
  blob.insert(blob.end(), tag.begin(), tag.end());
  return blob;
}

void check_damaged(std::vector<std::uint8_t> blob, Bytes damage) {
  const std::size_t at = static_cast<std::size_t>(damage[1] | damage[2] << 8) % blob.size();
  blob[at] = static_cast<std::uint8_t>(blob[at] ^ damage[0]);
  Settings settings;
  claim(damage[0] == 0 || parse(blob, kKey, settings) == Status::kNotFound, "a damaged blob is no blob");
}

bool lies_within(const void* data, std::size_t size, const std::vector<std::uint8_t>& blob) {
  const auto* const at = static_cast<const std::uint8_t*>(data);
  return size == 0 || (at >= blob.data() && at + size <= blob.data() + blob.size());
}

void check_ranges(const Settings& s, const std::vector<std::uint8_t>& blob) {
  claim(!s.thing_name.empty() && s.thing_name.size() <= kMaxThingName, "the thing has a name");
  claim(!s.endpoint_host.empty() && s.endpoint_host.size() <= kMaxHostName, "the endpoint has a name");
  for (const std::string_view text : {s.thing_name, s.endpoint_host}) {
    claim(std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; }), "names are printable");
    claim(lies_within(text.data(), text.size(), blob), "names lie within the blob");
  }
  for (const Bytes part : {s.root_ca, s.device_certificate, s.device_key, s.entropy_seed}) {
    claim(lies_within(part.data(), part.size(), blob), "values lie within the blob");
  }
  claim(s.self_test_ms >= kMinSelfTestMs && s.request_wait_ms >= kMinRequestWaitMs, "timers can be kept");
  claim(s.entropy_seed.empty() ||
            (s.entropy_seed.size() >= kMinEntropySeed && s.entropy_seed.size() <= kMaxEntropySeed),
        "a seed has enough bytes and not too many");
  const TransferSettings& t = s.transfer;
  claim(!t.block_size || (std::has_single_bit(*t.block_size) && *t.block_size >= kMinBlockSize &&
                          *t.block_size <= kMaxBlockSize),
        "a block is a power of two within limits");
  claim(t.blocks_per_request != 0 && t.blocks_per_request.value_or(1) <= kMaxBlocksPerRequest,
        "blocks per request are within limits");
  claim(t.blocks_in_flight != 0 && t.blocks_in_flight.value_or(1) <= kMaxBlocksInFlight,
        "blocks in flight are within limits");
  claim(!t.protocols ||
            (std::has_single_bit(t.protocols->primary) &&
             (t.protocols->enabled & t.protocols->primary) != 0 && t.protocols->enabled <= kAllProtocols),
        "the primary protocol is one that is enabled");
  claim(t.max_request_momentum != 0U && t.status_frequency != 0U, "counts begin at one");
}

Builder builder_of(const Settings& s) {
  Builder builder;
  builder.add_text(kTagThingName, s.thing_name)
      .add_text(kTagEndpointHost, s.endpoint_host)
      .add_u16(kTagMqttPort, s.mqtt_port)
      .add_u16(kTagKeepAliveSeconds, s.keep_alive_seconds)
      .add(kTagMacAddress, s.mac)
      .add(kTagRootCa, s.root_ca)
      .add(kTagDeviceCertificate, s.device_certificate)
      .add(kTagDeviceKey, s.device_key)
      .add_u32(kTagSelfTestMs, s.self_test_ms)
      .add_u32(kTagRequestWaitMs, s.request_wait_ms)
      .add_transfer(s.transfer);
  if (!s.entropy_seed.empty()) builder.add(kTagEntropySeed, s.entropy_seed);
  for (std::size_t i = 0; i < s.code_signer_count; ++i) {
    builder.add_code_signer(s.code_signers[i].name, s.code_signers[i].certificate);
  }
  return builder;
}

bool are_equal(const Settings& a, const Settings& b) {
  return a.thing_name == b.thing_name && a.endpoint_host == b.endpoint_host && a.mqtt_port == b.mqtt_port &&
         a.keep_alive_seconds == b.keep_alive_seconds && a.mac == b.mac &&
         std::ranges::equal(a.root_ca, b.root_ca) &&
         std::ranges::equal(a.device_certificate, b.device_certificate) &&
         std::ranges::equal(a.device_key, b.device_key) &&
         std::ranges::equal(a.entropy_seed, b.entropy_seed) && a.self_test_ms == b.self_test_ms &&
         a.request_wait_ms == b.request_wait_ms && a.code_signer_count == b.code_signer_count &&
         a.transfer == b.transfer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Settings settings;
  std::vector<std::uint8_t> raw(data, data + size);
  claim(parse(raw, kKey, settings) == Status::kNotFound, "nobody can write a blob without the key");
  if (size < kDamageSize) return 0;

  const Bytes body(data + kDamageSize, size - kDamageSize);
  const Status from_body = parse_body(body, settings);
  std::vector<std::uint8_t> blob = sealed(body);
  check_damaged(blob, Bytes(data, kDamageSize));
  claim(parse(blob, kKey, settings) == from_body, "a sealed body is what it is unsealed");
  if (from_body != Status::kOk) return 0;
  check_ranges(settings, blob);
  std::vector<std::uint8_t> again = builder_of(settings).build(1, kKey, kNonce);
  if (again.empty()) return 0;  // with every default written out it no longer fits
  Settings reread;
  claim(parse(again, kKey, reread) == Status::kOk, "what was taken can be built");
  claim(are_equal(settings, reread), "and is the same then");
  return 0;
}
