// The image parser and verifier: the one place that decides whether bytes are an image that may run.
//
// The bootloader first asks peek() how much of a slot is image, copies that much to RAM, has decrypt() open
// an encrypted payload there, and gives the RAM copy to verify(). Nothing peek() says is believed; verify()
// reads everything again, from the copy that will run. The PAL uses peek() to learn what it received.
//
// What can go wrong: anything. Every field may be hostile; each is checked before it is used, a TLV area has
// a size limit, and each outcome has a name that says which check failed.
#pragma once

#include <cstdint>
#include <span>

#include "agent/boot/boot_info.h"
#include "agent/boot/image_format.h"
#include "agent/crypto/crypto.h"
#include "pal_sim/flash/flash_driver.h"

namespace boot::image {

/// Limit of each of the two TLV areas, info header included.
inline constexpr std::uint32_t kMaxTlvAreaSize = 1024;
/// The header size is a multiple of this, so that VTOR can point behind it.
inline constexpr std::uint32_t kVectorTableAlignment = 0x200;
/// A payload starts with at least an initial stack pointer and a reset vector.
inline constexpr std::uint32_t kMinPayloadSize = 8;

/// The numbers are the reason codes of the boot report and the PAL's sub-codes of ActivateFailed. kOk is far
/// from all of them (see crypto::Verdict).
enum class VerifyStatus : std::uint32_t {
  kOk = 0x00A5'3C96,
  kFlashError = 1,    ///< the slot could not be read
  kNoImage,           ///< the header's magic is not there
  kBadHeader,         ///< header size or reserved bits are not what this format has
  kNotRamLoad,        ///< not an image to be loaded to RAM
  kWrongLoadAddress,  ///< linked for another address than this board loads to
  kBadSize,           ///< the sizes do not add up within the slot, the load region or the given bytes
  kBadTlv,            ///< a TLV area is malformed or too large
  kDuplicateTlv,      ///< an entry appears twice
  kUnexpectedTlv,   ///< an entry stands where it must not: an unsigned one we do not know, or a protected one
                    ///< outside
  kMissingTlv,      ///< digest, key hash, signature or security counter is not there
  kHashMismatch,    ///< the bytes are not those that were hashed
  kUnknownKey,      ///< signed by a key that is not in the boot ROM
  kBadSignature,    ///< the signature does not hold
  kWrongKind,       ///< a recovery image as application, or the other way
  kCounterTooLow,   ///< older than what was committed before
  kCounterTooHigh,  ///< the counter could never be committed: the OTP bank ends below it
  kNotOnRecord,     ///< a sound image, but not the one that boot control speaks of
  kRevokedKey,      ///< signed by a key that OTP says is revoked
  kBadEncryption,   ///< the payload's key cannot be opened
};
inline constexpr VerifyStatus kLastVerifyStatus = VerifyStatus::kBadEncryption;

/// A short lower-case word for the boot report, for example "bad-signature".
[[nodiscard]] const char* to_string(VerifyStatus status);

/// What the headers and TLVs say.
struct Info {
  Version version;
  std::uint32_t security_counter = 0;
  Kind kind = Kind::kApplication;
  crypto::Sha256Digest digest{};
  std::uint32_t load_address = 0;
  std::uint32_t header_size = 0;
  std::uint32_t total_size = 0;    ///< header to the last TLV
  std::uint32_t revoked_keys = 0;  ///< bit n: signer n is to be revoked
};

/// A signer's public key and MCUboot's name for it.
struct PublicKey {
  const crypto::P256PublicKey& point;
  const crypto::Sha256Digest& hash;  ///< SHA-256 of the key's DER SubjectPublicKeyInfo
};

/// Whose images may run.
struct Trust {
  std::span<const PublicKey> signers;  ///< at most kMaxSigners (key_revocation.h)
  std::uint32_t revoked = 0;           ///< bit n: signers[n] is refused
};

/// Where this board loads images.
struct LoadRegion {
  std::uint32_t address;
  std::uint32_t size;
};

/// Reads header and TLVs of the image in `slot`, and checks their form but no hash and no signature.
/// @returns kOk, kFlashError, kNoImage, kBadHeader, kNotRamLoad, kWrongLoadAddress, kBadSize, kBadTlv,
/// kDuplicateTlv,
///          kUnexpectedTlv, kMissingTlv
[[nodiscard]] VerifyStatus peek(flash::FlashDriver& flash, Slot slot, const LoadRegion& region, Info& info);

/// Opens the payload of the image that fills `image` exactly, in place. An image that is not encrypted stays
/// as it is. What comes out is only verify()'s to judge: the key's authentication says that it was made for
/// this ROM, no more.
/// @returns kOk, kBadEncryption, or what is wrong with header or TLVs; the payload is garbage or untouched
/// then
[[nodiscard]] VerifyStatus decrypt(std::span<std::uint8_t> image, const LoadRegion& region,
                                   const crypto::P256PrivateKey& key);

/// Verifies the image that fills `image` exactly, its payload in plain, against the signers in ROM and the
/// place it will run from. Kind and security counter are authentic afterwards, but judged by the caller.
/// @returns kOk and the verified `info`, or the first check that failed
[[nodiscard]] VerifyStatus verify(std::span<const std::uint8_t> image, const Trust& trust,
                                  const LoadRegion& region, Info& info);

}  // namespace boot::image
