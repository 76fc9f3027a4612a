// The file of a run's TLS secrets, in the format that Wireshark reads (SSLKEYLOGFILE: one line a secret).
//
//   create_key_log(path);                                  // once, by whoever starts the lab
//   append_key_log(path, "CLIENT_RANDOM 5f.. 8a..");       // by every TLS server, each in its own process
//
// Whoever has the file and a capture can read all that went over its connections, so it is the user's alone.
// Lines come from several processes: each is one write() to the end of the file, so none is torn by another.
//
// Nothing here needs more than the C library: the broker's part (sim/broker/key_log) is loaded into a process
// that is not ours.
#pragma once

#include <string_view>

namespace otasim::crypto {

/// One line of the longest kind (label, 32 random bytes, a secret of 64, in hexadecimal digits) is shorter.
inline constexpr std::size_t kMaxKeyLogLine = 512;

/// Makes the file, mode 0600, or goes on with the one that is there and takes it from others.
/// @returns 0 or errno
[[nodiscard]] int create_key_log(const char* path);

/// Adds a line. It does not make the file: a key log is never one that others may read.
/// @returns 0 or errno; EMSGSIZE for a line that is none of the format's, ENOSPC for one that is cut off
[[nodiscard]] int append_key_log(const char* path, std::string_view line);

}  // namespace otasim::crypto
