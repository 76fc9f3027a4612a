// AWS Signer's and ACM's real clients against a lab without devices: the day of an operator who signs with a
// key of their own.
#include <gmock/gmock.h>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/cloud/base64.h"
#include "sim/crypto/certificate.h"
#include "sim/lab/running_lab.h"
#include "sim/rest/acm_api.h"
#include "sim/rest/signer_api.h"
#include "tests/sim/rest/aws_clients_fixture.h"

namespace otasim::rest {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;
using Json = nlohmann::json;

class SignerClientsTest : public test::AwsClientsFixture {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    EXPECT_TRUE(write_file_atomic(client->file(name), content));
    return client->file(name);
  }
};

// What AWS's guide to OTA updates tells its reader to do, but for the console.
TEST_F(SignerClientsTest, AnUpdateIsSignedWithAnImportedKey) {
  const auto key = crypto::P256Key::generate().value();
  const auto certificate = crypto::Certificate::self_signed({.common_name = "my signer",
                                                             .purpose = crypto::Purpose::kCodeSigner,
                                                             .dns_names = {},
                                                             .ip_addresses = {}},
                                                            key)
                               .value();
  const std::string certificate_file = "fileb://" + write("signer.pem", certificate.pem());
  const std::string key_file = "fileb://" + write("signer.key", key.private_pem());
  const std::string arn = aws_json({"acm", "import-certificate", "--certificate", certificate_file,
                                    "--private-key", key_file})["CertificateArn"];
  EXPECT_EQ(aws_json({"acm", "describe-certificate", "--certificate-arn", arn})["Certificate"]["DomainName"],
            "my signer");

  const std::string content(3000, 'f');
  for (const char* const bucket : {"firmware", "signed"})
    aws_json({"s3api", "create-bucket", "--bucket", bucket});
  aws_json({"s3api", "put-bucket-versioning", "--bucket", "firmware", "--versioning-configuration",
            "Status=Enabled"});
  const std::string version = aws_json({"s3api", "put-object", "--bucket", "firmware", "--key", "app.bin",
                                        "--body", write("app.bin", content)})["VersionId"];
  aws_json({"signer", "put-signing-profile", "--profile-name", "release", "--signing-material",
            "certificateArn=" + arn, "--platform-id", "AmazonFreeRTOS-Default", "--signing-parameters",
            "certname=/certs/signer.pem"});
  EXPECT_THAT(
      aws_error({"signer", "put-signing-profile", "--profile-name", "other", "--platform-id", "None"}),
      HasSubstr("ValidationException"));

  const std::string job = aws_json({"signer", "start-signing-job", "--source",
                                    "s3={bucketName=firmware,key=app.bin,version=" + version + "}",
                                    "--destination", "s3={bucketName=signed,prefix=v1/}", "--profile-name",
                                    "release", "--client-request-token", "once"})["jobId"];
  const Json told = aws_json({"signer", "describe-signing-job", "--job-id", job});
  EXPECT_EQ(told["status"], "Succeeded");
  aws_json({"s3api", "get-object", "--bucket", "signed", "--key", told["signedObject"]["s3"]["key"],
            client->file("signed.json")});
  const Json document = Json::parse(read_file(client->file("signed.json")).value());
  const Bytes signature = cloud::base64_decode(document["signature"].get<std::string>()).value();
  EXPECT_TRUE(key.verify(Bytes(content.begin(), content.end()), signature));

  aws_json({"iot", "create-thing", "--thing-name", "lamp"});
  const std::string files =
      Json::array({{{"fileName", "/fw.bin"},
                    {"fileLocation",
                     {{"s3Location", {{"bucket", "firmware"}, {"key", "app.bin"}, {"version", version}}}}},
                    {"codeSigning",
                     {{"startSigningJobParameter",
                       {{"signingProfileName", "release"},
                        {"destination", {{"s3Destination", {{"bucket", "signed"}, {"prefix", "v2/"}}}}}}}}}}})
          .dump();
  aws_json({"iot", "create-ota-update", "--ota-update-id", "u1", "--targets",
            "arn:aws:iot:us-east-1:000000000000:thing/lamp", "--role-arn",
            "arn:aws:iam::000000000000:role/ota", "--files", files});
  const Json update = aws_json({"iot", "get-ota-update", "--ota-update-id", "u1"})["otaUpdateInfo"];
  EXPECT_EQ(update["otaUpdateStatus"], "CREATE_COMPLETE") << update;
  const std::string job_document =
      aws_json({"iot", "get-job-document", "--job-id", "AFR_OTA-u1"})["document"];
  const Json file = Json::parse(job_document)["afr_ota"]["files"][0];
  EXPECT_EQ(file["certfile"], "/certs/signer.pem");
  EXPECT_TRUE(key.verify(Bytes(content.begin(), content.end()),
                         cloud::base64_decode(file["sig-sha256-ecdsa"].get<std::string>()).value()));
}

TEST_F(SignerClientsTest, BotoCallsEveryOperation) {
  const auto result = client->python(OTASIM_TEST_FOLDER "/signer_boto3.py");
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("all claims hold"));
  std::set<std::string> never;
  for (const Operation& one : signer_operations()) never.insert(std::string(one.name));
  for (const Operation& one : acm_operations()) never.insert(std::string(one.name));
  for (const Json& request : requests) {
    if (request["status"] == 200) never.erase(request["operation"].get<std::string>());
  }
  EXPECT_THAT(never, ::testing::IsEmpty()) << "each has been answered with success";
}

}  // namespace
}  // namespace otasim::rest
