#include "sim/cloud/signer.h"

namespace otasim::cloud {

Result<Signer> Signer::load(const std::string& key_path) {
  auto key = crypto::P256Key::load_private(key_path);
  if (!key) return tl::unexpected(key.error());
  return Signer(std::move(*key));
}

}  // namespace otasim::cloud
