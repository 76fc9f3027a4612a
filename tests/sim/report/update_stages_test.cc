// How far updates are, by events alone.
#include "sim/report/update_stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using nlohmann::json;
using otasim::report::UpdateStages;
using testing::AnyOf;

class Stages : public testing::Test {
 protected:
  void device(const char* kind, const char* name = "thing-1") { see("device", kind, {{"device", name}}); }
  void execution(const char* status, json details = json::object(), const char* thing = "thing-1") {
    see("cloud", "job_execution", {{"thing", thing}, {"status", status}, {"details", std::move(details)}});
  }
  void see(const char* source, const char* kind, json event) {
    event["source"] = source;
    event["event"] = kind;
    stages.observe(event);
  }
  /// "5/45 downloading"
  [[nodiscard]] std::string bar() const {
    const auto bar = stages.bar();
    if (!bar) return "none";
    return std::to_string(bar->done) + "/" + std::to_string(bar->total) + " " + bar->text;
  }
  UpdateStages stages;
};

TEST_F(Stages, AnUpdateGoesThroughAll) {
  EXPECT_EQ(bar(), "none");
  device("power_on");
  EXPECT_EQ(bar(), "0/0 starting");
  see("boot", "verify", {{"device", "thing-1"}, {"slot", "A"}});
  EXPECT_EQ(bar(), "0/0 bootloader verifies slot A");
  see("boot", "start", {{"device", "thing-1"}, {"version", "1.0.0"}});
  EXPECT_EQ(bar(), "0/0 1.0.0 starts");
  see("broker", "client_connected", {{"clientId", "thing-1"}});
  EXPECT_EQ(bar(), "0/0 connected");
  execution("QUEUED");
  EXPECT_EQ(bar(), "0/0 offered an update");
  execution("IN_PROGRESS", {{"receive", "1/45"}});
  EXPECT_EQ(bar(), "1/45 downloading");
  see("cloud", "stream_request", {{"client", "thing-1"}, {"first_block", 16}, {"blocks", 12}});
  EXPECT_EQ(bar(), "28/45 downloading");
  see("uart", "line", {{"device", "thing-1"}, {"text", "app: receiving 21/45"}});
  EXPECT_EQ(bar(), "28/45 downloading") << "it does not go back";
  see("cloud", "stream_request", {{"client", "thing-1"}, {"first_block", 44U}, {"blocks", 1U}});
  EXPECT_EQ(bar(), "45/45 verifying");
  execution("IN_PROGRESS", {{"self_test", "ready"}});
  EXPECT_EQ(bar(), "45/45 image verified");
  device("reset");
  EXPECT_EQ(bar(), "45/45 restarting");
  execution("IN_PROGRESS", {{"self_test", "active"}});
  EXPECT_EQ(bar(), "45/45 self test");
  execution("SUCCEEDED");
  EXPECT_EQ(bar(), "45/45 update SUCCEEDED");
  see("run", "clean_boot", {{"device", "thing-1"}});
  EXPECT_EQ(bar(), "0/0 booted on its own");
}

TEST_F(Stages, AVerifiedImageIsReceivedAsAWhole) {
  device("power_on");
  execution("IN_PROGRESS", {{"receive", "41/45"}});
  execution("IN_PROGRESS", {{"self_test", "ready"}});
  EXPECT_EQ(bar(), "45/45 image verified");
}

TEST_F(Stages, TheNextUpdateBeginsAnew) {
  device("power_on");
  execution("IN_PROGRESS", {{"receive", "40/45"}});
  execution("SUCCEEDED");
  execution("QUEUED");
  EXPECT_EQ(bar(), "0/0 offered an update");
}

TEST_F(Stages, OfSeveralDevicesThoseCountWhoseUpdateGoesOn) {
  for (const char* name : {"thing-1", "thing-2", "thing-3"}) device("power_on", name);
  EXPECT_EQ(bar(), "none");
  execution("IN_PROGRESS", {{"receive", "10/40"}}, "thing-2");
  EXPECT_EQ(bar(), "10/40 thing-2: downloading");
  execution("IN_PROGRESS", {{"receive", "20/40"}}, "thing-3");
  EXPECT_EQ(bar(), "30/80 2 downloading");
  execution("IN_PROGRESS", {{"self_test", "active"}}, "thing-3");
  EXPECT_EQ(bar(), "30/80 1 downloading, 1 self test");
  execution("FAILED", json::object(), "thing-2");
  EXPECT_EQ(bar(), "20/40 thing-3: self test");
}

TEST_F(Stages, AFailedRunIsKnown) {
  device("power_on");
  EXPECT_FALSE(stages.bar()->has_failed);
  see("run", "failed", {{"text", "why"}});
  EXPECT_TRUE(stages.bar()->has_failed);
}

TEST_F(Stages, EventsThatAreNotAsExpectedAreIgnored) {
  stages.observe(json::object());
  stages.observe(json::array());
  stages.observe({{"source", 1}, {"event", "power_on"}});
  see("cloud", "job_execution", {{"thing", 7}, {"status", "IN_PROGRESS"}, {"details", 3}});
  see("cloud", "stream_request", {{"client", 7}, {"first_block", -1}, {"blocks", "x"}});
  EXPECT_NO_THROW(static_cast<void>(stages.bar()));
}

}  // namespace
