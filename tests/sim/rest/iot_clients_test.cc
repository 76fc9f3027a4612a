// AWS IoT's real clients against a lab without devices: boto3 calls every operation there is.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <map>
#include <set>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/running_lab.h"
#include "sim/rest/iot_api.h"
#include "sim/rest/jobs_data_api.h"
#include "tests/sim/rest/aws_clients_fixture.h"

namespace otasim::rest {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

class IotClientsTest : public test::AwsClientsFixture {
 protected:
  IotClientsTest() {
    client->set("OTASIM_JOBS_ENDPOINT", fmt::format("https://localhost:{}", lab->jobs_port()));
  }

  void put(const std::string& bucket, const std::string& key, const std::string& content) {
    const auto object =
        lab->cloud().objects().put(bucket, key, std::vector<std::uint8_t>(content.begin(), content.end()));
    EXPECT_TRUE(object) << object.error().message;
  }
};

TEST_F(IotClientsTest, Boto3CallsEveryOperation) {
  put("firmware", "app.bin", std::string(5000, 'x'));
  put("documents", "job.json", R"({"operation": "from-s3"})");
  const auto result = client->python(OTASIM_TEST_FOLDER "/iot_operations.py");
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("all operations answered"));

  std::set<std::string> never;
  for (const IotOperation& one : iot_operations()) never.insert("iot " + std::string(one.operation.name));
  for (const auto& one : jobs_data_operations()) {
    never.insert("iot-jobs-data " + std::string(one.operation.name));
  }
  EXPECT_GE(never.size(), 70U);
  for (const Json& request : requests) {
    if (request["status"] != 200) continue;
    never.erase(
        fmt::format("{} {}", request["service"].get<std::string>(), request["operation"].get<std::string>()));
  }
  EXPECT_THAT(never, IsEmpty()) << "each has been answered with success";
}

TEST_F(IotClientsTest, TheCommandLineFindsItsWay) {
  const auto created = client->aws({"iot", "create-thing", "--thing-name", "lamp"});
  EXPECT_EQ(created.exit_code, 0) << created.err;
  EXPECT_THAT(created.out, HasSubstr("arn:aws:iot:us-east-1:000000000000:thing/lamp"));
  const auto missing = client->aws({"iot", "describe-job", "--job-id", "none"});
  EXPECT_NE(missing.exit_code, 0);
  EXPECT_THAT(missing.err, HasSubstr("ResourceNotFoundException"));
  const auto pending = client->aws({"iot-jobs-data", "get-pending-job-executions", "--thing-name", "lamp"});
  EXPECT_EQ(pending.exit_code, 0) << pending.err;
}

}  // namespace
}  // namespace otasim::rest
