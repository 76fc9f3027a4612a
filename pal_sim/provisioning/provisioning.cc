#include "pal_sim/provisioning/provisioning.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "pal_sim/flash/flash_map.h"

namespace provisioning {
namespace {

// Where the header's fields stand.
constexpr std::size_t kFormatAt = 4;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kBodySizeAt = 12;
constexpr std::size_t kNonceAt = 16;
static_assert(kNonceAt + kNonceSize == kHeaderSize);

constexpr std::uint32_t kEntryHeaderSize = 4;

std::uint16_t u16_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] | (bytes[at + 1] << 8));
}

std::uint32_t u32_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(u16_at(bytes, at)) |
         (static_cast<std::uint32_t>(u16_at(bytes, at + 2)) << 16);
}

std::string_view text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Text goes into topics, host names and logs: printable ASCII only.
bool is_printable(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t c) { return c > 0x20 && c < 0x7F; });
}

bool take_text(std::span<const std::uint8_t> value, std::size_t max_size, std::string_view& out) {
  if (value.empty() || value.size() > max_size || !is_printable(value)) return false;
  out = text(value);
  return true;
}

bool take_u16(std::span<const std::uint8_t> value, std::uint16_t& out) {
  if (value.size() != 2) return false;
  out = u16_at(value, 0);
  return true;
}

bool take_u32(std::span<const std::uint8_t> value, std::uint32_t& out) {
  if (value.size() != 4) return false;
  out = u32_at(value, 0);
  return true;
}

bool take_time(std::span<const std::uint8_t> value, std::uint32_t least_ms, std::uint32_t& out) {
  std::uint32_t time_ms = 0;
  if (!take_u32(value, time_ms) || time_ms < least_ms) return false;
  out = time_ms;
  return true;
}

bool take_entropy_seed(std::span<const std::uint8_t> value, std::span<const std::uint8_t>& out) {
  if (value.size() < kMinEntropySeed || value.size() > kMaxEntropySeed) return false;
  out = value;
  return true;
}

bool take_code_signer(std::span<const std::uint8_t> value, Settings& out) {
  if (out.code_signer_count == kMaxCodeSigners || value.empty()) return false;
  const std::size_t name_size = value[0];
  if (name_size == 0 || value.size() <= 1 + name_size) return false;
  const auto name = value.subspan(1, name_size);
  if (!is_printable(name)) return false;
  out.code_signers[out.code_signer_count++] = {text(name), value.subspan(1 + name_size)};
  return true;
}

bool take_block_size(std::span<const std::uint8_t> value, std::optional<std::uint32_t>& out) {
  std::uint32_t size = 0;
  if (!take_u32(value, size) || !std::has_single_bit(size)) return false;
  if (size < kMinBlockSize || size > kMaxBlockSize) return false;
  out = size;
  return true;
}

bool take_block_count(std::span<const std::uint8_t> value, std::uint16_t most,
                      std::optional<std::uint16_t>& out) {
  std::uint16_t count = 0;
  if (!take_u16(value, count) || count == 0 || count > most) return false;
  out = count;
  return true;
}

bool take_protocols(std::span<const std::uint8_t> value, std::optional<DataProtocols>& out) {
  if (value.size() != 2) return false;
  const DataProtocols protocols{.enabled = value[0], .primary = value[1]};
  const bool is_known = protocols.enabled != 0 && (protocols.enabled & ~unsigned{kAllProtocols}) == 0;
  const bool is_one = protocols.primary == kProtocolMqtt || protocols.primary == kProtocolHttp;
  if (!is_known || !is_one || (protocols.enabled & protocols.primary) == 0) return false;
  out = protocols;
  return true;
}

/// A byte that is 0 or 1.
bool take_flag(std::span<const std::uint8_t> value, bool& out) {
  if (value.size() != 1 || value[0] > 1) return false;
  out = value[0] == 1;
  return true;
}

bool take_stream_format(std::span<const std::uint8_t> value, std::optional<StreamFormat>& out) {
  bool is_json = false;
  if (!take_flag(value, is_json)) return false;
  out = is_json ? StreamFormat::kJson : StreamFormat::kCbor;
  return true;
}

bool take_start_next(std::span<const std::uint8_t> value, std::optional<bool>& out) {
  bool flag = false;
  if (!take_flag(value, flag)) return false;
  out = flag;
  return true;
}

bool take_positive(std::span<const std::uint8_t> value, std::optional<std::uint32_t>& out) {
  std::uint32_t number = 0;
  if (!take_u32(value, number) || number == 0) return false;
  out = number;
  return true;
}

bool take_transfer_entry(std::uint16_t tag, std::span<const std::uint8_t> value, TransferSettings& out) {
  switch (tag) {
    case kTagBlockSize:
      return take_block_size(value, out.block_size);
    case kTagBlocksPerRequest:
      return take_block_count(value, kMaxBlocksPerRequest, out.blocks_per_request);
    case kTagBlocksInFlight:
      return take_block_count(value, kMaxBlocksInFlight, out.blocks_in_flight);
    case kTagDataProtocols:
      return take_protocols(value, out.protocols);
    case kTagStreamFormat:
      return take_stream_format(value, out.stream_format);
    case kTagStartNext:
      return take_start_next(value, out.start_next);
    case kTagMaxRequestMomentum:
      return take_positive(value, out.max_request_momentum);
    case kTagStatusFrequency:
      return take_positive(value, out.status_frequency);
    default:
      return true;  // unknown: a newer factory
  }
}

/// @returns false if the entry's content is not what its tag says. Unknown tags are skipped.
bool take_entry(std::uint16_t tag, std::span<const std::uint8_t> value, Settings& out) {
  switch (tag) {
    case kTagThingName:
      return take_text(value, kMaxThingName, out.thing_name);
    case kTagEndpointHost:
      return take_text(value, kMaxHostName, out.endpoint_host);
    case kTagMqttPort:
      return take_u16(value, out.mqtt_port);
    case kTagKeepAliveSeconds:
      return take_u16(value, out.keep_alive_seconds);
    case kTagSelfTestMs:
      return take_time(value, kMinSelfTestMs, out.self_test_ms);
    case kTagRequestWaitMs:
      return take_time(value, kMinRequestWaitMs, out.request_wait_ms);
    case kTagRootCa:
      out.root_ca = value;
      return true;
    case kTagDeviceCertificate:
      out.device_certificate = value;
      return true;
    case kTagDeviceKey:
      out.device_key = value;
      return true;
    case kTagEntropySeed:
      return take_entropy_seed(value, out.entropy_seed);
    case kTagCodeSigner:
      return take_code_signer(value, out);
    case kTagMacAddress:
      if (value.size() != out.mac.size()) return false;
      std::copy(value.begin(), value.end(), out.mac.begin());
      return true;
    default:
      return take_transfer_entry(tag, value, out.transfer);
  }
}

bool is_complete(const Settings& s) {
  return !s.thing_name.empty() && !s.endpoint_host.empty() && s.mqtt_port != 0 && !s.root_ca.empty() &&
         !s.device_certificate.empty() && !s.device_key.empty() && s.code_signer_count > 0;
}

/// A blob's parts; what they say is not proved yet.
struct Blob {
  std::span<std::uint8_t> header;
  std::span<std::uint8_t> body;
  std::span<const std::uint8_t, kSealTagSize> tag;
};

std::optional<Blob> split(std::span<std::uint8_t> bytes) {
  constexpr std::size_t kOverhead = kHeaderSize + kSealTagSize;
  if (bytes.size() < kOverhead) return std::nullopt;
  if (u32_at(bytes, 0) != kMagic || u32_at(bytes, kFormatAt) != kFormat) return std::nullopt;
  const std::size_t most = std::min<std::size_t>(bytes.size(), kMaxBlobSize) - kOverhead;
  const std::size_t body_size = u32_at(bytes, kBodySizeAt);
  if (body_size > most) return std::nullopt;
  const auto rest = bytes.subspan(kHeaderSize);
  return Blob{.header = bytes.first(kHeaderSize),
              .body = rest.first(body_size),
              .tag = rest.subspan(body_size).first<kSealTagSize>()};
}

/// Reads one copy into `buffer`, opens and parses it there.
Status read_copy(flash::FlashDriver& flash, std::uint32_t offset, DeviceKey key,
                 std::span<std::uint8_t> buffer, Settings& out) {
  out = Settings{};
  const auto blob = buffer.first(kMaxBlobSize);
  return flash.read(offset, blob) == flash::Status::kOk ? parse(blob, key, out) : Status::kFlashError;
}

/// What a first look at a copy found.
struct Copy {
  std::uint32_t offset;
  Status status = Status::kNotFound;
  std::uint32_t sequence = 0;
};

/// A sound copy is better than an incomplete one, that than an unreadable one, that than none; of two alike
/// the newer.
bool is_better(const Copy& a, const Copy& b) {
  const auto rank = [](Status status) {
    switch (status) {
      case Status::kOk:
        return 3;
      case Status::kIncomplete:
        return 2;
      case Status::kFlashError:
        return 1;
      case Status::kNotFound:
      case Status::kBadKey:
        break;
    }
    return 0;
  };
  if (a.status != b.status) return rank(a.status) > rank(b.status);
  return a.sequence > b.sequence;
}

}  // namespace

std::span<const std::uint8_t> Settings::code_signer(std::string_view name) const {
  for (std::size_t i = 0; i < code_signer_count; ++i) {
    if (code_signers[i].name == name) return code_signers[i].certificate;
  }
  return {};
}

const char* to_string(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kFlashError:
      return "flash error";
    case Status::kNotFound:
      return "no valid copy";
    case Status::kIncomplete:
      return "a required entry is missing";
    case Status::kBadKey:
      return "the device key cannot be read";
  }
  return "unknown";
}

Status parse(std::span<std::uint8_t> bytes, DeviceKey key, Settings& out) {
  out = Settings{};
  const std::optional<Blob> blob = split(bytes);
  if (!blob) return Status::kNotFound;
  const auto nonce = blob->header.subspan(kNonceAt).first<kNonceSize>();
  if (!unseal(key, nonce, blob->header, blob->body, blob->tag)) return Status::kNotFound;
  const Status status = parse_body(blob->body, out);
  out.sequence = u32_at(blob->header, kSequenceAt);
  return status;
}

std::span<const std::uint8_t> body_of(std::span<std::uint8_t> blob) {
  const std::optional<Blob> parts = split(blob);
  return parts ? parts->body : std::span<std::uint8_t>{};
}

Status parse_body(std::span<const std::uint8_t> body, Settings& out) {
  out = Settings{};
  auto rest = body;
  for (std::uint32_t entries = 0; !rest.empty(); ++entries) {
    if (entries == kMaxEntries || rest.size() < kEntryHeaderSize) return Status::kNotFound;
    const std::uint16_t length = u16_at(rest, 2);
    if (rest.size() - kEntryHeaderSize < length) return Status::kNotFound;
    if (!take_entry(u16_at(rest, 0), rest.subspan(kEntryHeaderSize, length), out)) return Status::kNotFound;
    rest = rest.subspan(kEntryHeaderSize + length);
  }
  return is_complete(out) ? Status::kOk : Status::kIncomplete;
}

Status load(flash::FlashDriver& flash, DeviceKey key, std::span<std::uint8_t> buffer, Settings& out) {
  if (buffer.size() < kMaxBlobSize) return Status::kNotFound;
  std::array copies{Copy{.offset = flash::kProvisioning0.offset},
                    Copy{.offset = flash::kProvisioning1.offset}};
  for (Copy& copy : copies) {
    copy.status = read_copy(flash, copy.offset, key, buffer, out);
    copy.sequence = out.sequence;
  }
  if (is_better(copies[1], copies[0])) std::swap(copies[0], copies[1]);
  // The chosen one is read again, into the buffer that `out` will view; only this reading is trusted.
  const Status chosen = read_copy(flash, copies[0].offset, key, buffer, out);
  if (chosen == Status::kOk || copies[1].status != Status::kOk) return chosen;
  return read_copy(flash, copies[1].offset, key, buffer, out);
}

}  // namespace provisioning
