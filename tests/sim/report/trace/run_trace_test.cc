// What a trace of a run holds, and that every reader can take it: events in order of time, named processes
// and threads, slices that nest, arrows with both ends.
#include "sim/report/trace/run_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace otasim::report::trace {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using Thread = std::pair<int, int>;

json trace_of(const std::vector<json>& events) {
  RunTrace run;
  for (const json& event : events) run.take(event);
  std::ostringstream text;
  run.finish().write(text, {{"made_by", "a test"}});
  return json::parse(text.str());
}

/// One update of one device, as `otasim run` logs it, shortened.
std::vector<json> update() {
  std::int64_t t_us = 0;
  std::vector<json> events;
  const auto add = [&](json event) {
    event["t_us"] = t_us += 10'000;
    events.push_back(std::move(event));
  };
  const auto device = [&](const char* source, const char* kind, json more = json::object()) {
    more.update({{"source", source}, {"event", kind}, {"device", "lamp"}});
    add(std::move(more));
  };
  const auto execution = [&](const char* status, json details = json::object()) {
    add({{"source", "cloud"},
         {"event", "job_execution"},
         {"job", "u1"},
         {"thing", "lamp"},
         {"status", status},
         {"details", std::move(details)}});
  };
  const auto frame = [&](const char* direction, const char* flags, int bytes) {
    device("link", "frame",
           {{"direction", direction},
            {"protocol", "tcp"},
            {"device_port", 50'000},
            {"host_port", 40'001},
            {"flags", flags},
            {"length_bytes", bytes},
            {"payload_bytes", bytes - 54}});
  };
  add({{"source", "lab"}, {"event", "ports"}, {"mqtt", 40'001}, {"https", 40'002}});
  device("device", "power_on");
  device("boot", "reset", {{"reason", "power-on"}});
  device("boot", "verify", {{"slot", "A"}, {"result", "ok"}});
  device("boot", "start", {{"slot", "A"}, {"version", "1.0.0"}, {"state", "committed"}});
  frame("from_device", "syn", 60);
  frame("to_device", "syn ack", 60);
  frame("to_device", "", 154);
  add({{"source", "run"}, {"event", "do"}, {"step", "update"}});
  add({{"source", "run"}, {"event", "fault"}, {"fault", "link.loss"}, {"arguments", {{"device", "lamp"}}}});
  add({{"source", "cloud"}, {"event", "job_created"}, {"job", "u1"}});
  execution("QUEUED");
  execution("IN_PROGRESS", {{"receive", "1/2"}});
  for (int i = 0; i < 3; ++i) {
    device("flash", "operation",
           {{"kind", "program"}, {"partition", "slot-b"}, {"length_bytes", 256}, {"result", "ok"}});
    t_us -= 9'000;
  }
  t_us += 9'000;
  add({{"source", "link"}, {"event", "fault"}, {"device", "lamp"}, {"fault", "link.loss"}});
  add({{"source", "run"}, {"event", "fault_over"}, {"fault", "link.loss"}});
  execution("IN_PROGRESS", {{"self_test", "ready"}});
  device("device", "reset", {{"cause", "software"}});
  device("boot", "reset", {{"reason", "software"}});
  device("boot", "start", {{"slot", "B"}, {"version", "1.1.0"}, {"state", "trial"}});
  execution("SUCCEEDED");
  device("device", "power_off");
  device("device", "power_on");
  device("boot", "reset", {{"reason", "power-on"}});
  device("boot", "commit", {{"slot", "B"}, {"result", "ok"}});
  device("boot", "start", {{"slot", "B"}, {"version", "1.1.0"}, {"state", "committed"}});
  return events;
}

Thread thread_of(const json& event) {
  return {event.at("pid").get<int>(), event.at("tid").get<int>()};
}

std::vector<json> of_phase(const json& trace, const std::string& phase) {
  std::vector<json> events;
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") == phase) events.push_back(event);
  }
  return events;
}

std::string name_of_thread(const json& trace, const Thread& thread) {
  for (const json& event : of_phase(trace, "M")) {
    if (event.at("name") == "thread_name" && thread_of(event) == thread) return event["args"]["name"];
  }
  return {};
}

const json* slice_named(const std::vector<json>& slices, const std::string& name) {
  const auto found = std::ranges::find_if(slices, [&](const json& slice) { return slice["name"] == name; });
  return found == slices.end() ? nullptr : &*found;
}

/// Within each thread every slice lies in the one that is open at its begin.
void expect_nested(const json& trace) {
  std::map<Thread, std::vector<std::int64_t>> open;
  for (const json& slice : of_phase(trace, "X")) {
    const std::int64_t begin = slice["ts"];
    const std::int64_t end = begin + slice["dur"].get<std::int64_t>();
    auto& ends = open[thread_of(slice)];
    while (!ends.empty() && ends.back() <= begin) ends.pop_back();
    EXPECT_TRUE(ends.empty() || end <= ends.back()) << slice;
    EXPECT_GT(end, begin) << slice;
    ends.push_back(end);
  }
}

TEST(RunTrace, EventsAreInOrderOfTime) {
  std::int64_t last = 0;
  const json trace = trace_of(update());
  for (const json& event : trace.at("traceEvents")) {
    EXPECT_GE(event["ts"].get<std::int64_t>(), last) << event;
    last = event["ts"];
  }
}

TEST(RunTrace, ProcessesAndThreadsHaveNamesAndPlaces) {
  const json trace = trace_of(update());
  std::set<int> named_processes;
  std::map<Thread, int> places;
  for (const json& event : of_phase(trace, "M")) {
    if (event["name"] == "process_name") named_processes.insert(event["pid"].get<int>());
    if (event["name"] == "thread_sort_index") places[thread_of(event)] = event["args"]["sort_index"];
  }
  for (const char* phase : {"X", "i", "s", "t", "f"}) {
    for (const json& event : of_phase(trace, phase)) {
      EXPECT_THAT(named_processes, Contains(event["pid"].get<int>()));
      EXPECT_NE(name_of_thread(trace, thread_of(event)), "") << event;
      EXPECT_EQ(places.count(thread_of(event)), 1U) << event;
    }
  }
}

TEST(RunTrace, SlicesNest) {
  expect_nested(trace_of(update()));
}

TEST(RunTrace, FaultsThatOverlapGetThreadsOfTheirOwn) {
  const auto fault = [](const char* kind, const char* name, int t_us) {
    return json{{"source", "run"}, {"event", kind}, {"fault", name}, {"t_us", t_us}};
  };
  const json trace = trace_of({fault("fault", "link.loss", 1), fault("fault", "link.latency", 2),
                               fault("fault_over", "link.loss", 3), fault("fault_over", "link.latency", 4)});
  expect_nested(trace);
  const auto slices = of_phase(trace, "X");
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_NE(thread_of(slices[0]), thread_of(slices[1]));
  EXPECT_EQ(name_of_thread(trace, thread_of(slices[1])), "faults (2)");
}

TEST(RunTrace, ArrowsGoFromTheJobToTheSlotSwitch) {
  const json trace = trace_of(update());
  std::vector<std::string> way;
  for (const json& event : trace["traceEvents"]) {
    if (!event.contains("id")) continue;
    EXPECT_EQ(event["id"], 1);
    EXPECT_EQ(event.contains("bp"), event["ph"] != "s") << "only the first has no arrow to itself";
    // The slice that the reader takes the point for: the innermost one around it.
    std::string slice;
    for (const json& each : of_phase(trace, "X")) {
      const std::int64_t into = event["ts"].get<std::int64_t>() - each["ts"].get<std::int64_t>();
      if (thread_of(each) == thread_of(event) && into >= 0 && into < each["dur"]) slice = each["name"];
    }
    way.push_back(event["ph"].get<std::string>() + " " + slice);
  }
  EXPECT_THAT(way, ElementsAre("s create u1", "t IN_PROGRESS", "t program slot-b",
                               "t 1.1.0 from slot B, trial", "f commit slot B"));
}

TEST(RunTrace, ArrowsHaveBothEndsWhenTheRunEndsEarly) {
  const std::vector<json> all = update();
  for (std::size_t count = 0; count <= all.size(); ++count) {
    const json trace = trace_of({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)});
    EXPECT_EQ(of_phase(trace, "s").size(), of_phase(trace, "f").size()) << "after " << count << " events";
    expect_nested(trace);
  }
}

TEST(RunTrace, AJobGoesThroughItsStates) {
  const json trace = trace_of(update());
  std::vector<std::string> names;
  for (const json& slice : of_phase(trace, "X")) {
    if (name_of_thread(trace, thread_of(slice)) == "job") names.push_back(slice["name"]);
  }
  EXPECT_THAT(names, ElementsAre("u1", "QUEUED", "IN_PROGRESS", "IN_PROGRESS, self test ready", "SUCCEEDED"));
}

TEST(RunTrace, AConnectionStandsInTheLaneOfItsProtocolUntilPowerIsLost) {
  const json trace = trace_of(update());
  const auto slices = of_phase(trace, "X");
  const json* const connection = slice_named(slices, "mqtt connection");
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(name_of_thread(trace, thread_of(*connection)), "mqtt");
  EXPECT_EQ((*connection)["args"]["end"], "power off");
  EXPECT_EQ((*connection)["args"]["bytes_to_device"], 6 + 100);
}

TEST(RunTrace, OperationsCloseTogetherAreOneSliceAndCounted) {
  const json trace = trace_of(update());
  const auto slices = of_phase(trace, "X");
  const json* const burst = slice_named(slices, "program slot-b");
  ASSERT_NE(burst, nullptr);
  EXPECT_EQ((*burst)["args"]["operations"], 3);
  EXPECT_EQ((*burst)["args"]["bytes"], 3 * 256);
  std::int64_t programs = 0;
  for (const json& counter : of_phase(trace, "C")) {
    if (counter["name"] == "flash: programs") programs = counter["args"]["value"];
  }
  EXPECT_EQ(programs, 3);
}

TEST(RunTrace, AStrikeIsAnInstantOfTheDevice) {
  const json trace = trace_of(update());
  const auto instants = of_phase(trace, "i");
  const json* const strike = slice_named(instants, "link.loss");
  ASSERT_NE(strike, nullptr);
  EXPECT_EQ(name_of_thread(trace, thread_of(*strike)), "faults");
}

TEST(RunTrace, TakesWhatItDoesNotKnow) {
  const json trace =
      trace_of({json::array(),
                {{"source", 1}, {"event", nullptr}},
                {{"source", "boot"}, {"event", "start"}, {"device", 7}, {"t_us", "late"}},
                {{"source", "new"}, {"event", "thing"}, {"device", "lamp"}, {"t_us", 5}},
                {{"source", "uart"}, {"event", "line"}, {"device", "lamp"}, {"text", "\xff"}}});
  EXPECT_THAT(of_phase(trace, "X"), IsEmpty());
  EXPECT_THAT(of_phase(trace, "i"), Not(IsEmpty()));
}

}  // namespace
}  // namespace otasim::report::trace
