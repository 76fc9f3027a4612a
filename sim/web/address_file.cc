#include "sim/web/address_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/file_io.h"

namespace otasim::web {
namespace {

constexpr std::size_t kMaxAddress = 256;
constexpr mode_t kPrivate = 0600;

std::string path_in(const std::string& lab_folder) {
  return fmt::format("{}/{}", lab_folder, kAddressFile);
}

}  // namespace

Result<void> write_address(const std::string& lab_folder, const std::string& way_in) {
  return write_file_atomic(path_in(lab_folder), std::string_view(way_in + "\n"), kPrivate);
}

void forget_address(const std::string& lab_folder) {
  std::error_code ignored;  // it is of no use any more, there or not
  std::filesystem::remove(path_in(lab_folder), ignored);
}

Result<std::string> read_address(const std::string& lab_folder) {
  const auto bytes = read_regular_file(path_in(lab_folder), kMaxAddress);
  if (!bytes) {
    return fail(ExitCode::kEnvironment,
                fmt::format("the page's address cannot be read from {}", path_in(lab_folder)),
                "Start the lab again with otasim up --web.");
  }
  std::string address(bytes->begin(), bytes->end());
  while (!address.empty() && address.back() == '\n') address.pop_back();
  return address;
}

}  // namespace otasim::web
