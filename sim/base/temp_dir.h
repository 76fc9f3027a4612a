// A folder of one's own that goes away with the object.
//
// The name is short because unix sockets are put there, whose paths have 107 bytes at most.
#pragma once

#include <filesystem>
#include <string>

#include "sim/base/result.h"

namespace otasim {

class TempDir {
 public:
  /// Makes `$TMPDIR/otasim-XXXXXX` (or below /tmp), accessible to this user only.
  /// @returns kEnvironment if that is not possible
  [[nodiscard]] static Result<TempDir> create();

  /// A name for create_at(), below the same folder as create()'s. Whoever must find the folder again after a
  /// crash writes the name down before the folder exists.
  [[nodiscard]] static std::string propose();
  /// Takes over a folder that create() made in a process that was killed.
  [[nodiscard]] static TempDir adopt(std::string path) { return TempDir(std::move(path)); }
  /// Makes the folder `path`, which must not exist. @returns as create()
  [[nodiscard]] static Result<TempDir> create_at(const std::string& path);

  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  /// Removes the folder and all in it, unless keep() was called.
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Path of a file in the folder.
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

  /// Leaves the folder in place.
  void keep() { remove_ = false; }

 private:
  explicit TempDir(std::filesystem::path path) : path_(std::move(path)) {}
  void remove();

  std::filesystem::path path_;
  bool remove_ = true;
};

}  // namespace otasim
