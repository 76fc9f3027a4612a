// The job document of an OTA update, `afr_ota`, as devices know it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace otasim::cloud {

struct FileSignature {
  std::string certificate_file;     ///< `certfile`
  std::string hash_algorithm;       ///< as in the request, such as SHA256
  std::string signature_algorithm;  ///< such as ECDSA
  std::vector<std::uint8_t> signature;
};

struct OtaDocumentFile {
  std::string file_path;
  std::int64_t file_size = 0;
  std::int64_t file_id = 0;
  int file_type = 0;
  std::string update_data_url = {};  ///< HTTP: a placeholder for a presigned URL; empty: not over HTTP
  std::optional<FileSignature> signature = {};
};

struct OtaDocument {
  std::vector<std::string> protocols;
  std::string stream_name;  ///< empty: not over MQTT
  std::vector<OtaDocumentFile> files;
};

/// Renders the document, keys in AWS's order; text that is no UTF-8 is replaced.
[[nodiscard]] std::string render(const OtaDocument& document);

}  // namespace otasim::cloud
