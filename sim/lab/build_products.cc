#include "sim/lab/build_products.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/install_root.h"

namespace otasim::lab {
namespace {

Result<std::string> existing(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return path.string();
  return fail(ExitCode::kEnvironment,
              fmt::format("otasim's build is incomplete: '{}' is missing", path.string()),
              "Run scripts/build, which makes it.");
}

}  // namespace

Result<BuildProducts> BuildProducts::find(const std::string& board) {
  const Result<std::filesystem::path> root = install_root();
  if (!root) return tl::unexpected(root.error());
  BuildProducts products;
  const auto take = [](std::string& where, const std::filesystem::path& path) -> Result<void> {
    Result<std::string> found = existing(path);
    if (!found) return tl::unexpected(found.error());
    where = std::move(*found);
    return {};
  };
  for (const auto& [where, path] :
       {std::pair{&products.bootloader_elf, *root / "firmware" / fmt::format("bootloader-{}.elf", board)},
        std::pair{&products.application_elf, *root / "firmware" / fmt::format("demo-{}.elf", board)},
        std::pair{&products.recovery_elf, *root / "firmware" / fmt::format("recovery-{}.elf", board)},
        std::pair{&products.flash_plugin, *root / "lib" / "libotasim_flash_plugin.so"},
        std::pair{&products.broker_plugin, *root / "lib" / "otasim_broker_plugin.so"},
        std::pair{&products.boot_signing_key, *root / "keys" / "boot_signing_key.pem"},
        std::pair{&products.device_key, *root / "keys" / "device_key.bin"}}) {
    if (Result<void> taken = take(*where, path); !taken) return tl::unexpected(taken.error());
  }
  return products;
}

Result<std::string> find_program(const std::string& file) {
  const Result<std::filesystem::path> root = install_root();
  if (!root) return tl::unexpected(root.error());
  return existing(*root / "firmware" / file);
}

Result<PalTestProducts> find_pal_test(const std::string& board) {
  const Result<std::filesystem::path> root = install_root();
  if (!root) return tl::unexpected(root.error());
  const auto elf = find_program(fmt::format("pal-test-{}.elf", board));
  if (!elf) return tl::unexpected(elf.error());
  const auto signer = existing(*root / "keys" / "pal_test" / "provisioned.der");
  if (!signer) return tl::unexpected(signer.error());
  return PalTestProducts{*elf, *signer};
}

Result<CodeSigningRoot> code_signing_root() {
  const Result<std::filesystem::path> root = install_root();
  if (!root) return tl::unexpected(root.error());
  const Result<std::string> certificate = existing(*root / "keys" / "code_signing_root.der");
  if (!certificate) return tl::unexpected(certificate.error());
  return CodeSigningRoot{*certificate, (*root / "keys" / "code_signing_root_key.pem").string()};
}

Result<DeviceKey> load_device_key(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  DeviceKey key;
  if (bytes->size() != key.size()) {
    return fail(
        ExitCode::kEnvironment,
        fmt::format("'{}' is no device key: it has {} bytes instead of {}", path, bytes->size(), key.size()),
        "Remove it, and scripts/build makes a new one together with the firmware.");
  }
  std::ranges::copy(*bytes, key.begin());
  return key;
}

Result<std::string> build_key(const char* name) {
  const Result<std::filesystem::path> root = install_root();
  if (!root) return tl::unexpected(root.error());
  return existing(*root / "keys" / name);
}

}  // namespace otasim::lab
