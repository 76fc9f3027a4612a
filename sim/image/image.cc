#include "sim/image/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/image/encryption.h"

namespace otasim::image {
namespace {

using namespace boot::image;  // NOLINT(google-build-using-namespace): the format's constants

constexpr std::size_t kAesBlock = 16;

/// Of a DER signature on P-256: half of them have this size, the others mostly one byte more or less.
constexpr std::size_t kCommonSignatureSize = 71;
/// What fills an image up: erased flash.
constexpr std::uint8_t kFill = 0xFF;

/// Reads little-endian integers front to back and remembers if it ever ran out.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint32_t number(std::size_t size) {
    if (bytes_.size() - at_ < size) {
      failed_ = true;
      return 0;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(bytes_[at_ + i]) << (8 * i);
    at_ += size;
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return number(4); }

  Bytes take(std::size_t size) {
    if (bytes_.size() - at_ < size) {
      failed_ = true;
      return {};
    }
    Bytes out(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
              bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + size));
    at_ += size;
    return out;
  }
  void seek(std::size_t to) {
    failed_ = failed_ || to > bytes_.size();
    at_ = std::min(to, bytes_.size());
  }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

void put(Bytes& out, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put_tlv(Bytes& out, std::uint16_t type, std::span<const std::uint8_t> value) {
  put(out, type, 2);
  put(out, static_cast<std::uint32_t>(value.size()), 2);
  out.insert(out.end(), value.begin(), value.end());
}

Bytes header_bytes(std::size_t payload_size, std::size_t protected_size, const SignOptions& options) {
  Bytes out;
  put(out, kMagic, 4);
  put(out, options.load_address, 4);
  put(out, options.header_size, 2);
  put(out, static_cast<std::uint32_t>(protected_size), 2);
  put(out, static_cast<std::uint32_t>(payload_size), 4);
  put(out, kFlagRamLoad | (options.encrypt_to != nullptr ? kFlagEncryptedAes128 : 0), 4);
  put(out, options.version.major, 1);
  put(out, options.version.minor, 1);
  put(out, options.version.revision, 2);
  put(out, options.version.build_number, 4);
  put(out, 0, 4);
  out.resize(options.header_size, 0);
  return out;
}

Bytes little_endian(std::uint32_t value) {
  Bytes out;
  put(out, value, 4);
  return out;
}

Bytes protected_tlvs(const SignOptions& options) {
  Bytes area;
  put(area, kTlvProtectedInfoMagic, 2);
  put(area, 0, 2);  // the size, set below
  put_tlv(area, kTlvSecurityCounter, little_endian(options.security_counter));
  if (options.kind != Kind::kApplication)
    put_tlv(area, kTlvImageKind, little_endian(static_cast<std::uint32_t>(options.kind)));
  if (options.revoked_keys != 0) put_tlv(area, kTlvRevokedKeys, little_endian(options.revoked_keys));
  area[2] = static_cast<std::uint8_t>(area.size());
  return area;
}

tl::unexpected<Error> not_an_image(const std::string& why) {
  return fail(ExitCode::kUsage, "not an image in MCUboot's format: " + why,
              "Make one with: otasim image sign --elf FILE --version VERSION --out FILE");
}

bool keep_number(std::optional<std::uint32_t>& where, const Bytes& value) {
  if (where.has_value() || value.size() != 4) return false;
  where = Reader(value).u32();
  return true;
}

/// Keeps one TLV. @returns false if its type came before.
bool keep(Info& info, std::uint16_t type, Bytes value) {
  const auto once = [&value](std::optional<Bytes>& where) {
    if (where.has_value()) return false;
    where = std::move(value);
    return true;
  };
  switch (type) {
    case kTlvSha256:
      return once(info.sha256);
    case kTlvKeyHash:
      return once(info.key_hash);
    case kTlvEcdsaSignature:
      return once(info.signature);
    case kTlvEciesP256:
      return once(info.encrypted_key);
    case kTlvSecurityCounter:
      return keep_number(info.security_counter, value);
    case kTlvImageKind:
      return keep_number(info.kind, value);
    case kTlvRevokedKeys:
      return keep_number(info.revoked_keys, value);
    default:
      return true;  // others are for others
  }
}

/// Reads one TLV area that must start at the reader's place. @returns an empty string, or what is wrong.
std::string read_tlvs(Reader& reader, std::uint16_t magic, Info& info) {
  const std::size_t start = reader.at();
  if (reader.u16() != magic) return fmt::format("no TLV area (magic {:#06x}) at byte {}.", magic, start);
  const std::size_t end = start + reader.u16();
  while (!reader.failed() && reader.at() < end) {
    const std::uint16_t type = reader.u16();
    const std::uint16_t length = reader.u16();
    if (reader.failed() || reader.at() + length > end) return "a TLV runs past its area.";
    if (!keep(info, type, reader.take(length)))
      return fmt::format("TLV {:#06x} is malformed or stands twice.", type);
  }
  if (reader.failed() || reader.at() != end) return "the TLV area is cut short.";
  return {};
}

}  // namespace

Result<Bytes> sign(std::span<const std::uint8_t> payload, const SignOptions& options,
                   const crypto::P256Key& key) {
  Bytes content(payload.begin(), payload.end());
  if (options.encrypt_to != nullptr) content.resize((content.size() + kAesBlock - 1) / kAesBlock * kAesBlock);
  const Bytes protected_area = protected_tlvs(options);
  Bytes image = header_bytes(content.size(), protected_area.size(), options);
  image.insert(image.end(), content.begin(), content.end());
  image.insert(image.end(), protected_area.begin(), protected_area.end());
  const Bytes digest = crypto::sha256(image);
  const Result<Bytes> signature = key.sign(image);
  if (!signature) return tl::unexpected(signature.error());

  Bytes area;
  put_tlv(area, kTlvSha256, digest);
  put_tlv(area, kTlvKeyHash, crypto::sha256(key.public_der()));
  put_tlv(area, kTlvEcdsaSignature, *signature);
  if (options.encrypt_to != nullptr) {
    const auto encrypted_key =
        encrypt_payload(std::span(image).subspan(options.header_size, content.size()), *options.encrypt_to);
    if (!encrypted_key) return tl::unexpected(encrypted_key.error());
    put_tlv(area, kTlvEciesP256, *encrypted_key);
  }
  put(image, kTlvInfoMagic, 2);
  put(image, static_cast<std::uint32_t>(area.size() + 4), 2);
  image.insert(image.end(), area.begin(), area.end());
  return image;
}

Result<Bytes> sign_to_size(std::span<const std::uint8_t> payload, const SignOptions& options,
                           const crypto::P256Key& key, std::size_t total_size) {
  if (options.encrypt_to != nullptr)
    return fail(ExitCode::kInternal, "an encrypted image cannot be given a size");
  // How long a signature gets is chance: the payload is made to fit the common size, and signed again until
  // the signature has it.
  constexpr int kMostTries = 200;
  Bytes content(payload.begin(), payload.end());
  for (int i = 0; i < kMostTries; ++i) {
    auto image = sign(content, options, key);
    if (!image || image->size() == total_size) return image;
    const std::size_t signature_size = parse(*image)->signature->size();
    const std::size_t frame_size = image->size() - content.size() - signature_size + kCommonSignatureSize;
    if (total_size < payload.size() + frame_size) {
      return fail(ExitCode::kUsage,
                  fmt::format("the application does not fit an image of {} bytes", total_size),
                  fmt::format("Give it at least {}.", payload.size() + frame_size));
    }
    content.resize(total_size - frame_size, kFill);
  }
  return fail(ExitCode::kInternal, "no signature of the common size came in 200 tries");
}

Result<Info> parse(std::span<const std::uint8_t> bytes) {
  Reader reader(bytes);
  Info info;
  if (reader.u32() != kMagic) return not_an_image("it does not start with the magic number.");
  info.load_address = reader.u32();
  info.header_size = reader.u16();
  const std::uint16_t protected_size = reader.u16();
  info.payload_size = reader.u32();
  info.flags = reader.u32();
  info.version.major = reader.u8();
  info.version.minor = reader.u8();
  info.version.revision = reader.u16();
  info.version.build_number = reader.u32();
  if (reader.failed() || info.header_size < kHeaderStructSize)
    return not_an_image("its header is cut short.");
  const std::uint64_t payload_end = std::uint64_t{info.header_size} + info.payload_size;
  const std::uint64_t signed_end = payload_end + protected_size;
  if (signed_end > bytes.size())
    return not_an_image("it is cut short: its header promises more bytes than there are.");
  info.signed_size = static_cast<std::uint32_t>(signed_end);
  reader.seek(payload_end);
  if (protected_size != 0) {
    if (const std::string wrong = read_tlvs(reader, kTlvProtectedInfoMagic, info); !wrong.empty())
      return not_an_image(wrong);
    if (reader.at() != signed_end)
      return not_an_image("its protected TLV area is not as large as the header says.");
  }
  if (const std::string wrong = read_tlvs(reader, kTlvInfoMagic, info); !wrong.empty())
    return not_an_image(wrong);
  info.total_size = static_cast<std::uint32_t>(reader.at());
  return info;
}

Result<Info> verify(std::span<const std::uint8_t> bytes, const crypto::P256Key& key,
                    const crypto::P256Key* decryption_key) {
  Result<Info> info = parse(bytes);
  if (!info) return info;
  const auto refuse = [](const std::string& why) {
    return fail(ExitCode::kFailed, "the image does not verify: " + why);
  };
  Bytes covered(bytes.begin(), bytes.begin() + info->signed_size);
  if (info->is_encrypted()) {
    if (decryption_key == nullptr) return refuse("it is encrypted, and no key was given to open it.");
    const auto payload = std::span(covered).subspan(info->header_size, info->payload_size);
    if (!info->encrypted_key) return refuse("it is encrypted, and has no TLV with the key.");
    if (auto opened = decrypt_payload(payload, *info->encrypted_key, *decryption_key); !opened)
      return refuse(opened.error().message);
  }
  if (!info->sha256 || *info->sha256 != crypto::sha256(covered))
    return refuse("its hash does not match its content.");
  if (!info->key_hash || *info->key_hash != crypto::sha256(key.public_der()))
    return refuse("it was signed with another key.");
  if (!info->signature || !key.verify(covered, *info->signature))
    return refuse("its signature does not hold.");
  if (!info->security_counter) return refuse("it has no security counter.");
  return info;
}

}  // namespace otasim::image
