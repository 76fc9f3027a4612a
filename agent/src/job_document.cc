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

struct TextField {
  const char* key;
  std::string_view JobDocument::*value;
};

struct NumberField {
  const char* key;
  std::uint32_t JobDocument::*value;
  bool is_required;
};

constexpr TextField kFileTexts[] = {
    {"filepath", &JobDocument::file_path},
    {"certfile", &JobDocument::certificate},
    {"update_data_url", &JobDocument::url},
    {"auth_scheme", &JobDocument::auth_scheme},
};

constexpr NumberField kFileNumbers[] = {
    {"filesize", &JobDocument::file_size, true},
    {"fileid", &JobDocument::file_id, true},
    {"attr", &JobDocument::file_attributes, false},
    {"fileType", &JobDocument::file_type, false},
};

/// Reads the fields of one document and remembers what was wrong with them.
class Reader {
 public:
  Reader(JsonDocument& json, JobDocument& out) : json_(json), out_(out) {}

  void read_status(Token execution);
  void read_ota(Token ota, const char* signature_key);

  [[nodiscard]] JobDocumentStatus status() const {
    if (is_nonconforming_ || json_.has_duplicate()) return JobDocumentStatus::kNonConforming;
    return is_incomplete_ ? JobDocumentStatus::kNotOta : JobDocumentStatus::kOk;
  }

 private:
  void read_protocols(Token protocols);
  void read_file(Token file, const char* signature_key);
  void read_signature(std::string_view text);

  void expect(bool condition) { is_nonconforming_ = is_nonconforming_ || !condition; }
  void need(Token token) { is_incomplete_ = is_incomplete_ || token == JsonDocument::kNone; }

  /// A string; empty if it is absent.
  std::string_view text(Token object, const char* key) {
    const Token value = json_.find(object, key);
    expect(value == JsonDocument::kNone || json_.is_string(value));
    return json_.text(value);
  }

  /// A number, bare or in quotes; 0 if it is absent.
  std::uint32_t number(Token value) {
    std::uint32_t number = 0;
    expect(value == JsonDocument::kNone || parse_u32(json_.text(value), number));
    return number;
  }

  JsonDocument& json_;
  JobDocument& out_;
  bool is_nonconforming_ = false;
  bool is_incomplete_ = false;
};

void Reader::read_status(Token execution) {
  out_.is_in_progress = text(execution, "status") == "IN_PROGRESS";
  const Token details = json_.find(execution, "statusDetails");
  expect(details == JsonDocument::kNone || json_.is_object(details));
  out_.updated_by = number(json_.find(details, "updatedBy"));
  const Token self_test = json_.find(details, "self_test");
  if (self_test == JsonDocument::kNone) return;
  out_.self_test = SelfTest::kOther;
  if (json_.is(self_test, "ready")) out_.self_test = SelfTest::kReady;
  if (json_.is(self_test, "active")) out_.self_test = SelfTest::kActive;
}

void Reader::read_ota(Token ota, const char* signature_key) {
  out_.stream_name = text(ota, "streamname");
  expect(out_.stream_name.empty() || is_name(out_.stream_name, kMaxStreamName));
  read_protocols(json_.find(ota, "protocols"));
  const Token files = json_.find(ota, "files");
  expect(files == JsonDocument::kNone || json_.is_array(files));
  read_file(json_.element(files, 0), signature_key);
}

void Reader::read_protocols(Token protocols) {
  need(protocols);
  expect(protocols == JsonDocument::kNone || json_.is_array(protocols));
  out_.protocols_text = json_.text(protocols);
  for (std::size_t i = 0; i < JsonDocument::kMaxTokens; ++i) {
    const Token element = json_.element(protocols, i);
    if (element == JsonDocument::kNone) return;
    expect(json_.is_string(element));
    if (json_.is(element, "MQTT")) out_.protocols |= OTA_DATA_OVER_MQTT;
    if (json_.is(element, "HTTP")) out_.protocols |= OTA_DATA_OVER_HTTP;
  }
}

void Reader::read_file(Token file, const char* signature_key) {
  need(file);
  expect(file == JsonDocument::kNone || json_.is_object(file));
  for (const NumberField& field : kFileNumbers) {
    const Token value = json_.find(file, field.key);
    if (field.is_required) need(value);
    out_.*field.value = number(value);
  }
  for (const TextField& field : kFileTexts) out_.*field.value = text(file, field.key);
  read_signature(text(file, signature_key));
}

/// JSON may write base64's '/' as "\/".
void Reader::read_signature(std::string_view raw) {
  std::array<std::uint8_t, kOTA_MaxSignatureSize / 3 * 4 + 1> plain;
  const bool is_copied = copy_string(raw, plain);
  const std::size_t size =
      is_copied ? base64_decode(reinterpret_cast<const char*>(plain.data()), out_.signature.data)
                : kNotBase64;
  expect(size != kNotBase64);
  out_.signature.size = size != kNotBase64 ? static_cast<std::uint16_t>(size) : std::uint16_t{0};
}

/// Reads what says which job it is. @returns kOk, or why the rest need not be read
JobDocumentStatus read_job_id(JsonDocument& json, Token execution, Token document, JobDocument& out) {
  const Token token = json.find(JsonDocument::kRoot, "clientToken");
  if (json.is_string(token)) out.client_token = json.text(token);
  const Token job_id = json.find(execution, "jobId");
  if (json.has_duplicate()) return JobDocumentStatus::kMalformed;
  if (job_id == JsonDocument::kNone || document == JsonDocument::kNone) return JobDocumentStatus::kNoJob;
  if (!json.is_string(job_id) || !is_name(json.text(job_id), kMaxJobId)) return JobDocumentStatus::kMalformed;
  out.job_id = json.text(job_id);
  return JobDocumentStatus::kOk;
}

}  // namespace

JobDocumentStatus parse_job_document(std::string_view text, const char* signature_key, JobDocument& out) {
  out = JobDocument{};
  JsonDocument json;
  if (!json.parse(text)) return JobDocumentStatus::kMalformed;
  const Token execution = json.find(JsonDocument::kRoot, "execution");
  const Token document = json.find(execution, "jobDocument");
  const JobDocumentStatus status = read_job_id(json, execution, document, out);
  if (status != JobDocumentStatus::kOk) return status;

  const Token ota = json.find(document, "afr_ota");
  if (ota == JsonDocument::kNone && !json.has_duplicate()) return JobDocumentStatus::kNotOta;
  if (!json.is_object(ota)) return JobDocumentStatus::kNonConforming;
  Reader reader(json, out);
  reader.read_status(execution);
  reader.read_ota(ota, signature_key);
  return reader.status();
}

}  // namespace ota
