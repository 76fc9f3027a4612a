#include "sim/cli/handed_file.h"

#include <fmt/format.h>

#include "sim/base/file_io.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"

namespace otasim::cli {

Result<HandedFile> HandedFile::firmware(const lab::FirmwareSource& source, const std::string& board) {
  const lab::Board* const found = lab::find_board(board);
  if (found == nullptr) return fail(ExitCode::kUsage, fmt::format("there is no board '{}'", board));
  const auto products = lab::BuildProducts::find(board);
  if (!products) return tl::unexpected(products.error());
  const auto bytes = lab::make_firmware(source, *found, *products);
  if (!bytes) return tl::unexpected(bytes.error());
  return write(*bytes);
}

Result<HandedFile> HandedFile::copy_of(const std::string& path) {
  const auto bytes = lab::read_input(path);
  if (!bytes) return tl::unexpected(bytes.error());
  return write(*bytes);
}

Result<HandedFile> HandedFile::write(std::span<const std::uint8_t> content) {
  auto folder = TempDir::create();
  if (!folder) return tl::unexpected(folder.error());
  HandedFile file(std::move(*folder));
  if (auto written = write_file_atomic(file.path(), content); !written) {
    return tl::unexpected(written.error());
  }
  return file;
}

}  // namespace otasim::cli
