// How much the cloud mirror carries: `scripts/bench cloud`.
//
// Devices with client certificates talk TLS to the real broker in front of the mirror, and then, in the same
// run, in front of an echo that answers with the same messages and does nothing for them. The ratio says how
// much of the limit is the mirror's; figures alone depend on the machine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/mqtt_front_end.h"
#include "tests/bench/lab_server.h"
#include "tests/bench/load_client.h"
#include "tests/bench/need.h"

namespace otasim::bench {
namespace {

using std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr int kDevices = 4;
/// Requests a device has under way at once.
constexpr int kUpdateWindow = 32;
constexpr int kStreamWindow = 2;

struct Options {
  int updates = 100'000;
  int megabytes = 400;
  int executions = 10'000;
  bool alone = false;
  bool json = false;
};

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

constexpr std::array<std::size_t, 3> kBlockSizes{4096, 16'384, 65'536};

std::string update_body(int number, int total) {
  return fmt::format(
      R"({{"status":"IN_PROGRESS","statusDetails":{{"receive":"{0}/{1}"}},"clientToken":"{0:06}"}})", number,
      total);
}

/// A request for as many blocks as one may bring, each from another place than the one before.
std::string get_body(std::size_t number, std::size_t block) {
  const std::size_t blocks = kBytesPerRequest / block;
  std::string body;
  Json::to_cbor(
      {{"f", 0}, {"l", block}, {"o", number % (kObjectBytes / kBytesPerRequest) * blocks}, {"n", blocks}},
      body);
  return body;
}

double update_rate(const testing::TestLab& lab, std::uint16_t port, const Devices& devices, int updates) {
  std::vector<std::unique_ptr<LoadClient>> clients;
  int sent = 0;
  int answered = 0;
  const auto send = [&](std::size_t device) {
    clients[device]->publish(fmt::format("$aws/things/{}/jobs/{}/update", devices[device].first, kJob),
                             update_body(sent, updates));
    ++sent;
  };
  for (std::size_t i = 0; i < devices.size(); ++i) {
    clients.push_back(std::make_unique<LoadClient>(lab, port, devices[i].second, devices[i].first,
                                                   [&, i](std::string_view topic, std::size_t) {
                                                     if (!topic.ends_with("/accepted")) return;
                                                     ++answered;
                                                     if (sent < updates) send(i);
                                                   }));
  }
  const auto start = steady_clock::now();
  for (int round = 0; round < kUpdateWindow; ++round) {
    for (std::size_t i = 0; i < devices.size(); ++i) send(i);
  }
  LoadClient::run(clients, [&] { return answered >= sent; });
  return answered / seconds_since(start);
}

/// @returns megabytes of file content a second
double stream_rate(const testing::TestLab& lab, std::uint16_t port, const Devices& devices, std::size_t block,
                   int megabytes) {
  const std::size_t blocks_per_request = kBytesPerRequest / block;
  const std::size_t requests = static_cast<std::size_t>(megabytes) * 1'000'000 / kBytesPerRequest;
  std::vector<std::unique_ptr<LoadClient>> clients;
  std::vector<std::size_t> blocks_of(devices.size());
  std::size_t sent = 0;
  std::size_t blocks = 0;
  const auto send = [&](std::size_t device) {
    clients[device]->publish(
        fmt::format("$aws/things/{}/streams/{}/get/cbor", devices[device].first, kStream),
        get_body(sent, block));
    ++sent;
  };
  for (std::size_t i = 0; i < devices.size(); ++i) {
    clients.push_back(std::make_unique<LoadClient>(
        lab, port, devices[i].second, devices[i].first, [&, i](std::string_view topic, std::size_t) {
          if (!topic.ends_with("/data/cbor")) return;
          ++blocks;
          const bool whole = ++blocks_of[i] % blocks_per_request == 0;
          if (whole && sent < requests) send(i);
        }));
  }
  const auto start = steady_clock::now();
  for (int round = 0; round < kStreamWindow; ++round) {
    for (std::size_t i = 0; i < devices.size(); ++i) send(i);
  }
  LoadClient::run(clients, [&] { return blocks >= sent * blocks_per_request; });
  return static_cast<double>(blocks * block) / 1e6 / seconds_since(start);
}

Json through_broker(const Options& options, Answerer answerer) {
  testing::TestLab lab;
  Devices devices;
  for (int i = 0; i < kDevices; ++i) {
    const std::string name = fmt::format("t{}", i);
    devices.emplace_back(name, lab.issue(name, crypto::Purpose::kTlsClient));
  }
  const LabServer server(lab, devices, answerer);
  Json result;
  result["updates_per_s"] = update_rate(lab, server.port(), devices, options.updates);
  for (const std::size_t block : kBlockSizes) {
    result[fmt::format("stream_mb_per_s_{}", block)] =
        stream_rate(lab, server.port(), devices, block, options.megabytes);
  }
  return result;
}

class Nobody final : public cloud::Publisher {
 public:
  void deliver(const cloud::ClientAddress&, const std::string&, std::string_view payload) override {
    bytes += payload.size();
  }
  void publish(const std::string&, std::string_view, int) override {}
  std::size_t bytes = 0;
};

/// The mirror's own work: the same requests as through the broker, answered to nobody.
Json alone(const Options& options) {
  const auto folder = need(TempDir::create());
  const cloud::LabClock clock;
  const auto log = need(report::EventLog::create(folder.file("events.jsonl")));
  const auto cloud = need(cloud::Cloud::open(folder.path().string(), clock, *log));
  const auto thing = cloud::ThingName::trusted("t0");
  need(cloud->things().create(thing));
  need(cloud->jobs().create({.id = cloud::JobId::trusted(kJob), .document = "{}", .targets = {thing}}));
  const auto object = need(cloud->objects().put("b", "k", std::vector<std::uint8_t>(kObjectBytes, 0xA5)));
  need(cloud->streams().create({.id = cloud::StreamId::trusted(kStream), .files = {{0, object.location}}}));
  Nobody nobody;
  cloud::MqttFrontEnd front_end(cloud->jobs(), cloud->streams(), clock, *log, cloud->faults(), nobody);
  const cloud::ClientAddress client{"t0", 1};

  Json result;
  auto start = steady_clock::now();
  for (int i = 0; i < options.updates; ++i) {
    front_end.handle_request(client, fmt::format("$aws/things/t0/jobs/{}/update", kJob),
                             update_body(i, options.updates));
  }
  result["updates_per_s"] = options.updates / seconds_since(start);
  for (const std::size_t block : kBlockSizes) {
    const std::size_t requests = static_cast<std::size_t>(options.megabytes) * 1'000'000 / kBytesPerRequest;
    nobody.bytes = 0;
    start = steady_clock::now();
    for (std::size_t i = 0; i < requests; ++i) {
      front_end.handle_request(client, fmt::format("$aws/things/t0/streams/{}/get/cbor", kStream),
                               get_body(i, block));
    }
    result[fmt::format("stream_mb_per_s_{}", block)] =
        static_cast<double>(nobody.bytes) / 1e6 / seconds_since(start);
  }
  return result;
}

/// Lists all of them in pages. @returns how many
std::size_t list_all(cloud::JobsService& jobs, const cloud::ExecutionStore::Filter& filter) {
  std::size_t count = 0;
  cloud::PageRequest page{.max_results = cloud::kMaxPageSize};
  do {
    const auto list = need(jobs.list_executions({.filter = filter, .page = page}));
    count += list.items.size();
    page.next_token = list.next_token;
  } while (!page.next_token.empty());
  return count;
}

/// Lists all members of a group in pages. @returns how many
std::size_t list_things(cloud::ThingGroups& groups, const cloud::GroupName& group) {
  std::size_t count = 0;
  cloud::PageRequest page{.max_results = cloud::kMaxPageSize};
  do {
    const auto list = need(groups.things_in(group, true, page));
    count += list.items.size();
    page.next_token = list.next_token;
  } while (!page.next_token.empty());
  return count;
}

/// What an operator and a device ask of a job with many executions. @returns calls a second, by name
Json calls_per_second(cloud::JobsService& jobs, const cloud::JobId& job, const cloud::ThingName& thing) {
  constexpr int kCalls = 5000;
  Json result;
  const auto measure = [&result](const char* name, const auto& call) {
    const auto start = steady_clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    result[name] = kCalls / seconds_since(start);
  };
  measure("describe_job_per_s", [&] {
    need(jobs.describe_job(job));
    need(jobs.targets_of(job));
    need(jobs.process_details(job));
  });
  measure("list_page_of_100_per_s",
          [&] { need(jobs.list_executions({.filter = {.job = job}, .page = {}})); });
  measure("describe_execution_per_s", [&] { need(jobs.describe(job, thing)); });
  measure("update_execution_per_s", [&] { need(jobs.update(job, thing, {})); });
  return result;
}

/// A job for many things, and many jobs for a thing: made, listed, cancelled. The rollout's minutes pass at
/// once.
Json many_executions(int number) {
  const auto folder = need(TempDir::create());
  constexpr std::int64_t kStart = 1'700'000'000;
  cloud::ManualClock clock(kStart);
  const auto log = need(report::EventLog::create(folder.file("events.jsonl")));
  const auto cloud = need(cloud::Cloud::open(folder.path().string(), clock, *log));
  const auto group = cloud::GroupName::trusted("all");
  need(cloud->groups().create({.name = group}));
  const auto one = cloud::ThingName::trusted("one");
  need(cloud->things().create(one));
  for (int i = 0; i < number; ++i) {
    const auto thing = cloud::ThingName::trusted(fmt::format("t{}", i));
    need(cloud->things().create(thing));
    need(cloud->groups().add_thing(group, thing));
  }
  Json result;
  const auto timed = [&result](const char* name, const auto& work) {
    const auto start = steady_clock::now();
    work();
    result[name] = seconds_since(start) * 1e3;
  };
  const auto job = cloud::JobId::trusted("wide");
  timed("one_job_plan_ms",
        [&] { need(cloud->jobs().create({.id = job, .document = "{}", .targets = {group}})); });
  timed("group_list_ms", [&] {
    if (list_things(cloud->groups(), group) != static_cast<std::size_t>(number)) std::abort();
  });
  result["calls"] = calls_per_second(cloud->jobs(), job, cloud::ThingName::trusted("t0"));
  timed("one_job_roll_out_ms", [&] {
    constexpr std::int64_t kMinute = 60;
    while (!need(cloud->jobs().process_details(job)).processing_targets.empty()) {
      clock.advance(kMinute);
      need(cloud->jobs().run_due());
    }
  });
  timed("one_job_list_ms", [&] {
    if (list_all(cloud->jobs(), {.job = job}) != static_cast<std::size_t>(number)) std::abort();
  });
  timed("one_job_cancel_ms", [&] { need(cloud->jobs().cancel(job)); });
  const auto job_number = [](int i) { return cloud::JobId::trusted(fmt::format("j{}", i)); };
  timed("many_jobs_create_ms", [&] {
    for (int i = 0; i < number; ++i) {
      need(cloud->jobs().create({.id = job_number(i), .document = "{}", .targets = {one}}));
    }
  });
  timed("many_jobs_list_ms", [&] {
    if (list_all(cloud->jobs(), {.thing = one}) != static_cast<std::size_t>(number)) std::abort();
  });
  timed("many_jobs_cancel_ms", [&] {
    for (int i = 0; i < number; ++i) need(cloud->jobs().cancel(job_number(i)));
  });
  return result;
}

void print(const Options& options, const Json& result) {
  fmt::print("{:<38}{:>12}{:>12}{:>8}{:>14}\n", "through the broker", "mirror", "echo", "ratio",
             "mirror alone");
  for (const auto& [name, value] : result["mirror"].items()) {
    const double mirror = value.get<double>();
    const double echo = result["echo"][name].get<double>();
    fmt::print("{:<38}{:>12.0f}{:>12.0f}{:>8.2f}{:>14.0f}\n", name, mirror, echo, mirror / echo,
               result["alone"][name].get<double>());
  }
  fmt::print("\n{:<38}{:>12}\n", fmt::format("{} executions", options.executions), "ms");
  for (const auto& [name, value] : result["executions"].items()) {
    if (value.is_number()) fmt::print("{:<38}{:>12.0f}\n", name, value.get<double>());
  }
  fmt::print("\n{:<38}{:>12}\n", "while it is rolled out", "calls/s");
  for (const auto& [name, value] : result["executions"]["calls"].items()) {
    fmt::print("{:<38}{:>12.0f}\n", name, value.get<double>());
  }
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures the cloud mirror behind the real broker, against an echo in its place."};
  app.add_option("--updates", options.updates, "Job updates to send")->check(CLI::Range(1000, 10'000'000));
  app.add_option("--megabytes", options.megabytes, "Stream content to load for each block size")
      ->check(CLI::Range(10, 100'000));
  app.add_option("--executions", options.executions, "Executions to list and cancel")
      ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--alone", options.alone, "Measure the mirror alone, without a broker");
  app.add_flag("--json", options.json, "Print JSON");
  CLI11_PARSE(app, argc, argv);
  mosquitto_lib_init();
  Json result;
  result["alone"] = alone(options);
  if (options.alone) {
    fmt::print("{}\n", result.dump());
    return 0;
  }
  result["mirror"] = through_broker(options, Answerer::kMirror);
  result["echo"] = through_broker(options, Answerer::kEcho);
  result["executions"] = many_executions(options.executions);
  if (options.json) {
    fmt::print("{}\n", result.dump());
  } else {
    print(options, result);
  }
  return 0;
}

}  // namespace
}  // namespace otasim::bench

int main(int argc, char** argv) {
  return otasim::bench::run(argc, argv);
}
