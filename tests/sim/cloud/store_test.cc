// What the store keeps when the process is gone, and how.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/broker/iot_policy.h"
#include "sim/cloud/database.h"
#include "sim/cloud/schema.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoreTest : public CloudFixture {
 protected:
  std::unique_ptr<Database> database() { return Database::open(folder_.file("plain.sqlite")).value(); }
};

TEST_F(StoreTest, EverythingIsThereAfterReopening) {
  const std::string certificate = attach_certificate(lamp_);
  const auto image = upload(pattern(1000));
  const auto update =
      cloud_->ota_updates().create({.id = OtaUpdateId::parse("u1").value(),
                                    .targets = {lamp_},
                                    .files = {{.file_name = "/f", .location = image.location}}});
  ASSERT_TRUE(update);
  ASSERT_TRUE(jobs().update(update->job_id, lamp_, {.details = StatusDetails{{"receive", "1/4"}}}));
  const auto document = jobs().describe_job(update->job_id).value().document;

  open();
  EXPECT_EQ(jobs().describe_job(update->job_id).value().document, document);
  const auto execution = jobs().execution(update->job_id, lamp_).value();
  EXPECT_EQ(execution.state.status, ExecutionStatus::kInProgress);
  EXPECT_EQ(execution.state.version_number, 2);
  EXPECT_EQ(execution.state.details.at("receive"), "1/4");
  EXPECT_EQ(cloud_->objects().read_all(image.location).value(), pattern(1000));
  EXPECT_EQ(cloud_->ota_updates().describe(update->id).value().stream_id, update->stream_id);
  const auto principals = cloud_->principals().active().value();
  ASSERT_EQ(principals.size(), 1U);
  EXPECT_EQ(principals[0].certificate_id, certificate);
  EXPECT_THAT(principals[0].things, ElementsAre("lamp"));
  EXPECT_THAT(principals[0].policies, ElementsAre(broker::ota_device_policy()));
}

TEST_F(StoreTest, WhatWasAcknowledgedSurvivesAKill) {
  create_job("j1");
  cloud_.reset();
  // The child updates the execution and says so after each, until it is killed in the middle of one.
  int acknowledged[2];
  ASSERT_EQ(::pipe(acknowledged), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(acknowledged[0]);
    auto log = report::EventLog::in_memory();
    auto cloud = Cloud::open(folder_.path().string(), clock_, *log);
    for (std::int64_t version = 2; cloud; ++version) {
      if (!(*cloud)->jobs().update(job("j1"), lamp_, {})) break;
      if (::write(acknowledged[1], &version, sizeof version) != sizeof version) break;
    }
    ::_exit(1);
  }
  ::close(acknowledged[1]);
  std::int64_t last = 0;
  while (last < 50) ASSERT_EQ(::read(acknowledged[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  std::int64_t more = 0;
  while (::read(acknowledged[0], &more, sizeof more) == sizeof more) last = more;
  ::close(acknowledged[0]);

  open();
  const auto execution = jobs().execution(job("j1"), lamp_);
  ASSERT_TRUE(execution);
  // The update that was under way is there as a whole or not at all.
  EXPECT_GE(execution->state.version_number, last);
  EXPECT_LE(execution->state.version_number, last + 1);
}

TEST_F(StoreTest, JobsOfAnOlderStoreGoOnWithTheirCounts) {
  cloud_.reset();
  std::filesystem::remove(folder_.file("cloud.sqlite"));
  {
    auto old = Database::open(folder_.file("cloud.sqlite")).value();
    ASSERT_TRUE(migrate(*old, 2));
    ASSERT_TRUE(old->run_script(R"sql(
      INSERT INTO things VALUES ('lamp', 'id1', 1), ('door', 'id2', 1);
      INSERT INTO jobs(job_id, status, document, description, target_selection, created_at, last_updated_at)
        VALUES ('j', 'IN_PROGRESS', '{}', '', 'SNAPSHOT', 1, 1), ('c', 'IN_PROGRESS', '{}', '', 'CONTINUOUS', 1, 1);
      INSERT INTO job_targets VALUES ('j', 'thing', 'lamp'), ('j', 'thing', 'door'), ('c', 'thing', 'lamp');
      INSERT INTO executions(job_id, thing, execution_number, status, status_details, queued_at,
                             last_updated_at, version_number)
        VALUES ('j', 'lamp', 1, 'FAILED', '{}', 1, 1, 2), ('j', 'lamp', 2, 'SUCCEEDED', '{}', 1, 1, 3),
               ('j', 'door', 1, 'QUEUED', '{}', 1, 1, 1);)sql"));
  }
  open();
  const auto counts = jobs().process_details(job("j")).value();
  EXPECT_EQ(counts.failed, 1);
  EXPECT_EQ(counts.succeeded, 1);
  EXPECT_EQ(counts.queued, 1);
  EXPECT_EQ(jobs().describe_job(job("j"))->progress.notified, 2) << "two things";
  ASSERT_TRUE(jobs().update(job("j"), door_, {.status = ExecutionStatus::kSucceeded}));
  EXPECT_EQ(jobs().process_details(job("j"))->succeeded, 2);
  EXPECT_EQ(jobs().describe_job(job("j"))->status, JobStatus::kCompleted);
  EXPECT_EQ(jobs().describe_job(job("c"))->status, JobStatus::kInProgress);
}

TEST_F(StoreTest, TheDevicePolicyOfAnOlderStoreIsBroughtUpToDate) {
  cloud_.reset();
  std::filesystem::remove(folder_.file("cloud.sqlite"));
  {
    auto old = Database::open(folder_.file("cloud.sqlite")).value();
    ASSERT_TRUE(migrate(*old, 6));
    ASSERT_TRUE(old->run_script("UPDATE policies SET document = '{}'"));
  }
  open();
  EXPECT_EQ(cloud_->policies().describe(PolicyName::trusted(kOtaDevicePolicyName))->document,
            broker::ota_device_policy());
}

TEST_F(StoreTest, AStoreOfALaterVersionIsRefused) {
  cloud_.reset();
  {
    auto raw = Database::open(folder_.file("cloud.sqlite"));
    ASSERT_TRUE(raw && (*raw)->run_script("PRAGMA user_version = 99"));
  }
  const auto cloud = Cloud::open(folder_.path().string(), clock_, *log_);
  ASSERT_FALSE(cloud);
  EXPECT_EQ(cloud.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(cloud.error().message, HasSubstr("version 99"));
}

TEST_F(StoreTest, AFileThatIsNoStoreIsRefused) {
  cloud_.reset();
  std::filesystem::remove(folder_.file("cloud.sqlite"));
  ASSERT_TRUE(write_file_atomic(folder_.file("cloud.sqlite"), std::string(4096, 'x')));
  const auto cloud = Cloud::open(folder_.path().string(), clock_, *log_);
  ASSERT_FALSE(cloud);
  EXPECT_THAT(cloud.error().message, HasSubstr("cloud.sqlite"));
}

TEST_F(StoreTest, AFolderThatIsMissingIsNamed) {
  const auto cloud = Cloud::open(folder_.file("nowhere"), clock_, *log_);
  ASSERT_FALSE(cloud);
  EXPECT_THAT(cloud.error().message, HasSubstr("nowhere"));
}

TEST_F(StoreTest, ATransactionThatFailsIsUndoneWithWhatItWouldHaveCaused) {
  auto db = database();
  ASSERT_TRUE(db->run_script("CREATE TABLE t(x)"));
  int caused = 0;
  const auto failed = db->transaction([&]() -> Result<void> {
    db->after_commit([&] { ++caused; });
    if (auto inserted = db->execute("INSERT INTO t VALUES (?)", {std::int64_t{1}}); !inserted)
      return inserted;
    return fail(ExitCode::kFailed, "on purpose");
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(caused, 0);
  const auto kept = db->transaction([&] {
    db->after_commit([&] { ++caused; });
    return db->transaction([&] { return db->execute("INSERT INTO t VALUES (?)", {std::int64_t{2}}); });
  });
  EXPECT_TRUE(kept);
  EXPECT_EQ(caused, 1);
  std::vector<std::int64_t> rows;
  ASSERT_TRUE(db->query("SELECT x FROM t", {}, [&](const Row& row) { rows.push_back(row.integer(0)); }));
  EXPECT_THAT(rows, ElementsAre(2));
}

TEST_F(StoreTest, ABadStatementNamesItselfAndTheReason) {
  const auto result = database()->execute("SELECT * FROM t");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("no such table: t"));
}

TEST_F(StoreTest, ObjectsKeepEveryVersion) {
  auto& objects = cloud_->objects();
  const auto first = upload({1, 2, 3});
  const auto second = upload({4, 5});
  EXPECT_NE(first.location.version, second.location.version);
  EXPECT_EQ(objects.describe("firmware", "app.bin").value().location.version, second.location.version);
  EXPECT_EQ(objects.read_all(first.location).value(), (std::vector<std::uint8_t>{1, 2, 3}));
  EXPECT_EQ(objects.describe("firmware", "none").error().code, ErrorCode::kResourceNotFound);
  EXPECT_EQ(objects.describe("firmware", "app.bin", "none").error().code, ErrorCode::kResourceNotFound);
  EXPECT_EQ(objects.put("", "k", {}).error().code, ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace otasim::cloud
