// A file read from its start to its end, piece by piece, while somebody may still be writing it.
//
//   auto file = GrowingFile::open(path);
//   while (true) {
//     const auto header = file->peek(16);
//     if (header.size() < 16) break;      // not there, or not yet: ask again later
//     ...
//     file->skip(16);
//   }
//
// It holds what was peeked at and not yet skipped, and little more. What can go wrong: a read fails; then the
// file ends there, and read_error() says why.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/result.h"

namespace otasim::report {

class GrowingFile {
 public:
  /// A longer line is damage: it is given in pieces of this size.
  static constexpr std::size_t kMostLineBytes = std::size_t{16} << 20;

  /// @returns kEnvironment if the file cannot be opened or is no regular file
  [[nodiscard]] static Result<GrowingFile> open(const std::string& path);

  GrowingFile(GrowingFile&& other) noexcept;
  GrowingFile& operator=(GrowingFile&& other) noexcept;
  ~GrowingFile();

  /// The next `size` bytes; fewer if there are no more (yet). Valid until the next call.
  [[nodiscard]] std::span<const std::uint8_t> peek(std::size_t size);
  /// Goes on by as many bytes as were peeked at.
  void skip(std::size_t size);

  /// The next line without its end, and goes on behind it.
  /// @param is_over  nobody writes any more: what stands behind the last line's end counts as a line
  /// @returns nothing if there is none (yet). Valid until the next call
  [[nodiscard]] std::optional<std::string_view> line(bool is_over);

  /// 0 or an errno.
  [[nodiscard]] int read_error() const { return error_; }

 private:
  explicit GrowingFile(int descriptor) : descriptor_(descriptor) {}

  [[nodiscard]] std::size_t held() const { return buffer_.size() - begin_; }
  /// @returns whether there was something
  [[nodiscard]] bool read_more();

  int descriptor_;
  int error_ = 0;
  std::vector<std::uint8_t> buffer_ = {};
  std::size_t begin_ = 0;    ///< of what is not skipped
  std::size_t scanned_ = 0;  ///< bytes behind `begin_` that hold no line's end
};

}  // namespace otasim::report
