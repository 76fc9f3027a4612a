// Job documents: what the device's parser takes out of one is what stands there.
//
// Input: a message of jobs/notify-next or of an answer. Claimed: every view lies in the message; a document
// that is taken is a JSON object for nlohmann's parser too, with the same values where the agent looks; a job
// id or stream name can stand in a topic.
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "agent/src/job_document.h"
#include "agent/src/json_values.h"
#include "tests/fuzzing/claim.h"

namespace {

using nlohmann::json;
using otasim::testing::claim;
using namespace ota;

bool is_topic_level(std::string_view text) {
  return !text.empty() && text.find_first_of("/+#") == std::string_view::npos &&
         text.find('\0') == std::string_view::npos;
}

/// What a string in the document says once its escapes are resolved; nothing if it says more than fits.
std::string plain(std::string_view raw) {
  std::string out(raw.size() + 1, '\0');
  const bool is_copied = copy_string(raw, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  return is_copied ? std::string(out.c_str()) : std::string();
}

void claim_text(const json& object, const char* key, std::string_view raw) {
  if (!object.contains(key)) return claim(raw.empty(), "an absent text is empty");
  const std::string value = object[key].get<std::string>();
  const bool is_plain = value.find('\0') == std::string::npos;
  if (is_plain) claim(plain(raw) == value, "a text is the document's");
}

void claim_number(const json& object, const char* key, std::uint32_t number) {
  if (!object.contains(key)) return claim(number == 0, "an absent number is 0");
  const json& value = object[key];
  if (value.is_number()) return claim(value == number, "a number is the document's");
  std::uint32_t parsed = 0;
  claim(value.is_string() && parse_u32(value.get<std::string>(), parsed) && parsed == number,
        "a number in quotes is the document's");
}

void claim_taken(const json& document, const JobDocument& job) {
  const json& execution = document["execution"];
  claim(execution["jobId"] == job.job_id, "the job id is the document's");
  const json& ota = execution["jobDocument"]["afr_ota"];
  const json& file = ota["files"][0];
  claim_text(ota, "streamname", job.stream_name);
  claim_text(file, "filepath", job.file_path);
  claim_text(file, "certfile", job.certificate);
  claim_text(file, "update_data_url", job.url);
  claim_text(file, "auth_scheme", job.auth_scheme);
  claim_number(file, "filesize", job.file_size);
  claim_number(file, "fileid", job.file_id);
  claim_number(file, "attr", job.file_attributes);
  claim_number(file, "fileType", job.file_type);
  bool has_mqtt = false;
  for (const json& protocol : ota["protocols"]) has_mqtt = has_mqtt || protocol == "MQTT";
  claim(has_mqtt == ((job.protocols & OTA_DATA_OVER_MQTT) != 0), "the protocols are the document's");
  claim(job.stream_name.empty() || is_topic_level(job.stream_name), "a stream name can stand in a topic");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::unique_ptr<char[]> exact(new char[size]);
  if (size != 0) std::memcpy(exact.get(), data, size);
  const std::string_view text(exact.get(), size);
  JobDocument job;
  const JobDocumentStatus status = parse_job_document(text, "sig-sha256-ecdsa", job);
  for (const std::string_view view : {job.client_token, job.job_id, job.stream_name, job.protocols_text,
                                      job.file_path, job.certificate, job.url, job.auth_scheme}) {
    const bool is_within = view.empty() || (view.data() >= text.data() &&
                                            view.data() + view.size() <= text.data() + text.size());
    claim(is_within, "every view lies in the message");
  }
  claim(job.signature.size <= sizeof job.signature.data, "a signature has its size");
  if (status == JobDocumentStatus::kMalformed) return 0;
  // That parser takes no ill-formed UTF-8, which the agent passes on as it is; and no number beyond a double.
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return 0;
  claim(document.is_object(), "only an object is a document");
  if (status != JobDocumentStatus::kNoJob) claim(is_topic_level(job.job_id), "a job id can stand in a topic");
  if (status == JobDocumentStatus::kOk) claim_taken(document, job);
  return 0;
}
