#include "sim/cli/flash_keys.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "sim/lab/build_products.h"

namespace otasim::cli {
namespace {

using inspect::Keys;

constexpr const char* kDeviceKeyFile = "device_key.bin";
constexpr std::array kSignerFiles{lab::kBootSigningKey, lab::kBootSpareKey};

Result<Keys> load_all(const std::filesystem::path& folder) {
  const auto file = [&folder](const char* name) { return (folder / name).string(); };
  std::error_code ignored;  // then it is not there
  Keys keys;
  for (const char* name : kSignerFiles) {
    if (!std::filesystem::exists(file(name), ignored)) continue;
    auto key = crypto::P256Key::load_any(file(name));
    if (!key) return tl::unexpected(key.error());
    keys.signers.push_back({name, std::move(*key)});
  }
  if (std::filesystem::exists(file(lab::kImageEncryptionKey), ignored)) {
    auto key = crypto::P256Key::load_private(file(lab::kImageEncryptionKey));
    if (!key) return tl::unexpected(key.error());
    keys.image_decryption = std::move(*key);
  }
  if (std::filesystem::exists(file(kDeviceKeyFile), ignored)) {
    const auto key = lab::load_device_key(file(kDeviceKeyFile));
    if (!key) return tl::unexpected(key.error());
    keys.device = *key;
  }
  return keys;
}

Keys build_keys() {
  const Result<std::string> one = lab::build_key(lab::kBootSigningKey);
  if (!one) return {};
  auto keys = load_all(std::filesystem::path(*one).parent_path());
  return keys ? std::move(*keys) : Keys{};
}

}  // namespace

Result<Keys> load_flash_keys(const std::string& folder) {
  if (folder.empty()) return build_keys();
  auto keys = load_all(folder);
  if (!keys) {
    keys.error().code = ExitCode::kUsage;
    return keys;
  }
  if (!keys->signers.empty() || keys->device || keys->image_decryption) return keys;
  return fail(ExitCode::kUsage, fmt::format("there are no keys in '{}'", folder),
              fmt::format("They are called {}, {}, {} and {}.", lab::kBootSigningKey, lab::kBootSpareKey,
                          lab::kImageEncryptionKey, kDeviceKeyFile));
}

}  // namespace otasim::cli
