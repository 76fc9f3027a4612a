#include "sim/cloud/ota_document.h"
#include "sim/base/json.h"

#include "sim/base/text.h"
#include "sim/cloud/base64.h"

namespace otasim::cloud {

namespace {

nlohmann::ordered_json render_file(const OtaDocumentFile& file) {
  nlohmann::ordered_json json{
      {"filepath", file.file_path}, {"filesize", file.file_size}, {"fileid", file.file_id}};
  if (file.signature) json["certfile"] = file.signature->certificate_file;
  json["fileType"] = file.file_type;
  if (!file.update_data_url.empty()) {
    json["update_data_url"] = file.update_data_url;
    json["auth_scheme"] = "aws.s3.presigned";
  }
  if (file.signature) {
    const std::string key = "sig-" + to_lower(file.signature->hash_algorithm) + "-" +
                            to_lower(file.signature->signature_algorithm);
    json[key] = base64_encode(file.signature->signature);
  }
  return json;
}

}  // namespace

std::string render(const OtaDocument& document) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const OtaDocumentFile& file : document.files) files.push_back(render_file(file));
  nlohmann::ordered_json update{{"protocols", document.protocols}};
  if (!document.stream_name.empty()) update["streamname"] = document.stream_name;
  update["files"] = std::move(files);
  const nlohmann::ordered_json json{{"afr_ota", std::move(update)}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace otasim::cloud
