// The job document parser: complete on good documents, and unmoved by hostile ones.
#include "agent/src/job_document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ota {
namespace {

using nlohmann::json;

constexpr const char* kKey = "sig-sha256-ecdsa";

json good_document() {
  return json::parse(R"({
    "clientToken": "0:thing1", "timestamp": 1700000000,
    "execution": {
      "jobId": "AFR_OTA-u1", "thingName": "thing1", "status": "IN_PROGRESS", "queuedAt": 1700000000,
      "lastUpdatedAt": 1700000000, "versionNumber": 3, "executionNumber": 1,
      "statusDetails": {"self_test": "ready", "updatedBy": "0x00090001"},
      "jobDocument": {"afr_ota": {
        "protocols": ["MQTT", "HTTP"], "streamname": "AFR_OTA-11111111-2222-3333-4444-555555555555",
        "files": [{"filepath": "/fw.bin", "filesize": 180568, "fileid": 2, "certfile": "/cert.pem", "fileType": 3,
                   "attr": 7, "update_data_url": "https://host/a?b=c", "auth_scheme": "aws.s3.presigned",
                   "sig-sha256-ecdsa": "AAECAwQ="}]}}}})");
}

json& file_of(json& document) {
  return document["execution"]["jobDocument"]["afr_ota"]["files"][0];
}

/// Parses a copy that ends where its memory ends, so that a read beyond it is caught.
JobDocumentStatus parse(const std::string& text, JobDocument& out) {
  const std::unique_ptr<char[]> exact(new char[text.size()]);
  std::ranges::copy(text, exact.get());
  const JobDocumentStatus status = parse_job_document({exact.get(), text.size()}, kKey, out);
  // Views into `exact` must not outlive it; tests of single fields use the text itself.
  if (status != JobDocumentStatus::kOk) out = JobDocument{};
  return status;
}

JobDocumentStatus status_of(const json& document) {
  JobDocument out;
  return parse(document.dump(), out);
}

TEST(JobDocument, GoodDocumentIsReadCompletely) {
  const std::string text = good_document().dump();
  JobDocument job;
  ASSERT_EQ(parse_job_document(text, kKey, job), JobDocumentStatus::kOk);
  EXPECT_EQ(job.job_id, "AFR_OTA-u1");
  EXPECT_EQ(job.status, "IN_PROGRESS");
  EXPECT_EQ(job.self_test, SelfTest::kReady);
  EXPECT_EQ(job.updated_by, 0x0009'0001U);
  EXPECT_EQ(job.stream_name, "AFR_OTA-11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(job.protocols, OTA_DATA_OVER_MQTT | OTA_DATA_OVER_HTTP);
  EXPECT_EQ(job.file_path, "/fw.bin");
  EXPECT_EQ(job.file_size, 180'568U);
  EXPECT_EQ(job.file_id, 2U);
  EXPECT_EQ(job.certificate, "/cert.pem");
  EXPECT_EQ(job.file_type, 3U);
  EXPECT_EQ(job.file_attributes, 7U);
  EXPECT_EQ(job.url, "https://host/a?b=c");
  EXPECT_EQ(job.auth_scheme, "aws.s3.presigned");
  ASSERT_EQ(job.signature.size, 5);
  EXPECT_EQ(std::vector<int>(job.signature.data, job.signature.data + 5), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(JobDocument, OptionalFieldsMayBeMissing) {
  json document = good_document();
  for (const char* key :
       {"filepath", "certfile", "fileType", "attr", "update_data_url", "auth_scheme", kKey}) {
    file_of(document).erase(key);
  }
  document["execution"].erase("statusDetails");
  document["execution"].erase("status");
  const std::string text = document.dump();
  JobDocument job;
  ASSERT_EQ(parse_job_document(text, kKey, job), JobDocumentStatus::kOk);
  EXPECT_EQ(job.self_test, SelfTest::kAbsent);
  EXPECT_EQ(job.file_type, 0U);
  EXPECT_EQ(job.signature.size, 0);
}

TEST(JobDocument, MissingRequiredFieldMakesItNoOtaJob) {
  for (const char* key : {"filesize", "fileid"}) {
    json document = good_document();
    file_of(document).erase(key);
    EXPECT_EQ(status_of(document), JobDocumentStatus::kNotOta) << key;
  }
  for (const char* key : {"protocols", "files"}) {
    json document = good_document();
    document["execution"]["jobDocument"]["afr_ota"].erase(key);
    EXPECT_EQ(status_of(document), JobDocumentStatus::kNotOta) << key;
  }
  json document = good_document();
  document["execution"]["jobDocument"]["afr_ota"]["files"] = json::array();
  EXPECT_EQ(status_of(document), JobDocumentStatus::kNotOta);
  document["execution"]["jobDocument"] = json::object();
  EXPECT_EQ(status_of(document), JobDocumentStatus::kNotOta);
}

TEST(JobDocument, NoExecutionIdOrDocumentIsAnEmptyQueue) {
  json document = good_document();
  document.erase("execution");
  EXPECT_EQ(status_of(document), JobDocumentStatus::kNoJob);
  EXPECT_EQ(status_of({{"execution", json::object()}}), JobDocumentStatus::kNoJob);
  for (const char* key : {"jobId", "jobDocument"}) {
    document = good_document();
    document["execution"].erase(key);
    EXPECT_EQ(status_of(document), JobDocumentStatus::kNoJob) << key;
  }
}

TEST(JobDocument, EveryTruncationIsMalformed) {
  const std::string text = good_document().dump();
  for (std::size_t size = 0; size < text.size(); ++size) {
    JobDocument job;
    ASSERT_EQ(parse(text.substr(0, size), job), JobDocumentStatus::kMalformed) << size;
  }
}

TEST(JobDocument, EveryByteReplacedIsSurvived) {
  const std::string text = good_document().dump();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'\0', '"', '{', '}', '[', ']', ',', ':', '\\', '9', '\xFF'}) {
      std::string mutated = text;
      mutated[at] = c;
      JobDocument job;
      const JobDocumentStatus status = parse(mutated, job);
      if (!json::accept(mutated) && c != '\xFF') {
        ASSERT_EQ(status, JobDocumentStatus::kMalformed) << mutated;
      }
    }
  }
}

TEST(JobDocument, WrongTypesAreNonConforming) {
  const std::vector<std::pair<const char*, std::vector<json>>> wrong = {
      {"filesize", {json::object(), json::array(), nullptr, true, -1, 1.5, "x", "", "-1", 1e30}},
      {"fileid", {json::object(), nullptr, "zero", 4294967296}},
      {"fileType", {json::array(), false}},
      {"attr", {json::array(), "?"}},
      {"filepath", {1, nullptr, json::object(), json::array()}},
      {"certfile", {1, nullptr, json::object()}},
      {"update_data_url", {1, json::array()}},
      {kKey, {1, nullptr, json::object()}},
  };
  for (const auto& [key, values] : wrong) {
    for (const json& value : values) {
      json document = good_document();
      file_of(document)[key] = value;
      EXPECT_EQ(status_of(document), JobDocumentStatus::kNonConforming) << key << " " << value;
    }
  }
}

TEST(JobDocument, WrongStructureIsNonConforming) {
  const std::vector<std::pair<std::string, json>> wrong = {
      {"/execution/jobDocument/afr_ota", 1},
      {"/execution/jobDocument/afr_ota", "text"},
      {"/execution/jobDocument/afr_ota/files", json::object()},
      {"/execution/jobDocument/afr_ota/files/0", 1},
      {"/execution/jobDocument/afr_ota/protocols", "MQTT"},
      {"/execution/jobDocument/afr_ota/protocols", {1, 2}},
      {"/execution/jobDocument/afr_ota/streamname", 3},
      {"/execution/jobDocument/afr_ota/streamname", "a/b"},
      {"/execution/jobDocument/afr_ota/streamname", "#"},
      {"/execution/jobDocument/afr_ota/streamname", std::string(45, 's')},
      {"/execution/statusDetails", "ready"},
      {"/execution/statusDetails/updatedBy", "yesterday"},
  };
  for (const auto& [pointer, value] : wrong) {
    json document = good_document();
    document[json::json_pointer(pointer)] = value;
    EXPECT_EQ(status_of(document), JobDocumentStatus::kNonConforming) << pointer << " " << value;
  }
}

TEST(JobDocument, JobIdThatIsNoNameIsMalformed) {
  for (const json& id :
       std::vector<json>{"", "a/b", "a+b", "#", "a b", "\u00e9", std::string(73, 'j'), 5, nullptr}) {
    json document = good_document();
    document["execution"]["jobId"] = id;
    EXPECT_EQ(status_of(document), JobDocumentStatus::kMalformed) << id;
  }
  json document = good_document();
  document["execution"]["jobId"] = std::string(72, 'j');
  EXPECT_EQ(status_of(document), JobDocumentStatus::kOk);
}

TEST(JobDocument, DuplicateKeysAreRefused) {
  const std::string text = good_document().dump();
  const auto twice = [&](const std::string& member) {
    std::string doubled = text;
    const std::size_t at = doubled.find(member);
    EXPECT_NE(at, std::string::npos) << member;
    doubled.insert(at, member + ",");
    JobDocument job;
    return parse(doubled, job);
  };
  EXPECT_EQ(twice(R"("filesize":180568)"), JobDocumentStatus::kNonConforming);
  EXPECT_EQ(twice(R"("protocols":["MQTT","HTTP"])"), JobDocumentStatus::kNonConforming);
  EXPECT_EQ(twice(R"("self_test":"ready")"), JobDocumentStatus::kNonConforming);
  EXPECT_EQ(twice(R"("jobId":"AFR_OTA-u1")"), JobDocumentStatus::kMalformed);
}

TEST(JobDocument, SignatureMustBeBase64OfAtMost384Bytes) {
  const auto with_signature = [](const std::string& signature) {
    json document = good_document();
    file_of(document)[kKey] = signature;
    return status_of(document);
  };
  for (const char* bad :
       {"A", "AA", "AAA", "AA=A", "====", "AA==AA==", "AAAA\n", "AA A", "AB==", "AAB=", "A-_A"}) {
    EXPECT_EQ(with_signature(bad), JobDocumentStatus::kNonConforming) << bad;
  }
  EXPECT_EQ(with_signature(std::string(512, 'A')), JobDocumentStatus::kOk);
  EXPECT_EQ(with_signature(std::string(516, 'A')), JobDocumentStatus::kNonConforming);
  EXPECT_EQ(with_signature(""), JobDocumentStatus::kOk);
}

TEST(JobDocument, SignatureUnderAnotherKeyIsNoSignature) {
  json document = good_document();
  file_of(document)["sig-sha1-rsa"] = file_of(document)[kKey];
  file_of(document).erase(kKey);
  const std::string text = document.dump();
  JobDocument job;
  ASSERT_EQ(parse_job_document(text, kKey, job), JobDocumentStatus::kOk);
  EXPECT_EQ(job.signature.size, 0);
}

TEST(JobDocument, EscapedSlashInTheSignatureIsUnderstood) {
  std::string text = good_document().dump();
  text.replace(text.find("AAECAwQ="), 8, "\\/\\/\\/\\/");
  JobDocument job;
  ASSERT_EQ(parse_job_document(text, kKey, job), JobDocumentStatus::kOk);
  EXPECT_EQ(job.signature.size, 3);
  EXPECT_EQ(job.signature.data[0], 0xFF);
}

TEST(JobDocument, OnlyTheFirstFileCounts) {
  json document = good_document();
  json second = file_of(document);
  second["filesize"] = 1;
  document["execution"]["jobDocument"]["afr_ota"]["files"].push_back(second);
  const std::string text = document.dump();
  JobDocument job;
  ASSERT_EQ(parse_job_document(text, kKey, job), JobDocumentStatus::kOk);
  EXPECT_EQ(job.file_size, 180'568U);
}

TEST(JobDocument, AnyPresentSelfTestCounts) {
  for (const json& value : std::vector<json>{"active", "ready", "else", 1, nullptr}) {
    json document = good_document();
    document["execution"]["statusDetails"]["self_test"] = value;
    const std::string text = document.dump();
    JobDocument job;
    ASSERT_EQ(parse_job_document(text, kKey, job), JobDocumentStatus::kOk);
    EXPECT_NE(job.self_test, SelfTest::kAbsent) << value;
  }
}

}  // namespace
}  // namespace ota
