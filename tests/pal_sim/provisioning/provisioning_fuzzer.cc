// Provisioning blobs, under a checksum that always holds.
//
// Input: the body's entries, behind a byte that says how many there are. Whatever they are, parsing stays
// within the blob, and what is taken is in range and is the same again after it was built anew.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "pal_sim/flash/crc32.h"
#include "pal_sim/provisioning/provisioning.h"
#include "pal_sim/provisioning/provisioning_builder.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace provisioning;
using otasim::testing::claim;

using Bytes = std::span<const std::uint8_t>;

void put(std::vector<std::uint8_t>& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::vector<std::uint8_t> sealed(Bytes body, std::uint8_t count) {
  std::vector<std::uint8_t> blob;
  put(blob, kMagic, 4);
  put(blob, kFormat, 2);
  put(blob, count, 2);
  put(blob, 1, 4);
  put(blob, static_cast<std::uint32_t>(body.size()), 4);
  blob.insert(blob.end(), body.begin(), body.end());
  put(blob, flash::crc32(blob), 4);
  return blob;
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
      .add(kTagEntropySeed, s.entropy_seed)
      .add_transfer(s.transfer);
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
  Settings raw;
  const std::vector<std::uint8_t> unsealed(data, data + size);
  static_cast<void>(parse(unsealed, raw));
  if (size == 0) return 0;

  const std::vector<std::uint8_t> blob = sealed(Bytes(data + 1, size - 1), data[0]);
  Settings settings;
  if (parse(blob, settings) != Status::kOk) return 0;
  check_ranges(settings, blob);
  const std::vector<std::uint8_t> again = builder_of(settings).build(1);
  if (again.empty()) return 0;  // with every default written out it no longer fits
  Settings reread;
  claim(parse(again, reread) == Status::kOk, "what was taken can be built");
  claim(are_equal(settings, reread), "and is the same then");
  return 0;
}
