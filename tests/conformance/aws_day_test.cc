// An operator's day, with the `aws` command line as it is packaged: bucket, upload, sign, update, watch,
// cancel, delete; while a device in QEMU carries the updates out. All of it as a user does it: `otasim up`,
// the environment that it writes, and commands in a shell.
//
// What happens next is waited for with `otasim job watch`, never for a time.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>

#include "sim/base/json.h"
#include "tests/conformance/evidence.h"
#include "tests/sim/cli/lab_fixture.h"

namespace otasim::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kThingArn = "arn:aws:iot:us-east-1:000000000000:thing/thing-1";
constexpr const char* kRole = "arn:aws:iam::000000000000:role/ota";

class AwsDayTest : public LabTest {
 protected:
  AwsDayTest() { ok({"up", "--detach"}); }
  ~AwsDayTest() override {
    EXPECT_EQ(otasim({"down"}).code, 0);
    testing::evidence().read(lab() + "/events.jsonl");
  }

  /// Runs a line in a shell that has read the lab's environment.
  Outcome shell(const std::string& line) {
    const std::string out = folder.file("shell.out");
    const std::string err = folder.file("shell.err");
    const std::string command =
        fmt::format("cd '{}' && . '{}/env.sh' && PATH=/usr/bin:$PATH && {{ {}\n}} > '{}' 2> '{}'",
                    folder.path().string(), lab(), line, out, err);
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(out), content(err)};
  }

  /// An `aws` command that must succeed. @returns what it printed; null if that is no JSON
  json aws(const std::string& arguments) {
    const Outcome outcome = shell("aws --output json " + arguments);
    EXPECT_EQ(outcome.code, 0) << "aws " << arguments << "\n" << outcome.err;
    return outcome.out.empty() ? json() : json::parse(outcome.out, nullptr, false);
  }

  /// One that must fail. @returns what it complained
  std::string refused(const std::string& arguments) {
    const Outcome outcome = shell(arguments);
    EXPECT_NE(outcome.code, 0) << arguments << "\n" << outcome.out;
    return outcome.err;
  }

  void write(const std::string& name, const json& content) {
    std::ofstream(folder.file(name)) << content.dump(2);
  }

  /// A bucket with versions, made once.
  void make_bucket() {
    aws("s3 mb s3://firmware");
    aws("s3api head-bucket --bucket firmware");
    aws("s3api put-bucket-versioning --bucket firmware --versioning-configuration Status=Enabled");
  }

  /// Signs firmware as a version and uploads it. @returns its place, as update files name it
  json upload(const std::string& version) {
    const std::string name = version + ".img";
    const Outcome made =
        otasim({"image", "sign", "--elf", demo_elf(), "--version", version, "--out", folder.file(name)});
    EXPECT_EQ(made.code, 0) << made.err;
    aws(fmt::format("s3 cp --quiet {0} s3://firmware/{0}", name));
    const json versions = aws(fmt::format("s3api list-object-versions --bucket firmware --prefix {}", name));
    return {{"bucket", "firmware"}, {"key", name}, {"version", versions["Versions"][0]["VersionId"]}};
  }

  static std::string demo_elf() {
    const std::filesystem::path program = OTASIM_PROGRAM;
    return program.parent_path().parent_path() / "firmware/demo-mps2-an385.elf";
  }

  /// Creates an update for the device of an object, signed in some way.
  json create_update(const std::string& id, const json& object, const json& code_signing,
                     const std::string& more = "--protocols MQTT") {
    write("files.json", json::array({{{"fileName", "/fw.bin"},
                                      {"fileType", 0},
                                      {"fileLocation", {{"s3Location", object}}},
                                      {"codeSigning", code_signing}}}));
    return aws(fmt::format(
        "iot create-ota-update --ota-update-id {} --targets {} --files file://files.json --role-arn {} {}",
        id, kThingArn, kRole, more));
  }

  json execution(const std::string& update) {
    return aws(fmt::format("iot describe-job-execution --job-id AFR_OTA-{} --thing-name thing-1",
                           update))["execution"];
  }
};

TEST_F(AwsDayTest, AnOperatorUpdatesADevice) {
  // Morning: a device, a bucket, firmware, a signing profile.
  ok({"device", "add", "thing-1"});
  EXPECT_EQ(aws("iot describe-thing --thing-name thing-1")["thingArn"], kThingArn);
  EXPECT_THAT(aws("iot describe-endpoint --endpoint-type iot:Data-ATS")["endpointAddress"].get<std::string>(),
              HasSubstr(":"));
  make_bucket();
  const json first = upload("1.1.0");
  aws("signer put-signing-profile --profile-name fleet --platform-id AmazonFreeRTOS-Default "
      "--signing-parameters certname=/otasim/code-signer.pem");

  // An update over MQTT that the service signs.
  const json created = create_update(
      "morning", first,
      {{"startSigningJobParameter",
        {{"signingProfileName", "fleet"}, {"destination", {{"s3Destination", {{"bucket", "firmware"}}}}}}}});
  EXPECT_EQ(created["awsIotJobId"], "AFR_OTA-morning");
  EXPECT_EQ(otasim({"job", "watch", "morning"}).code, 0);
  EXPECT_EQ(aws("iot get-ota-update --ota-update-id morning")["otaUpdateInfo"]["otaUpdateStatus"],
            "CREATE_COMPLETE");
  const json done = execution("morning");
  EXPECT_EQ(done["status"], "SUCCEEDED");
  EXPECT_EQ(done["statusDetails"]["detailsMap"]["reason"], "accepted  v1.1.0");
  EXPECT_EQ(device("thing-1")["running"], "1.1.0");

  // One over HTTP, signed by a job of the signer's that was started before.
  const json second = upload("1.2.0");
  const json signing =
      aws(fmt::format("signer start-signing-job --profile-name fleet "
                      "--source 's3={{bucketName=firmware,key=1.2.0.img,version={}}}' --destination "
                      "'s3={{bucketName=firmware,prefix=signed-}}'",
                      second["version"].get<std::string>()));
  const std::string signing_job = signing["jobId"];
  EXPECT_EQ(aws("signer describe-signing-job --job-id " + signing_job)["status"], "Succeeded");
  create_update("noon", second, {{"awsSignerJobId", signing_job}},
                "--protocols HTTP --aws-job-presigned-url-config expiresInSec=300");
  EXPECT_EQ(otasim({"job", "watch", "noon"}).code, 0);
  EXPECT_EQ(execution("noon")["statusDetails"]["detailsMap"]["reason"], "accepted  v1.2.0");
  EXPECT_EQ(device("thing-1")["running"], "1.2.0");

  // Afternoon: an update is stopped before its device comes back, and cleaned away.
  ok({"device", "stop", "thing-1"});
  create_update(
      "late", upload("1.3.0"),
      {{"startSigningJobParameter",
        {{"signingProfileName", "fleet"}, {"destination", {{"s3Destination", {{"bucket", "firmware"}}}}}}}});
  EXPECT_EQ(execution("late")["status"], "QUEUED");
  EXPECT_THAT(refused("aws iot delete-ota-update --ota-update-id late"),
              HasSubstr("InvalidRequestException"));
  aws("iot cancel-job --job-id AFR_OTA-late --force --reason-code MISTAKE --comment 'wrong fleet'");
  const json canceled = aws("iot describe-job --job-id AFR_OTA-late")["job"];
  EXPECT_EQ(canceled["status"], "CANCELED");
  EXPECT_EQ(canceled["reasonCode"], "MISTAKE");
  EXPECT_EQ(execution("late")["status"], "CANCELED");
  EXPECT_EQ(aws("iot list-job-executions-for-thing --thing-name thing-1")["executionSummaries"].size(), 3U);
  ok({"device", "start", "thing-1"});
  for (const char* id : {"morning", "noon", "late"}) {
    aws(fmt::format("iot delete-ota-update --ota-update-id {} --delete-stream --force-delete-aws-job", id));
  }
  EXPECT_THAT(aws("iot list-ota-updates")["otaUpdates"], IsEmpty());
  EXPECT_THAT(aws("iot list-streams")["streams"], IsEmpty());
  aws("s3 rm --quiet --recursive s3://firmware");
  EXPECT_EQ(device("thing-1")["running"], "1.2.0");
}

TEST_F(AwsDayTest, AnOperatorProvisionsADeviceOfTheirOwn) {
  aws("iot create-thing --thing-name lamp");
  const json made = aws("iot create-keys-and-certificate --set-as-active");
  const std::string arn = made["certificateArn"];
  std::ofstream(folder.file("lamp.pem")) << made["certificatePem"].get<std::string>();
  std::ofstream(folder.file("lamp.key")) << made["keyPair"]["PrivateKey"].get<std::string>();
  const std::string port = std::to_string(ok({"status"})["mqtt_port"].get<int>());
  const std::string subscribe = fmt::format(
      "mosquitto_sub -h localhost -p {} -i lamp --cafile \"$AWS_CA_BUNDLE\" --cert lamp.pem --key lamp.key "
      "-t '$aws/things/lamp/jobs/notify-next' -E",
      port);
  EXPECT_THAT(refused(subscribe), HasSubstr("not authorised"))
      << "a certificate without a policy lets nobody in";
  const auto allow = [](const char* action, const char* resource) {
    return json{{"Effect", "Allow"},
                {"Action", action},
                {"Resource", std::string("arn:aws:iot:us-east-1:000000000000:") + resource}};
  };
  write("policy.json",
        {{"Version", "2012-10-17"},
         {"Statement",
          {allow("iot:Connect", "client/${iot:Connection.Thing.ThingName}"),
           allow("iot:Subscribe", "topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/jobs/*"),
           allow("iot:*", "topic/$aws/things/${iot:Connection.Thing.ThingName}/jobs/*"),
           allow("iotjobsdata:*", "thing/${iot:Connection.Thing.ThingName}")}}});
  aws("iot create-policy --policy-name lamps --policy-document file://policy.json");
  aws("iot attach-policy --policy-name lamps --target " + arn);
  aws("iot attach-thing-principal --thing-name lamp --principal " + arn);
  EXPECT_EQ(shell(subscribe).code, 0);
  aws("iot update-certificate --new-status INACTIVE --certificate-id " +
      made["certificateId"].get<std::string>());
  EXPECT_THAT(refused(subscribe), HasSubstr("not authorised"));
}

TEST_F(AwsDayTest, AStrangerIsRefused) {
  EXPECT_THAT(refused("AWS_SECRET_ACCESS_KEY=wrong aws iot list-things"),
              HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(refused("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE aws iot list-things"),
              HasSubstr("UnrecognizedClientException"));
  EXPECT_THAT(refused("AWS_SECRET_ACCESS_KEY=wrong aws s3 ls"), HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(refused("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE aws s3 ls"), HasSubstr("InvalidAccessKeyId"));
}

}  // namespace
}  // namespace otasim::test
