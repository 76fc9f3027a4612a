#include "agent/src/job_document.h"

#include "agent/src/base64.h"
#include "agent/src/json_document.h"
#include "agent/src/json_values.h"

namespace ota {
namespace {

using Token = JsonDocument::Token;

/// AWS allows letters, digits, '-' and '_' in job ids and stream ids.
bool is_name(std::string_view text, std::size_t max_size) {
  if (text.empty() || text.size() > max_size) return false;
  for (const char c : text) {
    const bool is_allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!is_allowed) return false;
  }
  return true;
}

/// Reads fields and remembers what was wrong with them.
class FieldReader {
 public:
  explicit FieldReader(JsonDocument& json) : json_(json) {}

  std::string_view string(Token object, std::string_view key) {
    const auto value = json_.find(object, key);
    if (!value) return {};
    if (!json_.is_string(*value)) {
      is_nonconforming_ = true;
      return {};
    }
    return json_.text(*value);
  }

  /// A number, bare or in quotes; 0 if it is absent.
  std::uint32_t number(Token object, std::string_view key) {
    const auto value = json_.find(object, key);
    if (!value) return 0;
    const auto number = parse_u32(json_.text(*value));
    if (!number) is_nonconforming_ = true;
    return number.value_or(0);
  }

  void require(Token object, std::string_view key) {
    if (!json_.find(object, key)) mark_incomplete();
  }

  void mark_incomplete() { is_incomplete_ = true; }
  void reject() { is_nonconforming_ = true; }

  [[nodiscard]] JobDocumentStatus status() const {
    if (is_nonconforming_ || json_.has_duplicate()) return JobDocumentStatus::kNonConforming;
    return is_incomplete_ ? JobDocumentStatus::kNotOta : JobDocumentStatus::kOk;
  }

 private:
  JsonDocument& json_;
  bool is_nonconforming_ = false;
  bool is_incomplete_ = false;
};

void read_status(JsonDocument& json, FieldReader& fields, Token execution, JobDocument& out) {
  out.is_in_progress = fields.string(execution, "status") == "IN_PROGRESS";
  const auto details = json.find(execution, "statusDetails");
  if (!details) return;
  if (!json.is_object(*details)) return fields.reject();
  out.updated_by = fields.number(*details, "updatedBy");
  const auto self_test = json.find(*details, "self_test");
  if (!self_test) return;
  const std::string_view text = json.text(*self_test);
  out.self_test = text == "ready"    ? SelfTest::kReady
                  : text == "active" ? SelfTest::kActive
                                     : SelfTest::kOther;
}

void read_protocols(JsonDocument& json, FieldReader& fields, Token ota, JobDocument& out) {
  const auto protocols = json.find(ota, "protocols");
  if (!protocols) return fields.require(ota, "protocols");
  if (!json.is_array(*protocols)) return fields.reject();
  out.protocols_text = json.text(*protocols);
  for (std::size_t i = 0; i < JsonDocument::kMaxTokens; ++i) {
    const auto element = json.element(*protocols, i);
    if (!element) return;
    if (!json.is_string(*element)) return fields.reject();
    if (json.text(*element) == "MQTT") out.protocols |= OTA_DATA_OVER_MQTT;
    if (json.text(*element) == "HTTP") out.protocols |= OTA_DATA_OVER_HTTP;
  }
}

void read_signature(FieldReader& fields, Token file, std::string_view key, JobDocument& out) {
  const std::string_view text = fields.string(file, key);
  if (text.empty()) return;
  // JSON may write base64's '/' as "\/".
  std::array<std::uint8_t, kOTA_MaxSignatureSize / 3 * 4 + 1> plain;
  if (!copy_string(text, plain)) return fields.reject();
  const auto size = base64_decode(reinterpret_cast<const char*>(plain.data()), out.signature.data);
  if (!size) return fields.reject();
  out.signature.size = static_cast<std::uint16_t>(*size);
}

void read_file(FieldReader& fields, Token file, std::string_view signature_key, JobDocument& out) {
  fields.require(file, "filesize");
  fields.require(file, "fileid");
  out.file_size = fields.number(file, "filesize");
  out.file_id = fields.number(file, "fileid");
  out.file_attributes = fields.number(file, "attr");
  out.file_type = fields.number(file, "fileType");
  out.file_path = fields.string(file, "filepath");
  out.certificate = fields.string(file, "certfile");
  out.url = fields.string(file, "update_data_url");
  out.auth_scheme = fields.string(file, "auth_scheme");
  read_signature(fields, file, signature_key, out);
}

JobDocumentStatus read_ota(JsonDocument& json, Token execution, Token ota, std::string_view signature_key,
                           JobDocument& out) {
  FieldReader fields(json);
  read_status(json, fields, execution, out);
  out.stream_name = fields.string(ota, "streamname");
  if (!out.stream_name.empty() && !is_name(out.stream_name, kMaxStreamName)) fields.reject();
  read_protocols(json, fields, ota, out);

  const auto files = json.find(ota, "files");
  if (files && !json.is_array(*files)) fields.reject();
  const auto file = files ? json.element(*files, 0) : std::nullopt;
  if (file && !json.is_object(*file)) fields.reject();
  if (file) {
    read_file(fields, *file, signature_key, out);
  } else {
    fields.mark_incomplete();
  }
  return fields.status();
}

}  // namespace

JobDocumentStatus parse_job_document(std::string_view text, std::string_view signature_key,
                                     JobDocument& out) {
  out = JobDocument{};
  JsonDocument json;
  if (!json.parse(text)) return JobDocumentStatus::kMalformed;

  const auto execution = json.find(JsonDocument::kRoot, "execution");
  if (!execution) return json.has_duplicate() ? JobDocumentStatus::kMalformed : JobDocumentStatus::kNoJob;
  const auto job_id = json.find(*execution, "jobId");
  const auto document = json.find(*execution, "jobDocument");
  if (json.has_duplicate()) return JobDocumentStatus::kMalformed;
  if (!job_id || !document) return JobDocumentStatus::kNoJob;
  if (!json.is_string(*job_id) || !is_name(json.text(*job_id), kMaxJobId))
    return JobDocumentStatus::kMalformed;

  const std::string_view id = json.text(*job_id);
  out.job_id = id;
  const auto ota = json.find(*document, "afr_ota");
  if (!ota && !json.has_duplicate()) return JobDocumentStatus::kNotOta;
  JobDocumentStatus status = JobDocumentStatus::kNonConforming;
  if (ota && json.is_object(*ota)) status = read_ota(json, *execution, *ota, signature_key, out);
  if (status != JobDocumentStatus::kOk) {
    out = JobDocument{};
    out.job_id = id;
  }
  return status;
}

}  // namespace ota
