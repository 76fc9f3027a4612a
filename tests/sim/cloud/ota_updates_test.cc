#include "sim/cloud/ota_updates.h"

#include <openssl/evp.h>

#include <algorithm>

#include "sim/base/json.h"
#include "sim/cloud/base64.h"
#include "sim/cloud/ota_document.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

class OtaUpdatesTest : public CloudFixture {
 protected:
  ServiceResult<OtaUpdate> create(CodeSigning signing, const std::string& id = "u1") {
    return cloud_->ota_updates().create(
        {.id = OtaUpdateId::parse(id).value(),
         .targets = {lamp_},
         .files = {
             {.file_name = "/fw.bin", .location = image_.location, .code_signing = std::move(signing)}}});
  }

  std::string document(const OtaUpdate& update) {
    return jobs().describe_job(update.job_id).value().document;
  }

  static std::vector<std::uint8_t> decode(const std::string& base64) {
    std::vector<std::uint8_t> bytes(base64.size() / 4 * 3);
    EXPECT_EQ(EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                              static_cast<int>(base64.size())),
              static_cast<int>(bytes.size()));
    bytes.resize(bytes.size() - static_cast<std::size_t>(std::ranges::count(base64, '=')));
    return bytes;
  }

  ObjectInfo image_ = upload(pattern(5000));
};

TEST_F(OtaUpdatesTest, TheDocumentIsExactToTheKey) {
  const auto update = create(CustomSigning{.signature = Bytes{1, 2, 3}, .certificate_name = "/cert.pem"});
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_EQ(update->job_id.str(), "AFR_OTA-u1");
  EXPECT_EQ(update->status, OtaUpdateStatus::kCreateComplete);
  EXPECT_TRUE(update->stream_id->str().starts_with("AFR_OTA-"));
  EXPECT_LE(update->stream_id->str().size(), 44U);
  EXPECT_EQ(document(*update), R"({"afr_ota":{"protocols":["MQTT"],"streamname":")" +
                                   update->stream_id->str() +
                                   R"(","files":[{"filepath":"/fw.bin","filesize":5000,"fileid":0,)"
                                   R"("certfile":"/cert.pem","fileType":0,"sig-sha256-ecdsa":"AQID"}]}})");
}

TEST_F(OtaUpdatesTest, AnotherAlgorithmIsAnotherKey) {
  const auto update = create(CustomSigning{.signature = Bytes{0},
                                           .certificate_name = "c",
                                           .hash_algorithm = "SHA1",
                                           .signature_algorithm = "RSA"});
  ASSERT_TRUE(update);
  const auto file = Json::parse(document(*update))["afr_ota"]["files"][0];
  EXPECT_EQ(file["sig-sha1-rsa"], "AA==");
  EXPECT_FALSE(file.contains("sig-sha256-ecdsa"));
}

TEST_F(OtaUpdatesTest, AnUnsignedUpdateHasNeitherSignatureNorCertificate) {
  const auto update = create(Unsigned{});
  ASSERT_TRUE(update);
  const auto file = Json::parse(document(*update))["afr_ota"]["files"][0];
  EXPECT_EQ(file, (Json{{"filepath", "/fw.bin"}, {"filesize", 5000}, {"fileid", 0}, {"fileType", 0}}));
}

TEST_F(OtaUpdatesTest, TheLabsSignatureVerifiesOverTheImage) {
  const auto update = create(LabSigning{.certificate_path_on_device = "/signer.pem"});
  ASSERT_TRUE(update) << update.error().message;
  const auto file = Json::parse(document(*update))["afr_ota"]["files"][0];
  EXPECT_EQ(file["certfile"], "/signer.pem");
  EXPECT_TRUE(key_.verify(pattern(5000), decode(file["sig-sha256-ecdsa"])));
}

TEST_F(OtaUpdatesTest, TheStreamServesTheImageThatWasSigned) {
  const auto update = create(LabSigning{"/signer.pem"});
  ASSERT_TRUE(update);
  upload(pattern(100));  // a later version
  const auto description = cloud_->streams().describe(*update->stream_id);
  ASSERT_TRUE(description);
  EXPECT_EQ(description->files.at(0).size, 5000);
}

TEST_F(OtaUpdatesTest, TheThingGetsAnExecution) {
  std::vector<std::string> heard;
  const auto watch = cloud_->on_execution_change([&](const JobExecution& e) {
    heard.push_back(e.job_id.str() + " " + e.thing.str() + " " + std::string{to_string(e.state.status)});
  });
  ASSERT_TRUE(create(Unsigned{}));
  EXPECT_THAT(heard, ::testing::ElementsAre("AFR_OTA-u1 lamp QUEUED"));
}

TEST_F(OtaUpdatesTest, WhatIsRefusedLeavesNothingBehind) {
  CreateOtaUpdateRequest request{.id = OtaUpdateId::parse("u1").value(),
                                 .targets = {lamp_},
                                 .files = {{.file_name = "/fw.bin", .location = image_.location}}};
  const auto refusal = [&] {
    const auto result = cloud_->ota_updates().create(request);
    return result ? std::string{"none"} : std::string{to_string(result.error().code)};
  };
  request.protocols = {};
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.protocols = {Protocol::kMqtt, Protocol::kMqtt};
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.protocols = {Protocol::kMqtt};
  request.files[0].file_type = 256;
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.files[0].file_type = 255;
  request.files[0].file_name = "";
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.files[0].file_name = "/fw.bin";
  request.files[0].code_signing = CustomSigning{Bytes{1}, "c", "SHA 256", "ECDSA"};
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.files[0].code_signing = Unsigned{};
  request.files.push_back({.file_name = "/b", .location = StreamFileLocation{StreamId::parse("s").value()}});
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.files.pop_back();
  request.rollout = {.maximum_per_minute = 1001};
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.rollout = {};
  request.abort = {{{AbortFailure::kAll, 100'01, 1}}};
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.abort = {};
  request.retries = {.failed = 11};
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.retries = {};
  request.id = OtaUpdateId::parse(std::string(57, 'a')).value();
  EXPECT_EQ(refusal(), "InvalidRequest");
  EXPECT_TRUE(pending(lamp_).empty());
  EXPECT_TRUE(cloud_->ota_updates().list()->items.empty());
  request.id = OtaUpdateId::parse(std::string(56, 'a')).value();
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(refusal(), "ResourceAlreadyExists");
}

TEST_F(OtaUpdatesTest, WhatGoesWrongInTheMakingIsToldInTheUpdateAndLeavesNeitherStreamNorJob) {
  CreateOtaUpdateRequest request{.id = OtaUpdateId::parse("u1").value(),
                                 .targets = {ThingName::parse("nobody").value()},
                                 .files = {{.file_name = "/fw.bin", .location = image_.location}}};
  const auto failure = [&](const char* id) {
    request.id = OtaUpdateId::parse(id).value();
    const auto update = cloud_->ota_updates().create(request);
    EXPECT_TRUE(update) << update.error().message;
    EXPECT_EQ(update->status, OtaUpdateStatus::kCreateFailed);
    EXPECT_FALSE(update->stream_id);
    EXPECT_FALSE(jobs().describe_job(update->job_id));
    return update->error.value_or(OtaUpdateError{}).code;
  };
  EXPECT_EQ(failure("nobody"), "ResourceNotFound");
  request.targets = {lamp_};
  request.files[0].location = ObjectLocation{"firmware", "none", ""};
  EXPECT_EQ(failure("no-object"), "ResourceNotFound");
  request.files[0].location = StreamFileLocation{StreamId::parse("none").value()};
  EXPECT_EQ(failure("no-stream"), "ResourceNotFound");
  request.files[0].location = image_.location;
  request.presigned_expires_sec = 59;
  EXPECT_EQ(failure("expiry"), "InvalidRequest");
  EXPECT_TRUE(cloud_->streams().list()->items.empty());
  EXPECT_TRUE(pending(lamp_).empty());
  EXPECT_EQ(cloud_->ota_updates().list({.status = OtaUpdateStatus::kCreateFailed})->items.size(), 4U);
  EXPECT_TRUE(cloud_->ota_updates().list({.status = OtaUpdateStatus::kCreateComplete})->items.empty());
}

TEST_F(OtaUpdatesTest, AJobIdThatIsTakenFailsTheUpdateAndSparesTheJob) {
  create_job("AFR_OTA-u1", {door_});
  const auto update = create(Unsigned{});
  ASSERT_TRUE(update);
  ASSERT_TRUE(update->error);
  EXPECT_EQ(update->error->code, "ResourceAlreadyExists");
  ASSERT_TRUE(cloud_->ota_updates().remove(update->id, {.delete_stream = true, .force_delete_job = true}));
  EXPECT_TRUE(jobs().describe_job(job("AFR_OTA-u1")));
}

TEST_F(OtaUpdatesTest, OverHttpTheDocumentCarriesAUrlAndNoStream) {
  const auto update =
      cloud_->ota_updates().create({.id = OtaUpdateId::parse("u1").value(),
                                    .targets = {lamp_},
                                    .files = {{.file_name = "/f", .location = image_.location}},
                                    .protocols = {Protocol::kHttp}});
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_FALSE(update->stream_id);
  EXPECT_EQ(document(*update),
            R"({"afr_ota":{"protocols":["HTTP"],"files":[{"filepath":"/f","filesize":5000,)"
            R"("fileid":0,"fileType":0,"update_data_url":)"
            R"("${aws:iot:s3-presigned-url:https://s3.amazonaws.com/firmware/app.bin?versionId=)" +
                image_.location.version + R"(}","auth_scheme":"aws.s3.presigned"}]}})");
  EXPECT_EQ(jobs().describe_job(update->job_id)->presigned_expires_sec, 1800);
}

TEST_F(OtaUpdatesTest, OverBothTheDocumentCarriesBothInTheOrderGiven) {
  const auto update =
      cloud_->ota_updates().create({.id = OtaUpdateId::parse("u1").value(),
                                    .targets = {lamp_},
                                    .files = {{.file_name = "/f", .location = image_.location}},
                                    .protocols = {Protocol::kHttp, Protocol::kMqtt},
                                    .presigned_expires_sec = 60});
  ASSERT_TRUE(update) << update.error().message;
  const auto ota = Json::parse(document(*update))["afr_ota"];
  EXPECT_EQ(ota["protocols"], (Json{"HTTP", "MQTT"}));
  EXPECT_EQ(ota["streamname"], update->stream_id->str());
  EXPECT_TRUE(ota["files"][0].contains("update_data_url"));
  EXPECT_EQ(jobs().describe_job(update->job_id)->presigned_expires_sec, 60);
}

TEST_F(OtaUpdatesTest, ASignatureMayComeFromAStream) {
  const auto signature = cloud_->objects().put("firmware", "app.sig", Bytes{9, 8, 7}).value();
  const auto stream = StreamId::parse("signatures").value();
  ASSERT_TRUE(cloud_->streams().create({.id = stream, .files = {{3, signature.location}}}));
  const auto update = create(CustomSigning{StreamFileLocation{stream, 3}, "/cert.pem"});
  ASSERT_TRUE(update && !update->error);
  EXPECT_EQ(Json::parse(document(*update))["afr_ota"]["files"][0]["sig-sha256-ecdsa"], "CQgH");
}

TEST_F(OtaUpdatesTest, ABareStreamCarriesAnUnsignedUpdateUnderItsOwnNameAndFileId) {
  const auto stream = StreamId::parse("bare").value();
  ASSERT_TRUE(cloud_->streams().create({.id = stream, .files = {{7, image_.location}}}));
  const auto update = cloud_->ota_updates().create(
      {.id = OtaUpdateId::parse("u1").value(),
       .targets = {lamp_},
       .files = {{.file_name = "/f", .location = StreamFileLocation{stream, 7}}}});
  ASSERT_TRUE(update && !update->error);
  const auto ota = Json::parse(document(*update))["afr_ota"];
  EXPECT_EQ(ota["streamname"], "bare");
  EXPECT_EQ(ota["files"][0], (Json{{"filepath", "/f"}, {"filesize", 5000}, {"fileid", 7}, {"fileType", 0}}));
  ASSERT_TRUE(cloud_->ota_updates().remove(update->id, {.delete_stream = true, .force_delete_job = true}));
  EXPECT_TRUE(cloud_->streams().describe(stream)) << "the caller's own stream stays";
}

TEST_F(OtaUpdatesTest, AnUpdateIsToldAsItWasAskedFor) {
  const auto stream = StreamId::parse("s").value();
  ASSERT_TRUE(
      cloud_->streams().create({.id = stream, .files = {{0, image_.location}, {1, image_.location}}}));
  const CreateOtaUpdateRequest request{
      .id = OtaUpdateId::parse("u1").value(),
      .targets = {lamp_, door_},
      .files = {{.file_name = "/a",
                 .location = StreamFileLocation{stream, 0},
                 .code_signing = CustomSigning{Bytes{1, 2}, "cert", "SHA1", "RSA"},
                 .file_type = 3},
                {.file_name = "/b",
                 .location = StreamFileLocation{stream, 1},
                 .code_signing = LabSigning{"/signer.pem"}}},
      .description = "two files",
      .target_selection = TargetSelection::kContinuous};
  ASSERT_TRUE(cloud_->ota_updates().create(request));
  const auto update = cloud_->ota_updates().describe(request.id).value();
  EXPECT_EQ(update.description, "two files");
  EXPECT_EQ(update.target_selection, TargetSelection::kContinuous);
  EXPECT_EQ(update.targets, (std::vector<JobTarget>{lamp_, door_}));
  ASSERT_EQ(update.files.size(), 2U);
  EXPECT_EQ(update.files[0].file_type, 3);
  EXPECT_EQ(std::get<StreamFileLocation>(update.files[1].location).file_id, 1);
  EXPECT_EQ(std::get<Bytes>(std::get<CustomSigning>(update.files[0].code_signing).signature), (Bytes{1, 2}));
  EXPECT_EQ(std::get<LabSigning>(update.files[1].code_signing).certificate_path_on_device, "/signer.pem");
}

TEST_F(OtaUpdatesTest, DeletingNeedsForceWhileTheJobIsInProgressAndTakesItAlong) {
  const auto update = create(Unsigned{}).value();
  const auto refused = cloud_->ota_updates().remove(update.id);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(cloud_->streams().remove(*update.stream_id).error().code, ErrorCode::kDeleteConflict);

  ASSERT_TRUE(jobs().cancel(update.job_id));
  ASSERT_TRUE(cloud_->ota_updates().remove(update.id));
  EXPECT_EQ(cloud_->ota_updates().describe(update.id).error().code, ErrorCode::kResourceNotFound);
  EXPECT_EQ(jobs().describe_job(update.job_id)->status, JobStatus::kDeletionInProgress);
  clock_.advance(1);
  ASSERT_TRUE(jobs().run_due());
  EXPECT_FALSE(jobs().describe_job(update.job_id));
  EXPECT_TRUE(cloud_->streams().describe(*update.stream_id)) << "the stream goes only if asked for";

  const auto second = create(Unsigned{}).value();
  ASSERT_TRUE(cloud_->ota_updates().remove(second.id, {.delete_stream = true, .force_delete_job = true}));
  EXPECT_FALSE(cloud_->streams().describe(*second.stream_id));
  EXPECT_TRUE(pending(lamp_).empty());
}

TEST_F(OtaUpdatesTest, ListsGoOnBehindTheirTokens) {
  for (const char* id : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(create(Unsigned{}, id));
  std::string seen;
  PageRequest page{.max_results = 2};
  do {
    const auto list = cloud_->ota_updates().list({.page = page}).value();
    for (const OtaUpdate& update : list.items) seen += update.id.str();
    page.next_token = list.next_token;
  } while (!page.next_token.empty());
  EXPECT_EQ(seen, "abcde");
  EXPECT_EQ(cloud_->ota_updates().list({.page = {.max_results = 0}}).error().code,
            ErrorCode::kInvalidRequest);
  EXPECT_EQ(cloud_->ota_updates().list({.page = {.max_results = 251}}).error().code,
            ErrorCode::kInvalidRequest);
}

TEST_F(OtaUpdatesTest, ALabWithoutAKeySaysSo) {
  key_path_.clear();
  open();
  const auto update = create(LabSigning{"/signer.pem"});
  ASSERT_TRUE(update && update->error);
  EXPECT_THAT(update->error->message, HasSubstr("no code-signing key"));
}

TEST_F(OtaUpdatesTest, AKeyThatIsNoneIsTheUsersMistake) {
  key_path_ = folder_.file("none.key");
  CloudOptions options;
  options.signing_key_path = key_path_;
  const auto cloud = Cloud::open(folder_.path().string(), clock_, *log_, options);
  ASSERT_FALSE(cloud);
  EXPECT_EQ(cloud.error().code, ExitCode::kUsage);
}

TEST(Base64, PadsAsTheStandardSays) {
  EXPECT_EQ(base64_encode({}), "");
  EXPECT_EQ(base64_encode(std::vector<std::uint8_t>{'f'}), "Zg==");
  EXPECT_EQ(base64_encode(std::vector<std::uint8_t>{'f', 'o'}), "Zm8=");
  EXPECT_EQ(base64_encode(std::vector<std::uint8_t>{'f', 'o', 'o'}), "Zm9v");
}

TEST(Base64, ReadsBackWhatItWritesAndNothingElse) {
  for (std::size_t size = 0; size < 10; ++size) {
    const Bytes bytes(size, 0xA5);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
  for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zg==\n", " Zg=", "Zg==Zg==", "Z===", "===="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

}  // namespace
}  // namespace otasim::cloud
