// How QEMU's process ends when a replay comes to a power cut in an operation on flash (flash_plugin.cc).
#pragma once

namespace otasim::flash_file {

inline constexpr int kReplayCutExit = 86;

}  // namespace otasim::flash_file
