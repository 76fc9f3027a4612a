// Provisioning: who this device is and whom it trusts, written once at manufacture.
//
// Two copies stand in flash, each a blob of
//
//   header  magic u32 "OTPV", format u32, sequence u32, body size u32, nonce (12 bytes)
//   body    encrypted entries: tag u16, length u16, bytes
//   tag     16 bytes
//
// all little-endian, sealed (seal.h) under the device key, the header as associated data. Nothing of the body
// is looked at before it has proved authentic. The valid copy with the highest sequence is in force; a copy
// that is torn, damaged or sealed with another key, or has a value out of its range, is passed over. load()
// copies it to RAM once, so that nothing can change between check and use; in clear it stands there only.
// Certificates and keys are DER.
//
// What sealing does not do: whoever can write flash can put back an older blob of the same key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/provisioning/seal.h"

namespace provisioning {

inline constexpr std::uint32_t kMagic = 0x5650'544F;  // "OTPV" in memory
inline constexpr std::uint32_t kFormat = 2;
inline constexpr std::uint32_t kHeaderSize = 16 + kNonceSize;
inline constexpr std::uint32_t kMaxBlobSize = 8192;
inline constexpr std::uint32_t kMaxEntries = 32;
inline constexpr std::size_t kMaxCodeSigners = 4;
inline constexpr std::size_t kMaxThingName = 64;
inline constexpr std::size_t kMaxHostName = 128;

enum Tag : std::uint16_t {
  kTagThingName = 1,          ///< text, 1..64 bytes; also the MQTT client id
  kTagEndpointHost = 2,       ///< text, 1..128 bytes, looked up by DNS and sent as SNI
  kTagMqttPort = 3,           ///< u16
  kTagRootCa = 4,             ///< DER certificate the broker's chain must end in
  kTagDeviceCertificate = 5,  ///< DER
  kTagDeviceKey = 6,          ///< DER EC private key (SEC 1 or PKCS #8)
  kTagMacAddress = 7,         ///< 6 bytes
  kTagCodeSigner = 8,         ///< u8 name length, name, DER certificate; up to kMaxCodeSigners
  kTagSelfTestMs = 9,         ///< u32, from kMinSelfTestMs: AWS otaconfigSELF_TEST_RESPONSE_WAIT_MS
  kTagRequestWaitMs = 10,     ///< u32, from kMinRequestWaitMs: AWS otaconfigFILE_REQUEST_WAIT_MS
  kTagEntropySeed = 11,       ///< 32..64 bytes mixed into the random generator at start; optional
  kTagKeepAliveSeconds = 12,  ///< u16, MQTT keep-alive

  // How the agent transfers. Each is optional: without it the application's own default holds.
  kTagBlockSize = 13,         ///< u32, a power of two from kMinBlockSize to kMaxBlockSize
  kTagBlocksPerRequest = 14,  ///< u16, 1..kMaxBlocksPerRequest
  kTagBlocksInFlight = 15,    ///< u16, 1..kMaxBlocksInFlight, of all requests together
  kTagDataProtocols = 16,  ///< u8 those enabled (kProtocolMqtt | kProtocolHttp), u8 the one preferred of them
  kTagStreamFormat = 17,   ///< u8, a StreamFormat: how blocks travel over MQTT
  kTagStartNext = 18,      ///< u8, 1: a job is asked for with start-next, 0: with get
  kTagMaxRequestMomentum = 19,  ///< u32, from 1: AWS otaconfigMAX_NUM_REQUEST_MOMENTUM
  kTagStatusFrequency = 20,     ///< u32, from 1: AWS otaconfigOTA_UPDATE_STATUS_FREQUENCY
};

/// With less, no trial of an image would be long enough, and no answer quick enough.
inline constexpr std::uint32_t kMinSelfTestMs = 100;
inline constexpr std::uint32_t kMinRequestWaitMs = 10;

/// Less would not make up for a part whose entropy is bad; more is not mixed better.
inline constexpr std::size_t kMinEntropySeed = 32;
inline constexpr std::size_t kMaxEntropySeed = 64;

inline constexpr std::uint32_t kMinBlockSize = 256;
inline constexpr std::uint32_t kMaxBlockSize = 4096;
inline constexpr std::uint16_t kMaxBlocksPerRequest = 512;
inline constexpr std::uint16_t kMaxBlocksInFlight = 1024;

inline constexpr std::uint8_t kProtocolMqtt = 1;
inline constexpr std::uint8_t kProtocolHttp = 2;
inline constexpr std::uint8_t kAllProtocols = kProtocolMqtt | kProtocolHttp;

struct DataProtocols {
  std::uint8_t enabled = kAllProtocols;
  std::uint8_t primary = kProtocolMqtt;  ///< for a job that offers both

  bool operator==(const DataProtocols&) const = default;
};

enum class StreamFormat : std::uint8_t { kCbor = 0, kJson = 1 };

/// How the agent transfers; what is not provisioned is empty.
struct TransferSettings {
  std::optional<std::uint32_t> block_size = {};
  std::optional<std::uint16_t> blocks_per_request = {};
  std::optional<std::uint16_t> blocks_in_flight = {};
  std::optional<DataProtocols> protocols = {};
  std::optional<StreamFormat> stream_format = {};
  std::optional<bool> start_next = {};
  std::optional<std::uint32_t> max_request_momentum = {};
  std::optional<std::uint32_t> status_frequency = {};

  bool operator==(const TransferSettings&) const = default;
};

struct CodeSigner {
  std::string_view name;  ///< the job document's `certfile`
  std::span<const std::uint8_t> certificate;
};

/// Views into the buffer given to load(); valid as long as it is.
struct Settings {
  std::string_view thing_name;
  std::string_view endpoint_host;
  std::uint16_t mqtt_port = 0;
  std::uint16_t keep_alive_seconds = 60;
  std::span<const std::uint8_t> root_ca;
  std::span<const std::uint8_t> device_certificate;
  std::span<const std::uint8_t> device_key;
  std::array<std::uint8_t, 6> mac{};
  std::array<CodeSigner, kMaxCodeSigners> code_signers{};
  std::size_t code_signer_count = 0;
  std::uint32_t self_test_ms = 16000;
  std::uint32_t request_wait_ms = 10000;
  std::span<const std::uint8_t> entropy_seed;
  TransferSettings transfer;
  std::uint32_t sequence = 0;

  /// @returns the signer's certificate, empty if there is none of that name.
  [[nodiscard]] std::span<const std::uint8_t> code_signer(std::string_view name) const;
};

enum class Status {
  kOk,
  kFlashError,  ///< neither copy could be read
  kNotFound,    ///< neither copy is valid: blank, torn, damaged, of another key or of another format
  kIncomplete,  ///< the blob is sound but lacks a required entry
  kBadKey,      ///< the device's private key is not one of an EC key on P-256 (identity.h)
};

[[nodiscard]] const char* to_string(Status status);

/// Opens one blob in place and parses it. Trusts no length in it. `out` views into `blob`, where the body
/// stands in clear afterwards; if it is not authentic, it is wiped.
/// @returns kOk, kNotFound, kIncomplete
[[nodiscard]] Status parse(std::span<std::uint8_t> blob, DeviceKey key, Settings& out);

/// Parses an opened body. Trusts nothing in it: an authentic one may come from a factory with other limits.
/// @returns kOk, kNotFound (it is no list of entries, or a value is out of its range), kIncomplete
[[nodiscard]] Status parse_body(std::span<const std::uint8_t> body, Settings& out);

/// The body of a blob that was opened in place, as parse_body() takes it; empty if it is no blob.
[[nodiscard]] std::span<const std::uint8_t> body_of(std::span<std::uint8_t> blob);

/// Reads the newest valid copy into `buffer` (at least kMaxBlobSize bytes), opens and parses it. A copy that
/// was valid and cannot be read again is passed over too.
/// @returns kOk, kFlashError, kNotFound, kIncomplete
[[nodiscard]] Status load(flash::FlashDriver& flash, DeviceKey key, std::span<std::uint8_t> buffer,
                          Settings& out);

}  // namespace provisioning
