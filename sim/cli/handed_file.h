// A file on its way to a running lab, which reads regular files only and from its own working folder.
//
// What the user names may be a pipe, or an application that must be signed first: it is read here, and handed
// over in a temporary file that goes with the object.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sim/base/result.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/firmware.h"

namespace otasim::cli {

class HandedFile {
 public:
  /// Firmware. @returns kUsage for a source that makes none for the board, kEnvironment if otasim's build is
  ///                    incomplete
  [[nodiscard]] static Result<HandedFile> firmware(const lab::FirmwareSource& source,
                                                   const std::string& board);
  /// A file as it is. @returns kUsage if it cannot be read
  [[nodiscard]] static Result<HandedFile> copy_of(const std::string& path);

  [[nodiscard]] std::string path() const { return folder_.file("content"); }

 private:
  explicit HandedFile(TempDir folder) : folder_(std::move(folder)) {}
  [[nodiscard]] static Result<HandedFile> write(std::span<const std::uint8_t> content);

  TempDir folder_;
};

}  // namespace otasim::cli
