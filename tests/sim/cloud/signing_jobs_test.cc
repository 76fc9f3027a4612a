// Signing: imported keys, profiles, jobs, and OTA updates that use them.
#include "sim/cloud/signing_jobs.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/cloud/base64.h"
#include "sim/crypto/certificate.h"
#include "tests/sim/cloud/cloud_fixture.h"
#include "tests/sim/cloud/rsa_identity.h"

namespace otasim::cloud {
namespace {

using crypto::Certificate;
using crypto::HashAlgorithm;
using crypto::P256Key;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Bytes = std::vector<std::uint8_t>;

class SigningJobsTest : public CloudFixture {
 protected:
  struct Identity {
    std::string certificate;
    std::string key;
  };

  static Identity p256(crypto::Purpose purpose = crypto::Purpose::kCodeSigner) {
    const auto key = P256Key::generate().value();
    const auto certificate =
        Certificate::self_signed(
            {.common_name = "signer", .purpose = purpose, .dns_names = {}, .ip_addresses = {}}, key)
            .value();
    return {certificate.pem(), key.private_pem()};
  }
  const Identity& rsa() const { return rsa_; }

  ServiceResult<std::string> import(const Identity& identity, const std::string& arn = {}) {
    return cloud_->signing_certificates().import(
        {.certificate = identity.certificate, .private_key = identity.key}, arn);
  }
  SigningJobs& signing() { return cloud_->signing_jobs(); }
  SigningJob signed_by(const std::string& profile, const ObjectInfo& object, const std::string& token = {}) {
    const auto id = signing().start({.source = object.location,
                                     .bucket = "signed",
                                     .prefix = "out/",
                                     .profile = profile,
                                     .token = token});
    EXPECT_TRUE(id) << id.error().message;
    return signing().describe(*id).value();
  }
  static bool verifies(const Identity& identity, HashAlgorithm hash, const Bytes& content,
                       const Bytes& signature) {
    const auto certificate = Certificate::from_pem(identity.certificate).value();
    return crypto::verify_signature(certificate.get(), hash, content, signature);
  }
  std::vector<std::filesystem::path> key_files() const {
    std::vector<std::filesystem::path> files;
    const std::filesystem::path keys = folder_.file("signing-keys");
    if (!std::filesystem::exists(keys)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(keys)) files.push_back(entry.path());
    return files;
  }

  static Identity make_rsa() {
    const auto made = otasim::testing::make_rsa_identity();
    return {made.certificate, made.key};
  }

  const Identity rsa_ = make_rsa();
  const Bytes content_ = pattern(5000);
  const ObjectInfo image_ = upload(content_);
  const bool made_ = cloud_->objects().buckets().create("signed").has_value();
};

TEST_F(SigningJobsTest, AnImportedKeyIsItsOwnersAlone) {
  const Identity identity = p256();
  const auto arn = import(identity);
  ASSERT_TRUE(arn) << arn.error().message;
  EXPECT_THAT(*arn, ::testing::StartsWith("arn:aws:acm:us-east-1:000000000000:certificate/"));
  ASSERT_THAT(key_files(), SizeIs(1));
  struct stat info {};
  ASSERT_EQ(::stat(key_files()[0].c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);
  const auto told = cloud_->signing_certificates().describe(*arn).value();
  EXPECT_EQ(told.common_name, "signer");
  EXPECT_EQ(told.key, crypto::KeyKind::kP256);
  EXPECT_LT(told.not_before, told.not_after);
  ASSERT_TRUE(cloud_->signing_certificates().remove(*arn));
  EXPECT_THAT(key_files(), IsEmpty());
  EXPECT_EQ(cloud_->signing_certificates().describe(*arn).error().code, ErrorCode::kResourceNotFound);
}

TEST_F(SigningJobsTest, WhatCannotSignCodeIsNotImported) {
  const Identity good = p256();
  EXPECT_THAT(import({good.certificate, p256().key}).error().message, HasSubstr("does not belong"));
  EXPECT_THAT(import(p256(crypto::Purpose::kTlsClient)).error().message, HasSubstr("codeSigning"));
  EXPECT_EQ(import({"nonsense", good.key}).error().code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(import({good.certificate, "nonsense"}).error().code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(import(good, "arn:aws:acm:us-east-1:000000000000:certificate/none").error().code,
            ErrorCode::kResourceNotFound);
  EXPECT_THAT(key_files(), IsEmpty());
}

TEST_F(SigningJobsTest, AnImportUnderAnArnReplacesKeyAndCertificate) {
  const auto arn = import(p256()).value();
  const Identity next = p256();
  EXPECT_EQ(import(next, arn).value(), arn);
  EXPECT_THAT(key_files(), SizeIs(1));
  const auto key = cloud_->signing_certificates().key_of(arn).value();
  EXPECT_TRUE(key.belongs_to(Certificate::from_pem(next.certificate)->get()));
}

TEST_F(SigningJobsTest, OpeningRemovesKeysThatAKilledImportLeft) {
  const auto arn = import(p256()).value();
  const std::string keys = folder_.file("signing-keys");
  ASSERT_TRUE(write_file_atomic(keys + "/" + random_uuid() + ".pem", std::string("left over")));
  ASSERT_TRUE(write_file_atomic(keys + "/" + random_uuid() + ".pem.a1B2c3", std::string("half written")));
  std::set<std::string> of_users{"mine.pem", random_uuid() + ".key", random_uuid() + ".pem.old"};
  of_users.insert(std::string(36, 'k') + ".pem");
  of_users.insert("production-signing-key-of-2026-and-7.pem");
  for (const std::string& name : of_users) {
    ASSERT_TRUE(write_file_atomic(keys + "/" + name, std::string("a user's own")));
  }
  const auto before = key_files().size();
  open();
  EXPECT_THAT(key_files(), SizeIs(before - 2));
  for (const std::string& name : of_users) EXPECT_TRUE(std::filesystem::exists(keys + "/" + name)) << name;
  EXPECT_TRUE(cloud_->signing_certificates().key_of(arn));
}

TEST_F(SigningJobsTest, AJobSignsWithTheProfilesKeyAndLeavesAwsForm) {
  const Identity identity = p256();
  ASSERT_TRUE(signing().put_profile({.name = "release",
                                     .platform = "AmazonFreeRTOS-Default",
                                     .certificate_arn = import(identity).value()}));
  const auto job = signed_by("release", image_);
  EXPECT_TRUE(job.succeeded) << job.reason;
  EXPECT_TRUE(verifies(identity, HashAlgorithm::kSha256, content_, job.signature));
  EXPECT_EQ(job.signed_key, "out/" + job.id);
  const auto object = cloud_->objects().describe("signed", job.signed_key).value();
  const auto document = nlohmann::json::parse(cloud_->objects().read_all(object.location).value());
  EXPECT_EQ(document["rawPayloadSize"], 5000);
  EXPECT_EQ(document["signatureAlgorithm"], "SHA256withECDSA");
  EXPECT_EQ(base64_decode(document["signature"].get<std::string>()), job.signature);
  EXPECT_EQ(document["payloadLocation"]["s3"]["bucketName"], image_.location.bucket);
  EXPECT_EQ(document["payloadLocation"]["s3"]["version"], image_.location.version);
}

TEST_F(SigningJobsTest, TheTexasInstrumentsPlatformSignsSha1WithRsa) {
  const auto arn = import(rsa());
  ASSERT_TRUE(arn) << arn.error().message;
  SigningProfile profile{.name = "ti", .platform = "AmazonFreeRTOS-TI-CC3220SF", .certificate_arn = *arn};
  ASSERT_TRUE(signing().put_profile(profile));
  const auto job = signed_by("ti", image_);
  ASSERT_TRUE(job.succeeded) << job.reason;
  EXPECT_TRUE(verifies(rsa(), HashAlgorithm::kSha1, content_, job.signature));
  profile.name = "wrong_kind";
  profile.platform = "AmazonFreeRTOS-Default";
  EXPECT_THAT(signing().put_profile(profile).error().message, HasSubstr("RSA"));
}

TEST_F(SigningJobsTest, AProfileWithoutACertificateUsesTheLabsKey) {
  ASSERT_TRUE(signing().put_profile({.name = "lab", .platform = "AmazonFreeRTOS-Default"}));
  const auto job = signed_by("lab", image_);
  ASSERT_TRUE(job.succeeded) << job.reason;
  EXPECT_TRUE(key_.verify(content_, job.signature));
}

TEST_F(SigningJobsTest, ProfilesAreCheckedListedAndCanceled) {
  EXPECT_EQ(signing().put_profile({.name = "a", .platform = "AmazonFreeRTOS-Default"}).error().code,
            ErrorCode::kInvalidRequest);
  EXPECT_EQ(signing().put_profile({.name = "a b", .platform = "AmazonFreeRTOS-Default"}).error().code,
            ErrorCode::kInvalidRequest);
  EXPECT_EQ(signing().put_profile({.name = "lab", .platform = "Other"}).error().code,
            ErrorCode::kInvalidRequest);
  EXPECT_EQ(signing()
                .put_profile({.name = "lab", .platform = "AmazonFreeRTOS-Default", .certificate_arn = "none"})
                .error()
                .code,
            ErrorCode::kResourceNotFound);
  const auto put = signing().put_profile(
      {.name = "lab", .platform = "AmazonFreeRTOS-Default", .parameters = {{"certname", "/c.pem"}}});
  ASSERT_TRUE(put);
  EXPECT_THAT(put->version, SizeIs(10));
  EXPECT_EQ(signing().put_profile({.name = "lab", .platform = "AmazonFreeRTOS-Default"}).error().code,
            ErrorCode::kResourceAlreadyExists);
  open();
  EXPECT_EQ(signing().profile("lab")->parameters.at("certname"), "/c.pem");
  ASSERT_TRUE(signing().cancel_profile("lab"));
  EXPECT_THAT(signing().list_profiles()->items, IsEmpty());
  EXPECT_THAT(signing().list_profiles({.include_canceled = true})->items, SizeIs(1));
  EXPECT_EQ(signing().start({.source = image_.location, .profile = "lab"}).error().code,
            ErrorCode::kInvalidRequest);
  EXPECT_EQ(signing().cancel_profile("none").error().code, ErrorCode::kResourceNotFound);
}

TEST_F(SigningJobsTest, AJobThatCannotBeDoneFailsAndSaysWhy) {
  ASSERT_TRUE(signing().put_profile({.name = "lab", .platform = "AmazonFreeRTOS-Default"}));
  const auto gone = signed_by("lab", {{"firmware", "none", "v"}, 0, "", 0});
  EXPECT_FALSE(gone.succeeded);
  EXPECT_THAT(gone.reason, HasSubstr("firmware/none"));
  const auto nowhere =
      signing().start({.source = image_.location, .bucket = "no-such-bucket", .profile = "lab"});
  EXPECT_FALSE(signing().describe(*nowhere)->succeeded);
  EXPECT_EQ(signing().start({.source = image_.location, .profile = "none"}).error().code,
            ErrorCode::kResourceNotFound);
  EXPECT_EQ(signing().describe("none").error().code, ErrorCode::kResourceNotFound);
}

TEST_F(SigningJobsTest, TheSameTokenIsTheSameJob) {
  ASSERT_TRUE(signing().put_profile({.name = "lab", .platform = "AmazonFreeRTOS-Default"}));
  const auto once = signed_by("lab", image_, "token");
  EXPECT_EQ(signed_by("lab", image_, "token").id, once.id);
  EXPECT_NE(signed_by("lab", image_).id, once.id);
  EXPECT_NE(signed_by("lab", image_).id, once.id);
}

TEST_F(SigningJobsTest, JobsAreListedNewestFirstPageByPage) {
  ASSERT_TRUE(signing().put_profile({.name = "lab", .platform = "AmazonFreeRTOS-Default"}));
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.insert(ids.begin(), signed_by("lab", image_).id);
  std::vector<std::string> listed;
  ListSigningJobsRequest request{.page = {.max_results = 2}};
  do {
    const auto page = signing().list(request).value();
    for (const auto& job : page.items) listed.push_back(job.id);
    request.page.next_token = page.next_token;
  } while (!request.page.next_token.empty());
  EXPECT_EQ(listed, ids);
  EXPECT_THAT(signing().list({.succeeded = false})->items, IsEmpty());
}

class SignedUpdatesTest : public SigningJobsTest {
 protected:
  OtaUpdate update(const std::string& id, CodeSigning signing) {
    return cloud_->ota_updates()
        .create({.id = OtaUpdateId::trusted(id),
                 .targets = {lamp_},
                 .files = {{.file_name = "/fw.bin",
                            .location = image_.location,
                            .code_signing = std::move(signing)}}})
        .value();
  }
  nlohmann::json document_file(const OtaUpdate& update) {
    const auto job = cloud_->jobs().describe_job(update.job_id).value();
    return nlohmann::json::parse(job.document)["afr_ota"]["files"][0];
  }
};

TEST_F(SignedUpdatesTest, AProfileSignsAndSaysWhereTheCertificateIs) {
  const Identity identity = p256();
  ASSERT_TRUE(signing().put_profile({.name = "release",
                                     .platform = "AmazonFreeRTOS-Default",
                                     .certificate_arn = import(identity).value(),
                                     .parameters = {{"certname", "/certs/release.pem"}}}));
  const auto made = update("u1", LabSigning{.profile = "release", .bucket = "signed", .prefix = "p/"});
  ASSERT_EQ(made.status, OtaUpdateStatus::kCreateComplete) << made.error->message;
  const auto file = document_file(made);
  EXPECT_EQ(file["certfile"], "/certs/release.pem");
  EXPECT_TRUE(verifies(identity, HashAlgorithm::kSha256, content_,
                       base64_decode(file["sig-sha256-ecdsa"].get<std::string>()).value()));
  EXPECT_THAT(cloud_->objects().list({.bucket = "signed", .prefix = "p/"})->objects, SizeIs(1));
  const auto kept = cloud_->ota_updates().describe(made.id).value();
  EXPECT_EQ(std::get<LabSigning>(kept.files[0].code_signing).profile, "release");
}

TEST_F(SignedUpdatesTest, ACertificateAndPlatformSignWithoutAProfile) {
  const auto made = update("u1", LabSigning{.certificate_path_on_device = "/c.pem",
                                            .platform = "AmazonFreeRTOS-TI-CC3220SF",
                                            .certificate_arn = import(rsa()).value()});
  ASSERT_EQ(made.status, OtaUpdateStatus::kCreateComplete) << made.error->message;
  const auto file = document_file(made);
  EXPECT_TRUE(verifies(rsa(), HashAlgorithm::kSha1, content_,
                       base64_decode(file["sig-sha1-rsa"].get<std::string>()).value()));
}

TEST_F(SignedUpdatesTest, AFinishedJobMayBringTheSignature) {
  ASSERT_TRUE(signing().put_profile(
      {.name = "lab", .platform = "AmazonFreeRTOS-Default", .parameters = {{"certname", "/c.pem"}}}));
  const auto job = signed_by("lab", image_);
  const auto made = update("u1", SignedByJob{job.id});
  ASSERT_EQ(made.status, OtaUpdateStatus::kCreateComplete) << made.error->message;
  EXPECT_EQ(base64_decode(document_file(made)["sig-sha256-ecdsa"].get<std::string>()), job.signature);
  EXPECT_EQ(std::get<SignedByJob>(cloud_->ota_updates().describe(made.id)->files[0].code_signing).job_id,
            job.id);
}

TEST_F(SignedUpdatesTest, WhatCannotBeSignedFailsTheUpdateWithItsReason) {
  ASSERT_TRUE(signing().put_profile({.name = "lab", .platform = "AmazonFreeRTOS-Default"}));
  const auto other = cloud_->objects().put("firmware", "other", Bytes{1}).value();
  EXPECT_THAT(update("u1", SignedByJob{signed_by("lab", other).id}).error->message,
              HasSubstr("another object"));
  EXPECT_THAT(update("u2", SignedByJob{"none"}).error->message, HasSubstr("does not exist"));
  EXPECT_THAT(update("u3", LabSigning{.profile = "lab"}).error->message,
              HasSubstr("certificatePathOnDevice"));
  EXPECT_THAT(update("u4", LabSigning{.certificate_path_on_device = "/c.pem", .certificate_arn = "none"})
                  .error->message,
              HasSubstr("none"));
}

}  // namespace
}  // namespace otasim::cloud
