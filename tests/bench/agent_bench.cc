// How large the agent is on a Cortex-M3, and how fast it downloads next to what the same device's network can
// do without it. One run, one table; every figure is the median of several devices.
//
//   size      of what the demo application links, from its map: the agent by object file, everything by part
//   tls, tcp  8 MiB from a server on the host, thrown away on the device (bench-download, timed by the
//   device) agent     an update of 1 MiB over MQTT or HTTPS, from the first block asked for to the last block
//   in flash delay     the same over a round trip of 50 ms, with the application's window and with AWS's
//   classic one
//             block a request
//
// The last block in flash is seen by looking at the flash file while the device writes it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <optional>
#include <random>
#include <thread>

#include "agent/app/event_buffers.h"
#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/base/install_root.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/firmware.h"
#include "tests/bench/bench_device.h"
#include "tests/bench/code_size.h"
#include "tests/bench/download_server.h"
#include "tests/bench/need.h"

namespace otasim::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Bytes = std::vector<std::uint8_t>;

constexpr const char* kBoard = "mps2-an385";
constexpr std::uint32_t kDownloadBytes = 8 << 20;
constexpr std::uint32_t kUpdateBytes = 1 << 20;
constexpr std::uint32_t kBlockBytes = 4096;
constexpr microseconds kDelay = milliseconds(25);
constexpr auto kLimit = std::chrono::seconds(120);
constexpr std::uint64_t kAgentTextGoal = 10 * 1024;

struct Options {
  int runs = 5;
  bool skip_delay = false;
};

/// Bytes per second, of several devices.
class Rates {
 public:
  void add(double rate) {
    rates_.push_back(rate);
    std::ranges::sort(rates_);
  }
  [[nodiscard]] double median() const { return rates_.at(rates_.size() / 2); }
  [[nodiscard]] double lowest() const { return rates_.front(); }
  [[nodiscard]] double highest() const { return rates_.back(); }

 private:
  std::vector<double> rates_;
};

// ---- size

/// What an object of the library is counted as.
enum class Part { kAgent, kJson, kCbor, kWords };

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Part counted_as(std::string_view object) {
  if (contains(object, "json") || contains(object, "jsmn")) return Part::kJson;
  if (contains(object, "stream_cbor")) return Part::kCbor;
  if (contains(object, "strerror") || contains(object, "names")) return Part::kWords;
  return Part::kAgent;
}

/// What link-time optimisation made of the agent's own code (qemu_boards/CMakeLists.txt) is one object.
bool is_of_agent(std::string_view object) {
  return object.starts_with("libota.a(") || contains(object, ".ltrans");
}

void print_size(std::string_view name, const ObjectSize& size) {
  fmt::print("  {:<44}{:>9}{:>9}{:>9}\n", name, size.text, size.data, size.bss);
}

/// "libota.a(agent.cc.obj)" -> "libota.a"; an object of the program's own is "the application's own files".
std::string part_of(const std::string& object) {
  if (is_of_agent(object)) return "libota.a";
  const std::size_t bracket = object.find('(');
  return bracket == std::string::npos ? "the program's own files" : object.substr(0, bracket);
}

void report_size() {
  const std::string map_path =
      (need(install_root()) / "firmware" / fmt::format("demo-{}.map", kBoard)).string();
  const auto map = need(read_file(map_path));
  const ObjectSizes sizes = need(read_map({reinterpret_cast<const char*>(map.data()), map.size()}));
  std::map<Part, ObjectSize> agent;
  std::map<std::string, ObjectSize> parts;
  fmt::print("Agent on a Cortex-M3 at -Os, as the demo links it {:>10}{:>9}{:>9}\n", "text", "data", "bss");
  for (const auto& [object, size] : sizes) {
    parts[part_of(object)] += size;
    if (!is_of_agent(object)) continue;
    const bool is_own_code = !object.starts_with("libota.a(");
    print_size(is_own_code ? "the agent's own code" : object.substr(9, object.size() - 10), size);
    agent[counted_as(object)] += size;
  }
  print_size("JSON: json_*, stream_json, jsmn", agent[Part::kJson]);
  print_size("CBOR: stream_cbor (TinyCBOR is a part below)", agent[Part::kCbor]);
  print_size("names of errors, states and notes", agent[Part::kWords]);
  print_size(fmt::format("agent without these (goal: text {})", kAgentTextGoal), agent[Part::kAgent]);
  agent[Part::kAgent] += agent[Part::kWords];
  print_size("agent with the names", agent[Part::kAgent]);
  fmt::print("\nAll of the demo, by part {:>31}{:>9}{:>9}\n", "text", "data", "bss");
  for (const auto& [part, size] : parts) print_size(part, size);
  fmt::print("  of the program's own: event buffers, {} of {} bytes: {}\n\n", app::EventBuffers::kCount,
             sizeof(OtaEventData_t), app::EventBuffers::kCount * sizeof(OtaEventData_t));
}

// ---- devices

/// One lab for all measurements; each device is a new thing.
class Bench {
 public:
  Bench() : lab_(start_lab()) {
    lab_->when_ready([this] { is_ready_ = true; });
    run_until([this] { return is_ready_; });
    demo_ = need(lab::make_firmware({.version = "1.0.0"}, *lab::find_board(kBoard), products_));
    const std::string elf =
        (need(install_root()) / "firmware" / fmt::format("bench-download-{}.elf", kBoard)).string();
    download_ =
        need(lab::make_firmware({.elf = elf, .version = "1.0.0"}, *lab::find_board(kBoard), products_));
    std::mt19937 random(1);
    for (std::uint8_t& byte : update_) byte = static_cast<std::uint8_t>(random());
    // A block's last byte tells an erased block from a stored one.
    for (std::size_t i = kBlockBytes - 1; i < update_.size(); i += kBlockBytes) update_[i] = 0x00;
    object_ = need(lab_->cloud().objects().put("bench", "update.bin", update_)).location;
  }

  struct Download {
    double tls;
    double tcp;
  };
  /// Bytes per second.
  Download download(microseconds one_way_delay) {
    DownloadServer server(lab_->identities(), kDownloadBytes);
    lab::DeviceSettings settings = next_settings();
    settings.mqtt_port = server.tls_port();
    BenchDevice device(*lab_, products_,
                       {.board = kBoard,
                        .image = download_,
                        .settings = settings,
                        .more_ports = {server.tls_port(), server.tcp_port()},
                        .one_way_delay = one_way_delay});
    Download rates{};
    bool is_over = false;
    run_device(
        device,
        [&](std::string_view line) {
          if (const auto rate = rate_of(line, "app: bench tls ")) rates.tls = *rate;
          if (const auto rate = rate_of(line, "app: bench tcp ")) rates.tcp = *rate;
          if (line.starts_with("app: bench done")) is_over = true;
        },
        [&] { return is_over; });
    return rates;
  }

  /// Bytes per second of one update. Over MQTT from the event of the first request for blocks; over HTTPS,
  /// where the host does not see that, from the first block in flash: connecting does not count.
  double update(const lab::DeviceSettings& wanted, cloud::Protocol protocol, microseconds one_way_delay) {
    lab::DeviceSettings settings = wanted;
    const lab::DeviceSettings next = next_settings();
    settings.thing_name = next.thing_name;
    settings.mac = next.mac;
    settings.mqtt_port = lab_->mqtt_port();
    BenchDevice device(
        *lab_, products_,
        {.board = kBoard, .image = demo_, .settings = settings, .one_way_delay = one_way_delay});
    offer(settings.thing_name, protocol);
    first_request_us_ = -1;
    FlashWatch watch(device.flash(), *log_);
    run_device(
        device, [](std::string_view) {}, [&] { return watch.is_complete(); });
    if (protocol == cloud::Protocol::kHttp) {
      return static_cast<double>(kUpdateBytes - kBlockBytes) * 1e6 /
             static_cast<double>(watch.last_us() - watch.first_us());
    }
    return kUpdateBytes * 1e6 / static_cast<double>(watch.last_us() - first_request_us_);
  }

 private:
  /// Looks at slot B, twice a millisecond, until every block of the update stands there: the device does not
  /// tell when it stored one.
  class FlashWatch {
   public:
    FlashWatch(std::span<const std::uint8_t> flash, report::EventLog& log)
        : slot_(flash.subspan(flash::kSlotB.offset, kUpdateBytes)), log_(log), thread_([this] { run(); }) {}
    ~FlashWatch() {
      is_ending_ = true;
      thread_.join();
    }
    FlashWatch(const FlashWatch&) = delete;
    FlashWatch& operator=(const FlashWatch&) = delete;

    [[nodiscard]] bool is_complete() const { return last_us_ != 0; }
    [[nodiscard]] std::int64_t first_us() const { return first_us_; }
    [[nodiscard]] std::int64_t last_us() const { return last_us_; }

   private:
    static constexpr microseconds kInterval{500};

    void run() {
      while (!is_ending_ && last_us_ == 0) {
        const std::size_t stored = count();
        if (stored != 0 && first_us_ == 0) first_us_ = log_.now_us();
        if (stored == slot_.size() / kBlockBytes) last_us_ = log_.now_us();
        std::this_thread::sleep_for(kInterval);
      }
    }
    [[nodiscard]] std::size_t count() const {
      std::size_t stored = 0;
      for (std::size_t i = kBlockBytes - 1; i < slot_.size(); i += kBlockBytes) {
        stored += static_cast<const volatile std::uint8_t&>(slot_[i]) == 0x00;
      }
      return stored;
    }

    std::span<const std::uint8_t> slot_;
    report::EventLog& log_;
    std::atomic<std::int64_t> first_us_ = 0;
    std::atomic<std::int64_t> last_us_ = 0;
    std::atomic<bool> is_ending_ = false;
    std::thread thread_;  // last: everything it uses is there before it
  };

  std::unique_ptr<lab::RunningLab> start_lab() {
    log_->listen([this](const nlohmann::json& event) {
      if (event["event"] == "stream_request" && first_request_us_ < 0) first_request_us_ = event["t_us"];
    });
    return need(lab::RunningLab::start(
        io_, need(lab::Lab::create(folder_.path().string())),
        {.socket_folder = folder_.path().string(), .broker_plugin = products_.broker_plugin}, *log_));
  }

  lab::DeviceSettings next_settings() {
    lab::DeviceSettings settings;
    ++devices_;
    settings.thing_name = fmt::format("bench-{}", devices_);
    settings.mac.back() = devices_;
    return settings;
  }

  void offer(const std::string& thing, cloud::Protocol protocol) {
    const auto update = need(lab_->cloud().ota_updates().create(
        {.id = cloud::OtaUpdateId::trusted(thing),
         .targets = {cloud::ThingName::trusted(thing)},
         .files = {{.file_name = "/update.bin",
                    .location = object_,
                    .code_signing = cloud::LabSigning{lab::kCodeSignerName}}},
         .protocols = {protocol}}));
    if (update.error) end_with("the update cannot be made: " + update.error->message);
  }

  template <typename OnLine, typename Condition>
  void run_device(BenchDevice& device, OnLine on_line, Condition is_over) {
    std::string last_line;
    device.on_line([&](std::string_view line) {
      last_line = line;
      on_line(line);
    });
    device.on_exit([](const Error& error) { end_with("the device went off: " + error.message); });
    device.power_on();
    run_until(is_over, [&] { return "the device does not get there; its last line: " + last_line; });
  }

  template <typename Condition>
  void run_until(Condition is_over) {
    run_until(is_over, [] { return std::string("the lab does not start"); });
  }
  /// Looks at the condition after every event, and every millisecond.
  template <typename Condition, typename Problem>
  void run_until(Condition is_over, Problem problem) {
    const auto limit = std::chrono::steady_clock::now() + kLimit;
    while (!is_over()) {
      if (std::chrono::steady_clock::now() > limit) end_with(problem());
      io_.run_one_for(milliseconds(1));
    }
  }

  [[noreturn]] static void end_with(const std::string& problem) {
    fmt::print(stderr, "bench: {}\n", problem);
    std::_Exit(3);
  }

  /// "<start>BYTES bytes in MS ms"
  static std::optional<double> rate_of(std::string_view line, std::string_view start) {
    if (!line.starts_with(start)) return std::nullopt;
    double bytes = 0;
    double ms = 0;
    if (std::sscanf(std::string(line.substr(start.size())).c_str(), "%lf bytes in %lf ms", &bytes, &ms) !=
        2) {
      return std::nullopt;
    }
    return bytes * 1e3 / std::max(ms, 1.0);
  }

  TempDir folder_ = need(TempDir::create());
  lab::BuildProducts products_ = need(lab::BuildProducts::find(kBoard));
  boost::asio::io_context io_;
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  std::atomic<std::int64_t> first_request_us_ = -1;
  std::unique_ptr<lab::RunningLab> lab_;
  bool is_ready_ = false;
  Bytes demo_;
  Bytes download_;
  Bytes update_ = Bytes(kUpdateBytes);
  cloud::ObjectLocation object_;
  std::uint8_t devices_ = 0;
};

// ---- measurements

void print_rates(std::string_view name, const Rates& rates, std::string_view comment = {}) {
  fmt::print("  {:<44}{:>7.2f} MB/s ({:.2f} to {:.2f})  {}\n", name, rates.median() / 1e6,
             rates.lowest() / 1e6, rates.highest() / 1e6, comment);
  std::fflush(stdout);
}

/// One block in each request, and no request before the last one is answered: as AWS's library does it.
lab::DeviceSettings classic() {
  lab::DeviceSettings settings;
  settings.transfer.blocks_per_request = 1;
  settings.transfer.blocks_in_flight = 1;
  return settings;
}

void report_speed_without_delay(Bench& bench, int runs) {
  Rates tls;
  Rates tcp;
  Rates mqtt;
  Rates http;
  for (int i = 0; i < runs; ++i) {  // in turn: the machine's other work meets all of them
    const auto rates = bench.download(microseconds(0));
    tls.add(rates.tls);
    tcp.add(rates.tcp);
    mqtt.add(bench.update({}, cloud::Protocol::kMqtt, microseconds(0)));
    http.add(bench.update({}, cloud::Protocol::kHttp, microseconds(0)));
  }
  const auto ratios = [&](const Rates& rates) {
    return fmt::format("{:.0f} % of TLS (goal: 60), {:.0f} % of TCP", 100 * rates.median() / tls.median(),
                       100 * rates.median() / tcp.median());
  };
  print_rates("TCP alone, 8 MiB thrown away", tcp);
  print_rates("TLS, 8 MiB thrown away", tls);
  print_rates("agent, MQTT over TLS, 1 MiB into flash", mqtt, ratios(mqtt));
  print_rates("agent, HTTPS, 1 MiB into flash", http, ratios(http));
}

void report_speed_with_delay(Bench& bench, int runs) {
  Rates mqtt;
  Rates http;
  Rates one_by_one;
  for (int i = 0; i < runs; ++i) {
    mqtt.add(bench.update({}, cloud::Protocol::kMqtt, kDelay));
    http.add(bench.update({}, cloud::Protocol::kHttp, kDelay));
    one_by_one.add(bench.update(classic(), cloud::Protocol::kMqtt, kDelay));
  }
  const auto times = [&](const Rates& rates) {
    return fmt::format("{:.1f} times as fast (goal: 10)", rates.median() / one_by_one.median());
  };
  print_rates("round trip 50 ms: MQTT, one block a request", one_by_one);
  print_rates("round trip 50 ms: MQTT, default window", mqtt, times(mqtt));
  print_rates("round trip 50 ms: HTTPS, default window", http, times(http));
}

void report_speed(const Options& options) {
  Bench bench;
  fmt::print("Download on {}, median (lowest to highest) of {} devices\n", kBoard, options.runs);
  report_speed_without_delay(bench, options.runs);
  if (!options.skip_delay) report_speed_with_delay(bench, options.runs);
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Measures the agent on a device in QEMU: its size, and its download against TLS and TCP alone."};
  app.add_option("--runs", options.runs, "Devices for each figure")->check(CLI::Range(1, 50));
  app.add_flag("--skip-delay", options.skip_delay, "Leave out the runs over a link with delay");
  CLI11_PARSE(app, argc, argv);
  report_size();
  report_speed(options);
  return 0;
}

}  // namespace
}  // namespace otasim::bench

int main(int argc, char** argv) {
  return otasim::bench::run(argc, argv);
}
