#include "sim/replay/page_delta.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/unique_fd.h"

namespace otasim::replay {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::array<std::uint8_t, 4> kMagic = {'O', 'T', 'P', 'G'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kIndexBytes = 4;
constexpr mode_t kOwnersAlone = 0600;  // flash holds its device's key

void put(std::vector<std::uint8_t>& bytes, std::uint64_t number, unsigned size) {
  for (unsigned i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

std::uint64_t get(std::span<const std::uint8_t> bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) number = number << 8 | bytes[i - 1];
  return number;
}

std::size_t page_length(std::size_t size, std::size_t begin) {
  return std::min(kPageBytes, size - begin);
}

/// Of the delta of so many bytes: all pages differ.
std::size_t most_bytes(std::size_t size) {
  const std::size_t pages = (size + kPageBytes - 1) / kPageBytes;
  return kHeaderBytes + pages * kIndexBytes + size;
}

tl::unexpected<Error> not_usable(const std::string& path, const std::string& why) {
  return fail(ExitCode::kUsage, fmt::format("the recording's file {} cannot be used: {}", path, why),
              "It is damaged or was made by another version of otasim: record the run again.");
}

}  // namespace

Result<void> write_page_delta(const std::string& path, std::span<const std::uint8_t> base,
                              std::span<const std::uint8_t> now) {
  if (base.size() != now.size()) return fail(ExitCode::kInternal, "a delta of two sizes");
  std::vector<std::uint8_t> bytes(kMagic.begin(), kMagic.end());
  put(bytes, kVersion, 4);
  put(bytes, now.size(), 8);
  for (std::size_t begin = 0; begin < now.size(); begin += kPageBytes) {
    const std::size_t length = page_length(now.size(), begin);
    if (std::memcmp(base.data() + begin, now.data() + begin, length) == 0) continue;
    put(bytes, begin / kPageBytes, kIndexBytes);
    bytes.insert(bytes.end(), now.begin() + static_cast<std::ptrdiff_t>(begin),
                 now.begin() + static_cast<std::ptrdiff_t>(begin + length));
  }
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnersAlone));
  const int error = file ? write_all(file.get(), bytes) : errno;
  if (error == 0) return {};
  return fail(ExitCode::kEnvironment, fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

Result<void> apply_page_delta(const std::string& path, std::span<std::uint8_t> content) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return fail(ExitCode::kEnvironment, fmt::format("{} is missing", path), "The run's folder is not whole.");
  const auto read = read_regular_file(path, most_bytes(content.size()));
  if (!read) return tl::unexpected(read.error());
  std::span<const std::uint8_t> bytes(*read);
  if (bytes.size() < kHeaderBytes || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin()))
    return not_usable(path, "it is none of a recording's");
  if (get(bytes.subspan(4, 4)) != kVersion) return not_usable(path, "it is of another version");
  if (get(bytes.subspan(8, 8)) != content.size()) return not_usable(path, "it is of another size");
  bytes = bytes.subspan(kHeaderBytes);
  while (!bytes.empty()) {
    if (bytes.size() < kIndexBytes) return not_usable(path, "its end is missing");
    const std::uint64_t begin = get(bytes.first(kIndexBytes)) * kPageBytes;
    bytes = bytes.subspan(kIndexBytes);
    if (begin >= content.size()) return not_usable(path, "it has a page that is not there");
    const std::size_t length = page_length(content.size(), begin);
    if (bytes.size() < length) return not_usable(path, "its end is missing");
    std::copy_n(bytes.begin(), length, content.begin() + static_cast<std::ptrdiff_t>(begin));
    bytes = bytes.subspan(length);
  }
  return {};
}

Result<void> write_sparse_file(const std::string& path, std::span<const std::uint8_t> content) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnersAlone));
  bool is_written = file && ::ftruncate(file.get(), static_cast<off_t>(content.size())) == 0;
  for (std::size_t begin = 0; is_written && begin < content.size(); begin += kPageBytes) {
    const auto page = content.subspan(begin, page_length(content.size(), begin));
    if (std::ranges::all_of(page, [](std::uint8_t byte) { return byte == 0; })) continue;
    is_written = ::pwrite(file.get(), page.data(), page.size(), static_cast<off_t>(begin)) ==
                 static_cast<ssize_t>(page.size());
  }
  if (is_written) return {};
  return fail(ExitCode::kEnvironment, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

}  // namespace otasim::replay
