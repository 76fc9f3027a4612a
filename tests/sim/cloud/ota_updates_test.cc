#include "sim/cloud/ota_updates.h"

#include <openssl/evp.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/cloud/base64.h"
#include "sim/cloud/ota_document.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class OtaUpdatesTest : public CloudFixture {
 protected:
  ServiceResult<OtaUpdate> create(CodeSigning signing, const std::string& id = "u1") {
    return cloud_->ota_updates().create(
        {.id = OtaUpdateId::parse(id).value(),
         .targets = {lamp_},
         .files = {{.file_name = "/fw.bin", .object = image_.location, .code_signing = std::move(signing)}}});
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
  const auto update = create(CustomSigning{.signature = {1, 2, 3}, .certificate_name = "/cert.pem"});
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_EQ(update->job_id.str(), "AFR_OTA-u1");
  EXPECT_EQ(update->status, "CREATE_COMPLETE");
  EXPECT_TRUE(update->stream_id.str().starts_with("AFR_OTA-"));
  EXPECT_LE(update->stream_id.str().size(), 44U);
  EXPECT_EQ(document(*update), R"({"afr_ota":{"protocols":["MQTT"],"streamname":")" +
                                   update->stream_id.str() +
                                   R"(","files":[{"filepath":"/fw.bin","filesize":5000,"fileid":0,)"
                                   R"("certfile":"/cert.pem","fileType":0,"sig-sha256-ecdsa":"AQID"}]}})");
}

TEST_F(OtaUpdatesTest, AnotherAlgorithmIsAnotherKey) {
  const auto update = create(CustomSigning{
      .signature = {0}, .certificate_name = "c", .hash_algorithm = "SHA1", .signature_algorithm = "RSA"});
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
  const auto description = cloud_->streams().describe(update->stream_id);
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
  const auto nobody = ThingName::parse("nobody").value();
  CreateOtaUpdateRequest request{.id = OtaUpdateId::parse("u1").value(),
                                 .targets = {nobody},
                                 .files = {{.file_name = "/fw.bin", .object = image_.location}}};
  const auto refusal = [&] {
    const auto result = cloud_->ota_updates().create(request);
    return result ? std::string{"none"} : std::string{to_string(result.error().code)};
  };
  EXPECT_EQ(refusal(), "ResourceNotFound");
  request.targets = {lamp_};
  request.protocols = {Protocol::kMqtt, Protocol::kHttp};
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.protocols = {Protocol::kMqtt};
  request.files[0].file_type = 256;
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.files[0].file_type = 255;
  request.files[0].file_name = "";
  EXPECT_EQ(refusal(), "InvalidRequest");
  request.files[0].file_name = "/fw.bin";
  request.files[0].object.key = "none";
  EXPECT_EQ(refusal(), "ResourceNotFound");
  request.files[0].object = image_.location;
  request.id = OtaUpdateId::parse(std::string(57, 'a')).value();
  EXPECT_EQ(refusal(), "InvalidRequest");
  EXPECT_TRUE(jobs().pending(lamp_).value().empty());
  request.id = OtaUpdateId::parse(std::string(56, 'a')).value();
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(refusal(), "ResourceAlreadyExists");
}

TEST_F(OtaUpdatesTest, ALabWithoutAKeySaysSo) {
  key_path_.clear();
  open();
  const auto update = create(LabSigning{"/signer.pem"});
  ASSERT_FALSE(update);
  EXPECT_THAT(update.error().message, HasSubstr("no code-signing key"));
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

}  // namespace
}  // namespace otasim::cloud
