// The network block device protocol (NBD), as its specification and QEMU 7.2's client have it: numbers on the
// wire. All are big-endian. Served is the fixed newstyle handshake without TLS, with simple replies.
//
//   server  greeting     NBDMAGIC, IHAVEOPT, handshake flags
//   client  client flags
//   client  option       IHAVEOPT, number, length, data      } until one starts the transmission, or ends it
//   server  option reply magic, option, type, length, data   }
//   client  request      magic, flags, type, cookie, offset, length[, data]
//   server  simple reply magic, error, cookie[, data]
#pragma once

#include <cstddef>
#include <cstdint>

namespace otasim::flash_file::nbd {

inline constexpr std::uint64_t kGreetingMagic = 0x4E42'444D'4147'4943;  // "NBDMAGIC"
inline constexpr std::uint64_t kOptionMagic = 0x4948'4156'454F'5054;    // "IHAVEOPT"
inline constexpr std::uint64_t kOptionReplyMagic = 0x0003'E889'0455'65A9;
inline constexpr std::uint32_t kRequestMagic = 0x2560'9513;
inline constexpr std::uint32_t kSimpleReplyMagic = 0x6744'6698;

/// In the server's handshake flags and, with the same bits, in the client's.
enum HandshakeFlag : std::uint16_t {
  kFixedNewstyle = 1U << 0,
  kNoZeroes = 1U << 1,
};

enum TransmissionFlag : std::uint16_t {
  kHasFlags = 1U << 0,
  kSendFlush = 1U << 2,
};

enum Option : std::uint32_t {
  kOptExportName = 1,
  kOptAbort = 2,
  kOptInfo = 6,
  kOptGo = 7,
};

enum OptionReply : std::uint32_t {
  kRepAck = 1,
  kRepInfo = 3,
  kRepErrUnsupported = 0x8000'0001,
  kRepErrInvalid = 0x8000'0003,
  kRepErrUnknown = 0x8000'0006,
};

enum Info : std::uint16_t {
  kInfoExport = 0,
  kInfoBlockSize = 3,
};

enum RequestType : std::uint16_t {
  kRead = 0,
  kWrite = 1,
  kDisconnect = 2,
  kFlush = 3,
};

enum ReplyError : std::uint32_t {
  kNoError = 0,
  kEio = 5,
  kEinval = 22,
  kEnospc = 28,
};

inline constexpr std::size_t kGreetingSize = 18;
inline constexpr std::size_t kClientFlagsSize = 4;
inline constexpr std::size_t kOptionHeaderSize = 16;
inline constexpr std::size_t kOptionReplyHeaderSize = 20;
inline constexpr std::size_t kRequestHeaderSize = 28;
inline constexpr std::size_t kSimpleReplySize = 16;
/// Zeroes after the answer to kOptExportName, unless the client does without.
inline constexpr std::size_t kExportNamePadding = 124;

/// An option's data; the specification's limit for a name is half of it. A client that sends more is let go.
inline constexpr std::uint32_t kMaxOptionBytes = 8192;
/// Options before the transmission starts. QEMU sends two.
inline constexpr int kMaxOptions = 32;
/// Of one read or write; told to the client, which then asks for no more. A flash chip's sector is less.
inline constexpr std::uint32_t kMaxRequestBytes = 1024 * 1024;
inline constexpr std::uint32_t kMinBlockBytes = 1;
inline constexpr std::uint32_t kPreferredBlockBytes = 4096;

}  // namespace otasim::flash_file::nbd
