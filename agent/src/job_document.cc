#include "agent/src/job_document.h"

#include <cstddef>

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

enum class Kind : std::uint8_t {
  kAny,
  kObject,
  kArray,
  kFirst,      ///< an object, the first element of its parent
  kText,       ///< a string, put into a string_view
  kNumber,     ///< a number, bare or in quotes, put into an u32
  kSignature,  ///< a string under the key that this device can verify
};

/// What is looked for, each in one that was looked for before.
enum Node : std::uint8_t {
  kRoot,
  kClientToken,
  kExecution,
  kJobId,
  kDocument,
  kOta,
  kStatus,
  kDetails,
  kUpdatedBy,
  kSelfTest,
  kStream,
  kProtocols,
  kFiles,
  kFile,
  kFileSize,
  kFileId,
  kAttributes,
  kFileType,
  kFilePath,
  kCertificate,
  kUrl,
  kAuthScheme,
  kSignatureNode,
  kNodeCount,
};

struct Field {
  const char* key;
  std::uint16_t offset;  ///< in JobDocument
  Node parent;
  Kind kind;
};

#define OTA_MEMBER(name) static_cast<std::uint16_t>(offsetof(JobDocument, name))

constexpr Field kFields[kNodeCount] = {
    {nullptr, 0, kRoot, Kind::kAny},
    {"clientToken", 0, kRoot, Kind::kAny},
    {"execution", 0, kRoot, Kind::kAny},
    {"jobId", 0, kExecution, Kind::kAny},
    {"jobDocument", 0, kExecution, Kind::kAny},
    {"afr_ota", 0, kDocument, Kind::kAny},
    {"status", OTA_MEMBER(status), kExecution, Kind::kText},
    {"statusDetails", 0, kExecution, Kind::kObject},
    {"updatedBy", OTA_MEMBER(updated_by), kDetails, Kind::kNumber},
    {"self_test", 0, kDetails, Kind::kAny},
    {"streamname", OTA_MEMBER(stream_name), kOta, Kind::kText},
    {"protocols", 0, kOta, Kind::kArray},
    {"files", 0, kOta, Kind::kArray},
    {nullptr, 0, kFiles, Kind::kFirst},
    {"filesize", OTA_MEMBER(file_size), kFile, Kind::kNumber},
    {"fileid", OTA_MEMBER(file_id), kFile, Kind::kNumber},
    {"attr", OTA_MEMBER(file_attributes), kFile, Kind::kNumber},
    {"fileType", OTA_MEMBER(file_type), kFile, Kind::kNumber},
    {"filepath", OTA_MEMBER(file_path), kFile, Kind::kText},
    {"certfile", OTA_MEMBER(certificate), kFile, Kind::kText},
    {"update_data_url", OTA_MEMBER(url), kFile, Kind::kText},
    {"auth_scheme", OTA_MEMBER(auth_scheme), kFile, Kind::kText},
    {nullptr, 0, kFile, Kind::kSignature},
};

#undef OTA_MEMBER

constexpr Node kRequired[] = {kProtocols, kFile, kFileSize, kFileId};

/// Reads the fields of one document and remembers what was wrong with them.
class Reader {
 public:
  Reader(std::string_view text, const char* signature_key, JobDocument& out)
      : signature_key_(signature_key), out_(out), is_json_(json_.parse(text)) {}

  JobDocumentStatus read();

 private:
  [[nodiscard]] JobDocumentStatus read_job_id();
  void find(Node first, Node last);
  void take(const Field& field, Token token);
  void take_signature(std::string_view text);
  void take_protocols();
  void take_self_test();

  void expect(bool condition) {
    if (!condition) is_nonconforming_ = true;
  }
  [[nodiscard]] bool is_absent(Node node) const { return tokens_[node] == JsonDocument::kNone; }

  JsonDocument json_;
  const char* signature_key_;
  JobDocument& out_;
  Token tokens_[kNodeCount] = {JsonDocument::kRoot};
  bool is_json_;
  bool is_nonconforming_ = false;
};

JobDocumentStatus Reader::read() {
  if (!is_json_) return JobDocumentStatus::kMalformed;
  find(kClientToken, kDocument);
  const JobDocumentStatus status = read_job_id();
  if (status != JobDocumentStatus::kOk) return status;

  find(kOta, kOta);
  if (is_absent(kOta) && !json_.has_duplicate()) return JobDocumentStatus::kNotOta;
  if (!json_.is_object(tokens_[kOta])) return JobDocumentStatus::kNonConforming;
  find(kStatus, kSignatureNode);
  expect(out_.stream_name.empty() || is_name(out_.stream_name, kMaxStreamName));
  take_protocols();
  take_self_test();
  if (is_nonconforming_ || json_.has_duplicate()) return JobDocumentStatus::kNonConforming;
  for (const Node node : kRequired) {
    if (is_absent(node)) return JobDocumentStatus::kNotOta;
  }
  return JobDocumentStatus::kOk;
}

/// Reads what says which job it is.
JobDocumentStatus Reader::read_job_id() {
  if (json_.is_string(tokens_[kClientToken])) out_.client_token = json_.text(tokens_[kClientToken]);
  if (json_.has_duplicate()) return JobDocumentStatus::kMalformed;
  if (is_absent(kJobId) || is_absent(kDocument)) return JobDocumentStatus::kNoJob;
  const std::string_view id = json_.text(tokens_[kJobId]);
  if (!json_.is_string(tokens_[kJobId]) || !is_name(id, kMaxJobId)) return JobDocumentStatus::kMalformed;
  out_.job_id = id;
  return JobDocumentStatus::kOk;
}

void Reader::find(Node first, Node last) {
  for (std::size_t i = first; i <= last; ++i) {
    const Field& field = kFields[i];
    const Token parent = tokens_[field.parent];
    const char* key = field.kind == Kind::kSignature ? signature_key_ : field.key;
    tokens_[i] = field.kind == Kind::kFirst ? json_.element(parent, 0) : json_.find(parent, key);
    if (tokens_[i] != JsonDocument::kNone) take(field, tokens_[i]);
  }
}

/// An absent field keeps its zero.
void Reader::take(const Field& field, Token token) {
  void* member = reinterpret_cast<unsigned char*>(&out_) + field.offset;
  const std::string_view text = json_.text(token);
  switch (field.kind) {
    case Kind::kAny:
      return;
    case Kind::kObject:
    case Kind::kFirst:
      return expect(json_.is_object(token));
    case Kind::kArray:
      return expect(json_.is_array(token));
    case Kind::kNumber:
      return expect(parse_u32(text, *static_cast<std::uint32_t*>(member)));
    case Kind::kText:
      *static_cast<std::string_view*>(member) = text;
      break;
    case Kind::kSignature:
      take_signature(text);
      break;
  }
  expect(json_.is_string(token));
}

/// JSON may write base64's '/' as "\/".
void Reader::take_signature(std::string_view raw) {
  std::array<std::uint8_t, kOTA_MaxSignatureSize / 3 * 4 + 1> plain;
  if (!copy_string(raw, plain)) return expect(false);
  const std::size_t size = base64_decode(reinterpret_cast<const char*>(plain.data()), out_.signature.data);
  if (size == kNotBase64) return expect(false);
  out_.signature.size = static_cast<std::uint16_t>(size);
}

void Reader::take_protocols() {
  const Token protocols = tokens_[kProtocols];
  out_.protocols_text = json_.text(protocols);
  for (std::size_t i = 0; i < JsonDocument::kMaxTokens; ++i) {
    const Token element = json_.element(protocols, i);
    if (element == JsonDocument::kNone) return;
    expect(json_.is_string(element));
    if (json_.is(element, "MQTT")) out_.protocols |= OTA_DATA_OVER_MQTT;
    if (json_.is(element, "HTTP")) out_.protocols |= OTA_DATA_OVER_HTTP;
  }
}

void Reader::take_self_test() {
  const Token self_test = tokens_[kSelfTest];
  if (self_test == JsonDocument::kNone) return;
  out_.self_test = json_.is(self_test, "ready")    ? SelfTest::kReady
                   : json_.is(self_test, "active") ? SelfTest::kActive
                                                   : SelfTest::kOther;
}

}  // namespace

JobDocumentStatus parse_job_document(std::string_view text, const char* signature_key, JobDocument& out) {
  out = JobDocument{};
  return Reader(text, signature_key, out).read();
}

}  // namespace ota
