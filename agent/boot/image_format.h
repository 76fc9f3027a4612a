// The image format: MCUboot's, so that its tools read and sign our images.
//
//   header (kHeaderSize bytes, of which 32 are defined) | payload | protected TLVs | TLVs
//
// The hash and the signature cover header, payload and protected TLVs. The whole of it is loaded to
// `load_address` before it is checked (flag RAM_LOAD), so the payload's vector table stands at
// load_address + header_size. In an encrypted image the payload, and nothing else, is ciphertext where it
// travels and rests; hash and signature are over the plain one. Values: MCUboot, "Image format"
// (docs/design.md there) and "Encrypted images" (docs/encrypted_images.md).
#pragma once

#include <compare>
#include <cstdint>

namespace boot::image {

inline constexpr std::uint32_t kMagic = 0x96F3'B83D;
inline constexpr std::uint32_t kHeaderStructSize = 32;
/// Header size of images built here: keeps the vector table at the alignment VTOR asks for.
inline constexpr std::uint16_t kDefaultHeaderSize = 0x200;
inline constexpr std::uint32_t kFlagEncryptedAes128 = 0x0000'0004;
inline constexpr std::uint32_t kFlagRamLoad = 0x0000'0020;

inline constexpr std::uint16_t kTlvInfoMagic = 0x6907;
inline constexpr std::uint16_t kTlvProtectedInfoMagic = 0x6908;

enum TlvType : std::uint16_t {
  kTlvKeyHash = 0x01,  ///< SHA-256 of the signer's public key as DER SubjectPublicKeyInfo
  kTlvSha256 = 0x10,
  kTlvEcdsaSignature = 0x22,   ///< DER
  kTlvEciesP256 = 0x32,        ///< the key of an encrypted payload (image_encryption.h)
  kTlvSecurityCounter = 0x50,  ///< u32, protected
  // MCUboot leaves 0xXXA0 to 0xXXFF to vendors.
  kTlvImageKind = 0x00A0,  ///< u32 `Kind`, protected; absent means kApplication
  kTlvRevokedKeys =
      0x00A1,  ///< u32, protected: bit n revokes signer n of the ROM when the image is committed
};

/// What an image may be started as: an application never boots from the recovery slot, nor the other way.
enum class Kind : std::uint32_t { kApplication = 0, kRecovery = 1 };

/// MCUboot's version; AWS's major.minor.build is its major.minor.revision.
struct Version {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint16_t revision = 0;
  std::uint32_t build_number = 0;

  friend auto operator<=>(const Version&, const Version&) = default;
};

/// struct image_header; little-endian on flash, no padding.
struct Header {
  std::uint32_t magic;
  std::uint32_t load_address;
  std::uint16_t header_size;
  std::uint16_t protected_tlv_size;  ///< whole protected TLV area with its info header, 0 if none
  std::uint32_t image_size;          ///< payload only
  std::uint32_t flags;
  Version version;
  std::uint32_t pad;
};
static_assert(sizeof(Header) == kHeaderStructSize);

struct TlvInfo {
  std::uint16_t magic;
  std::uint16_t total_size;  ///< this header and all entries
};
static_assert(sizeof(TlvInfo) == 4);

struct TlvEntry {
  std::uint16_t type;
  std::uint16_t length;
};
static_assert(sizeof(TlvEntry) == 4);

}  // namespace boot::image
