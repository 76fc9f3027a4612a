#include "sim/debug/gdb_proxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstring>
#include <utility>

#include "sim/base/unix_socket.h"

namespace otasim::debug {
namespace {

namespace asio = boost::asio;

constexpr int kInterrupted = 2;  // GDB's signal numbers
constexpr int kTrap = 5;
constexpr std::string_view kNoPower = "E01";
constexpr std::string_view kCommandPrefix = "otasim";
constexpr std::size_t kMaxRequests = 64;
constexpr std::size_t kMaxPoints = 1024;
constexpr std::size_t kMaxSaid = 64 * 1024;
/// GDB's own buffer for a packet of output is larger.
constexpr std::size_t kSaidPerPacket = 512;

/// "T05thread:01;" or "S05".
bool is_stop(std::string_view content) {
  return content.size() >= 3 && (content[0] == 'T' || content[0] == 'S');
}

int signal_of(std::string_view content) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  return 16 * digit(content[1]) + digit(content[2]);
}

/// Of a stop's reply; empty if it names none.
std::string thread_of(const std::string& stop) {
  const std::size_t begin = stop.find("thread:");
  if (begin == std::string::npos) return {};
  const std::size_t end = stop.find(';', begin);
  return stop.substr(begin, end == std::string::npos ? end : end + 1 - begin);
}

bool is_step(std::string_view content) {
  return content.starts_with('s') || content.starts_with('S') || content.starts_with("vCont;s") ||
         content.starts_with("vCont;S");
}

/// Something after which the target runs; also backwards, in a replay.
bool is_resume(std::string_view content) {
  return is_step(content) || content.starts_with('c') || content.starts_with('C') ||
         content.starts_with("vCont;") || content == "bc" || content == "bs";
}

/// Of Z and z: the point itself, without its conditions.
std::string_view point_of(std::string_view content) {
  return content.substr(1, content.find(';') - 1);
}

std::string text_of(std::string_view hexadecimal) {
  const auto value = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const int letter = c | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 0;
  };
  std::string text;
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2)
    text += static_cast<char>(16 * value(hexadecimal[i]) + value(hexadecimal[i + 1]));
  return text;
}

}  // namespace

GdbProxy::GdbProxy(asio::io_context& io, Halt& halt, Handlers handlers)
    : io_(io), halt_(halt), handlers_(std::move(handlers)), acceptor_(io) {}

GdbProxy::~GdbProxy() {
  if (gdb_) gdb_->close();
  if (stub_) stub_->close();
}

// ---- GDB's connection

Result<void> GdbProxy::listen() {
  const asio::ip::tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
  if (auto listening = listen_on(loopback); !listening) return listening;
  sockaddr_in bound{};
  const auto local = acceptor_.local_endpoint();
  std::memcpy(&bound, local.data(), std::min(local.size(), sizeof bound));
  address_ = fmt::format("{}:{}", loopback.address().to_string(), ntohs(bound.sin_port));
  return {};
}

Result<void> GdbProxy::listen_at(const std::string& socket_path) {
  if (auto address = unix_socket_address(socket_path); !address) return tl::unexpected(address.error());
  address_ = socket_path;
  return listen_on(asio::local::stream_protocol::endpoint(socket_path));
}

Result<void> GdbProxy::listen_on(const Protocol::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(1, error);
  if (error)
    return fail(ExitCode::kEnvironment, fmt::format("cannot listen for the debugger: {}", error.message()));
  accept();
  return {};
}

void GdbProxy::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, PacketStream::Socket socket) {
    if (!error) open_gdb(std::move(socket));
  });
}

void GdbProxy::open_gdb(PacketStream::Socket socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);  // which a unix socket does not need
  acceptor_.close(ignored);                                   // one debugger
  gdb_ = PacketStream::create(std::move(socket),
                              {.on_packet = [this](const std::string& content) { take_from_gdb(content); },
                               .on_interrupt =
                                   [this] {
                                     if (stop_signal_ == 0) stop_signal_ = kInterrupted;
                                     handle_interrupt();
                                   },
                               .on_close = [this] { lose_gdb(); }});
  gdb_->start();
}

void GdbProxy::lose_gdb() {
  gdb_ = nullptr;
  if (is_detached_ || std::exchange(has_quit_, true)) return;
  handlers_.on_quit();
}

void GdbProxy::take_from_gdb(const std::string& content) {
  // While its target runs GDB has nothing to ask.
  if (gdb_runs_ || is_detached_) return;
  if (requests_.size() >= kMaxRequests) {
    gdb_->close();
    return lose_gdb();
  }
  requests_.push_back(content);
  serve_gdb();
}

void GdbProxy::serve_gdb() {
  // Before the first power-on there is nobody to ask.
  while (!is_serving_ && !gdb_runs_ && !requests_.empty() && gdb_ && !on_ready_) {
    const std::string content = std::move(requests_.front());
    requests_.pop_front();
    serve(content);
  }
}

void GdbProxy::answer_gdb(std::string_view content) {
  is_serving_ = false;
  if (gdb_) gdb_->send(content);
}

void GdbProxy::serve(const std::string& content) {
  is_serving_ = true;
  if (content.starts_with("qSupported")) features_ = content;
  if (content.starts_with("Hg")) thread_ = content;
  if (serve_alone(content)) return;
  if (is_resume(content) && !content.starts_with("vCont?")) return let_run(content);
  if (content.starts_with('Z') || content.starts_with('z')) return serve_point(content);
  if (!is_powered()) return serve_without_power(content);
  if (content == "?") {
    // QEMU takes it for a new debugger's first word, and forgets all breakpoints.
    points_.clear();
    planted_.clear();
  }
  pass_on(content);
}

/// What the stub must not see. @returns whether it was that
bool GdbProxy::serve_alone(const std::string& content) {
  constexpr std::string_view kCommand = "qRcmd,";
  if (content == "QStartNoAckMode" || content == "vCtrlC") {
    answer_gdb("");
    return true;
  }
  if (content.starts_with("qAttached")) {
    answer_gdb("0");  // GDB has started it: to quit is to end the run, and `detach` is not
    return true;
  }
  if (content == "k" || content.starts_with("vKill")) {
    answer_gdb("OK");
    if (!std::exchange(has_quit_, true)) handlers_.on_quit();
    return true;
  }
  if (content.starts_with('D')) {
    answer_gdb("OK");
    let_go();
    return true;
  }
  if (content.starts_with(kCommand) && text_of(content.substr(kCommand.size())).starts_with(kCommandPrefix)) {
    run_command(content.substr(kCommand.size()));
    return true;
  }
  return false;
}

void GdbProxy::serve_without_power(const std::string& content) {
  if (content == "?") return answer_gdb(stop_reply(kTrap));
  if (content.starts_with('H') || content.starts_with('T')) return answer_gdb("OK");
  answer_gdb(content.starts_with('q') || content.starts_with('v') ? std::string_view{} : kNoPower);
}

void GdbProxy::serve_point(const std::string& content) {
  const auto keep = [this, content](const std::string& answer) {
    if (answer == "OK") {
      std::erase_if(points_, [&](const std::string& one) { return point_of(one) == point_of(content); });
      if (content[0] == 'Z' && points_.size() < kMaxPoints) points_.push_back(content);
    }
    answer_gdb(answer);
    serve_gdb();
  };
  if (is_powered()) return ask(content, keep);
  keep("OK");
}

void GdbProxy::pass_on(const std::string& content) {
  ask(content, [this](const std::string& answer) {
    if (is_stop(answer) && !thread_of(answer).empty()) stub_thread_ = thread_of(answer);
    answer_gdb(answer);
    serve_gdb();
  });
}

void GdbProxy::run_command(const std::string& hexadecimal) {
  std::string words = text_of(hexadecimal).substr(kCommandPrefix.size());
  words.erase(0, words.find_first_not_of(' '));
  const std::string text = handlers_.on_command(words);
  for (std::size_t at = 0; at < text.size(); at += kSaidPerPacket)
    gdb_->send("O" + device::gdb_bytes(std::string_view(text).substr(at, kSaidPerPacket)));
  answer_gdb("OK");
}

void GdbProxy::let_run(const std::string& content) {
  is_serving_ = false;
  gdb_runs_ = true;
  stop_signal_ = 0;
  halt_.end();
  say("");
  if (!last_word_.empty()) return gdb_->send(last_word_);
  // A step without a processor to step ends at the next first instruction.
  if (!is_powered() || is_held_) {
    if (is_step(content)) stop_signal_ = kTrap;
    return;
  }
  if (is_step(content) || content.starts_with('b')) return step_target(content);
  resume_target();
}

/// GDB goes, and the target stays.
void GdbProxy::let_go() {
  is_detached_ = true;
  gdb_runs_ = true;
  requests_.clear();
  traps_ = {};
  halt_.end();
  handlers_.on_detach();
  std::vector<std::string> to_clear;
  for (const std::string& point : points_) to_clear.push_back('z' + point.substr(1));
  points_.clear();
  if (!is_powered()) return;
  plant(std::move(to_clear), [this] {
    if (!is_held_) resume_target();
  });
}

void GdbProxy::stop(const std::string& why) {
  if (!gdb_runs_ || is_detached_ || stop_signal_ != 0) return;
  stop_signal_ = kTrap;
  stop_reason_ = why;
  handle_interrupt();
}

/// `stop_signal_` says what for.
void GdbProxy::handle_interrupt() {
  if (!gdb_runs_ || is_detached_) {
    stop_signal_ = 0;
    return;
  }
  if (!is_powered() || !is_set_up_) return;  // begin_power_cycle() will see it
  if (is_held_) return give_to_gdb(stop_reply(stop_signal_));
  if (passes_trap_) return;  // it will be seen when that is over
  if (stub_runs_) stub_->interrupt();
}

void GdbProxy::say(std::string_view text) {
  if (!gdb_ || is_detached_) return;
  if (said_.size() + text.size() <= kMaxSaid) said_ += text;
  if (!gdb_runs_) return;
  const std::string all = std::exchange(said_, {});
  for (std::size_t at = 0; at < all.size(); at += kSaidPerPacket)
    gdb_->send("O" + device::gdb_bytes(std::string_view(all).substr(at, kSaidPerPacket)));
}

void GdbProxy::end_run(int exit_code) {
  if (!gdb_) return;
  last_word_ = fmt::format("W{:02x}", exit_code & 0xFF);
  if (gdb_runs_) gdb_->send(last_word_);
}

// ---- the stub

void GdbProxy::attach(Socket stub, std::function<void()> resume) {
  stub_ = PacketStream::create(std::move(stub),
                               {.on_packet = [this](const std::string& content) { take_from_stub(content); },
                                .on_close = [this] { detach(); }});
  stub_runs_ = false;
  is_held_ = false;
  is_set_up_ = false;
  planted_.clear();
  passes_trap_ = false;
  gdb_steps_ = false;
  resume_ = std::move(resume);
  stub_->start();
  if (on_ready_) {
    halt_.begin();
    is_set_up_ = true;  // GDB does it
    std::exchange(on_ready_, nullptr)();
    return serve_gdb();
  }
  set_up_stub();
}

void GdbProxy::set_up_stub() {
  // QEMU gives registers by number only to those who asked what there is.
  const std::string description = "qXfer:features:read:target.xml:0,ffb";
  std::vector<std::string> packets;
  if (!features_.empty()) packets.push_back(features_);
  packets.push_back(description);
  packets.emplace_back("?");
  if (!thread_.empty()) packets.push_back(thread_);
  packets.insert(packets.end(), points_.begin(), points_.end());
  plant(std::move(packets), [this] { begin_power_cycle(); });
}

/// Asks one after the other, whatever is answered.
void GdbProxy::plant(std::vector<std::string> packets, std::function<void()> then) {
  if (packets.empty()) return then();
  const std::string first = packets.front();
  packets.erase(packets.begin());
  ask(first,
      [this, first, packets = std::move(packets), then = std::move(then)](const std::string& answer) mutable {
        if (first == "?" && !thread_of(answer).empty()) stub_thread_ = thread_of(answer);
        plant(std::move(packets), std::move(then));
      });
}

/// What GDB has set is set; the processor stands before its first instruction.
void GdbProxy::begin_power_cycle() {
  is_set_up_ = true;
  if (is_held_ || !gdb_runs_) return;
  if (stop_signal_ != 0) return give_to_gdb(stop_reply(stop_signal_));
  resume_target();
}

void GdbProxy::machine_stops() {
  is_held_ = true;
}

void GdbProxy::run_machine(std::function<void()> resume) {
  is_held_ = false;
  resume_ = std::move(resume);
  if (!is_set_up_) return;
  // What the stub has told of stops before comes before this answer.
  ask("qC", [this](const std::string&) {
    stub_runs_ = false;
    begin_power_cycle();
  });
}

void GdbProxy::detach() {
  if (!stub_) return;
  std::exchange(stub_, nullptr)->close();
  resume_ = nullptr;
  on_step_ = nullptr;
  waits_for_answer_ = false;
  is_set_up_ = false;
  // What GDB waits for is answered; what the proxy itself asked is of no use any more.
  questions_.clear();
  if (is_serving_) answer_gdb(kNoPower);
}

void GdbProxy::ask(std::string content, OnAnswer on_answer) {
  if (!stub_) return;
  questions_.push_back({std::move(content), std::move(on_answer)});
  ask_next();
}

void GdbProxy::ask_next() {
  if (waits_for_answer_ || questions_.empty() || !stub_) return;
  waits_for_answer_ = true;
  stub_->send(questions_.front().content);
}

void GdbProxy::take_from_stub(const std::string& content) {
  const bool is_answer_to_question_mark = waits_for_answer_ && questions_.front().content == "?";
  if (is_stop(content) && !is_answer_to_question_mark) return handle_stop(content);
  if (!waits_for_answer_) return;  // "W00": QEMU ends, which its exit tells
  // Output before the answer of a monitor's command.
  const bool is_output = content.starts_with('O') && content != "OK";
  if (is_output && questions_.front().content.starts_with("qRcmd,")) {
    if (gdb_) gdb_->send(content);
    return;
  }
  const Question question = std::move(questions_.front());
  questions_.pop_front();
  waits_for_answer_ = false;
  question.on_answer(content);
  ask_next();
}

void GdbProxy::handle_stop(const std::string& content) {
  if (!thread_of(content).empty()) stub_thread_ = thread_of(content);
  const bool ran = std::exchange(stub_runs_, false);
  if (!ran || !gdb_runs_) return;
  const int signal = signal_of(content);
  if (signal == kTrap) {
    if (on_step_) return std::exchange(on_step_, nullptr)();
    if (std::exchange(gdb_steps_, false) || traps_.addresses.empty()) return give_to_gdb(content);
    return look_at_trap(content);
  }
  gdb_steps_ = false;
  on_step_ = nullptr;
  passes_trap_ = false;
  // A reset's, or the monitor's to hang: run_machine() will come.
  if (signal != kInterrupted || stop_signal_ == 0) return;
  give_to_gdb(stop_reply(stop_signal_));
}

void GdbProxy::give_to_gdb(const std::string& stop) {
  if (!stop_reason_.empty()) say(fmt::format("otasim: stopped at {}\n", std::exchange(stop_reason_, {})));
  stop_signal_ = 0;
  gdb_runs_ = false;
  halt_.begin();
  if (gdb_) gdb_->send(stop);
}

void GdbProxy::resume_target() {
  std::vector<std::string> packets = take_trap_changes();
  if (!packets.empty()) return plant(std::move(packets), [this] { resume_target(); });
  if (is_held_ || stub_runs_) return;  // meanwhile
  if (stop_signal_ != 0) return give_to_gdb(stop_reply(stop_signal_));
  stub_runs_ = true;
  if (resume_) return std::exchange(resume_, nullptr)();
  stub_->send("c");
}

void GdbProxy::step_target(const std::string& content) {
  gdb_steps_ = true;
  stub_runs_ = true;
  stub_->send(content);
}

// ---- traps

/// What makes the traps that are planted those that are wanted.
std::vector<std::string> GdbProxy::take_trap_changes() {
  std::vector<std::string> packets;
  for (const std::uint32_t address : planted_) {
    if (!traps_.addresses.contains(address)) packets.push_back(trap_packet('z', address));
  }
  for (const std::uint32_t address : traps_.addresses) {
    if (!planted_.contains(address)) packets.push_back(trap_packet('Z', address));
  }
  planted_ = traps_.addresses;
  return packets;
}

std::string GdbProxy::trap_packet(char set_or_clear, std::uint32_t address) {
  return fmt::format("{}0,{:x},2", set_or_clear, address);
}

void GdbProxy::look_at_trap(const std::string& stop) {
  constexpr std::string_view kReadPc = "pf";
  passes_trap_ = true;
  ask(std::string(kReadPc), [this, stop](const std::string& answer) {
    passes_trap_ = false;
    const auto pc = device::gdb_word_value(answer);
    const bool is_gdbs = !pc || std::ranges::any_of(points_, [&](const std::string& point) {
      return point.starts_with(fmt::format("Z0,{:x},", *pc)) ||
             point.starts_with(fmt::format("Z1,{:x},", *pc));
    });
    if (is_gdbs || !traps_.addresses.contains(*pc)) return give_to_gdb(stop);
    passes_trap_ = true;
    // Another program may stand there now.
    const auto& code = traps_.code;
    ask(fmt::format("m{:x},{:x}", *pc, code.size()), [this, pc = *pc](const std::string& found) {
      passes_trap_ = false;
      const bool is_it = found == device::gdb_bytes(traps_.code);
      if (const auto why = is_it ? handlers_.on_trap() : std::nullopt) {
        stop_reason_ = *why;
        return give_to_gdb(stop_reply(kTrap));
      }
      if (stop_signal_ != 0) return give_to_gdb(stop_reply(stop_signal_));
      pass_trap(pc);
    });
  });
}

/// Executes the instruction under the trap, and goes on.
void GdbProxy::pass_trap(std::uint32_t address) {
  passes_trap_ = true;
  const auto go_on = [this] {
    passes_trap_ = false;
    if (stop_signal_ != 0) return give_to_gdb(stop_reply(stop_signal_));
    resume_target();
  };
  planted_.erase(address);
  plant({trap_packet('z', address)}, [this, go_on] {
    on_step_ = go_on;  // which sets it again
    stub_runs_ = true;
    stub_->send("s");
  });
}

std::string GdbProxy::stop_reply(int signal) const {
  return fmt::format("T{:02x}{}", signal, stub_thread_);
}

}  // namespace otasim::debug
