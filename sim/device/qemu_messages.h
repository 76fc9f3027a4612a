// What QEMU said and how it ended, for an error's text.
#pragma once

#include <string>

#include "sim/base/child_process.h"

namespace otasim::device {

/// "qemu-system-arm ended with exit code 1"
[[nodiscard]] std::string describe_qemu_exit(ChildProcess::ExitStatus status);

/// It gave up by itself, as it does when the guest's processor locks up. In any other way it is ended from
/// outside, or by its own command line.
[[nodiscard]] bool has_crashed(ChildProcess::ExitStatus status);

/// The end of what stands in `path`, where QEMU's stderr goes, as printable lines; empty if there is nothing.
[[nodiscard]] std::string last_messages(const std::string& path);

}  // namespace otasim::device
