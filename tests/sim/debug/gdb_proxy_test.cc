// The proxy between a debugger and the stubs of power cycles, both of which the test plays.
#include "sim/debug/gdb_proxy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/write.hpp>

#include "sim/base/temp_dir.h"

namespace otasim::debug {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
namespace asio = boost::asio;

/// One end that keeps what it hears.
struct Peer {
  std::shared_ptr<PacketStream> stream;
  std::vector<std::string> heard;
  int interrupts = 0;
  bool is_closed = false;

  void open(PacketStream::Socket socket) {
    stream = PacketStream::create(std::move(socket),
                                  {.on_packet = [this](const std::string& content) { take(content); },
                                   .on_interrupt = [this] { ++interrupts; },
                                   .on_close = [this] { is_closed = true; }});
    stream->start();
  }
  void take(const std::string& content) {
    heard.push_back(content);
    if (answer) {
      if (const auto text = answer(content)) stream->send(*text);
    }
  }
  [[nodiscard]] bool has_heard(const std::string& content) const {
    return std::ranges::find(heard, content) != heard.end();
  }
  std::function<std::optional<std::string>(const std::string&)> answer;
};

/// QEMU's stub, as far as it counts here.
std::optional<std::string> stub_answer(const std::string& content) {
  if (content == "?") return "T05thread:p01.01;";
  if (content == "c" || content == "s" || content.starts_with("vCont;")) return std::nullopt;
  if (content == "pf") return "00010000";  // 0x100
  if (content == "m100,4") return "aff3a580";
  if (content == "g") return "00";
  if (content == "qC") return "QCp01.01";
  if (content.starts_with("qRcmd,")) return "OK";
  return "OK";
}

class GdbProxyTest : public ::testing::Test {
 protected:
  GdbProxyTest() {
    EXPECT_TRUE(proxy.listen_at(folder.file("gdb.sock")));
    proxy.on_ready([this] { is_ready = true; });
  }
  ~GdbProxyTest() override {
    if (gdb.stream) gdb.stream->close();
    for (auto& stub : stubs) stub->stream->close();
    io.poll();
  }

  /// Works until it holds.
  [[nodiscard]] bool until(const std::function<bool()>& holds) {
    constexpr auto kLimit = 10s;
    io.restart();
    while (!holds()) {
      if (io.run_one_for(kLimit) == 0) return false;
    }
    return true;
  }
  /// Does all there is to do: both ends are in this process, and nothing waits for time.
  void settle() {
    // A question and its answer on both connections go through the reactor a few times.
    for (int i = 0; i < 200; ++i) {
      io.restart();
      io.poll();
    }
  }

  Peer& power_on() {
    stubs.push_back(std::make_unique<Peer>());
    asio::local::stream_protocol::socket mine(io);
    asio::local::stream_protocol::socket theirs(io);
    asio::local::connect_pair(mine, theirs);
    stubs.back()->answer = stub_answer;
    stubs.back()->open(std::move(mine));
    proxy.attach(std::move(theirs), [this] { ++resumed; });
    return *stubs.back();
  }
  void power_off() {
    proxy.detach();
    stubs.back()->stream->close();
  }
  void connect_gdb() {
    asio::local::stream_protocol::socket socket(io);
    socket.connect(asio::local::stream_protocol::endpoint(proxy.address()));
    gdb.open(std::move(socket));
  }
  /// GDB says something, and hears the answer.
  std::string ask(const std::string& content) {
    const std::size_t before = gdb.heard.size();
    gdb.stream->send(content);
    EXPECT_TRUE(until([&] { return gdb.heard.size() > before; })) << content;
    return gdb.heard.size() > before ? gdb.heard[before] : "";
  }
  /// GDB has the target of the first power cycle.
  Peer& begin() {
    Peer& stub = power_on();
    connect_gdb();
    EXPECT_EQ(ask("qSupported:multiprocess+"), "OK");
    EXPECT_EQ(ask("?"), "T05thread:p01.01;");
    return stub;
  }
  void go(const std::string& how = "vCont;c") {
    gdb.stream->send(how);
    EXPECT_TRUE(until([&] { return !halt.is_halted(); }));
    settle();
  }

  TempDir folder = TempDir::create().value();
  asio::io_context io;
  Halt halt;
  int quits = 0;
  int detaches = 0;
  int resumed = 0;
  bool is_ready = false;
  std::optional<std::string> trap;
  int traps_seen = 0;
  GdbProxy proxy{io,
                 halt,
                 {.on_quit = [this] { ++quits; },
                  .on_detach = [this] { ++detaches; },
                  .on_command = [](const std::string& words) { return "you said " + words; },
                  .on_trap =
                      [this] {
                        ++traps_seen;
                        return trap;
                      }}};
  Peer gdb;
  std::vector<std::unique_ptr<Peer>> stubs;
};

TEST_F(GdbProxyTest, TargetIsGdbsFromTheFirstPowerOn) {
  begin();
  EXPECT_TRUE(is_ready);
  EXPECT_TRUE(halt.is_halted());
  EXPECT_EQ(resumed, 0);
  go();
  EXPECT_EQ(resumed, 1) << "the machine's own way to run";
  EXPECT_FALSE(halt.is_halted());
}

TEST_F(GdbProxyTest, WhatComesBeforeTheFirstPowerOnIsAnsweredThen) {
  connect_gdb();
  gdb.stream->send("g");
  settle();
  EXPECT_TRUE(gdb.heard.empty());
  power_on();
  EXPECT_TRUE(until([&] { return gdb.has_heard("00"); }));
}

TEST_F(GdbProxyTest, BreakpointStopsClockAndIsTold) {
  Peer& stub = begin();
  EXPECT_EQ(ask("Z0,100,2"), "OK");
  go();
  stub.stream->send("T05thread:p01.01;");
  EXPECT_TRUE(until([&] { return gdb.heard.back() == "T05thread:p01.01;" && gdb.heard.size() == 4; }));
  EXPECT_TRUE(halt.is_halted());
}

TEST_F(GdbProxyTest, ContinueAfterAStopIsTheStubs) {
  Peer& stub = begin();
  go();
  stub.stream->send("T05thread:p01.01;");
  ASSERT_TRUE(until([&] { return halt.is_halted(); }));
  go("vCont;c:p1.-1");
  EXPECT_EQ(stub.heard.back(), "c");
  EXPECT_EQ(resumed, 1);
}

TEST_F(GdbProxyTest, StepGoesToTheStubAsItIs) {
  Peer& stub = begin();
  go("vCont;s:p1.1;c:p1.-1");
  EXPECT_EQ(stub.heard.back(), "vCont;s:p1.1;c:p1.-1");
  stub.stream->send("T05thread:p01.01;");
  EXPECT_TRUE(until([&] { return halt.is_halted(); }));
}

TEST_F(GdbProxyTest, BreakpointsAreSetAnewInTheNextPowerCycle) {
  begin();
  EXPECT_EQ(ask("Hgp1.1"), "OK");
  EXPECT_EQ(ask("Z0,100,2"), "OK");
  EXPECT_EQ(ask("Z2,2000,4"), "OK");
  EXPECT_EQ(ask("Z0,200,2"), "OK");
  EXPECT_EQ(ask("z0,100,2"), "OK");
  go();
  power_off();
  Peer& stub = power_on();
  ASSERT_TRUE(until([&] { return resumed == 2; }));
  EXPECT_THAT(stub.heard, ElementsAre("qSupported:multiprocess+", "qXfer:features:read:target.xml:0,ffb", "?",
                                      "Hgp1.1", "Z2,2000,4", "Z0,200,2"));
  EXPECT_FALSE(halt.is_halted()) << "GDB has not noticed";
}

TEST_F(GdbProxyTest, BreakpointOfAPowerCycleInWhichItWasRefusedIsForgotten) {
  Peer& stub = begin();
  stub.answer = [](const std::string& content) -> std::optional<std::string> {
    return content.starts_with('Z') ? std::optional<std::string>("E22") : stub_answer(content);
  };
  EXPECT_EQ(ask("Z0,100,2"), "E22");
  go();
  power_off();
  Peer& next = power_on();
  ASSERT_TRUE(until([&] { return resumed == 2; }));
  EXPECT_THAT(next.heard, Not(Contains("Z0,100,2")));
}

TEST_F(GdbProxyTest, InterruptStopsTheTarget) {
  Peer& stub = begin();
  go();
  gdb.stream->interrupt();
  ASSERT_TRUE(until([&] { return stub.interrupts == 1; }));
  stub.stream->send("T02thread:p01.01;");
  EXPECT_TRUE(until([&] { return gdb.has_heard("T02thread:p01.01;"); }));
  EXPECT_TRUE(halt.is_halted());
}

TEST_F(GdbProxyTest, InterruptWithoutPowerStopsAtTheNextFirstInstruction) {
  begin();
  go();
  power_off();
  gdb.stream->interrupt();
  settle();
  EXPECT_FALSE(halt.is_halted());
  power_on();
  EXPECT_TRUE(until([&] { return gdb.has_heard("T02thread:p01.01;"); }));
  EXPECT_EQ(resumed, 1) << "it has not run";
  go();
  EXPECT_EQ(resumed, 2);
}

TEST_F(GdbProxyTest, ResetIsNotGdbsAffair) {
  Peer& stub = begin();
  go();
  const std::size_t heard = gdb.heard.size();
  proxy.machine_stops();
  stub.stream->send("T03thread:p01.01;");
  settle();
  proxy.run_machine([this] { ++resumed; });
  EXPECT_TRUE(until([&] { return resumed == 2; }));
  EXPECT_EQ(gdb.heard.size(), heard);
  EXPECT_FALSE(halt.is_halted());
}

TEST_F(GdbProxyTest, StopThatIsTakenAfterAResetBelongsToGdb) {
  Peer& stub = begin();
  go();
  // The breakpoint was hit before the reset began, and is told late.
  proxy.machine_stops();
  stub.answer = [&](const std::string& content) -> std::optional<std::string> {
    if (content == "qC") stub.stream->send("T05thread:p01.01;");
    return stub_answer(content);
  };
  proxy.run_machine([this] { ++resumed; });
  EXPECT_TRUE(until([&] { return halt.is_halted(); }));
  settle();
  EXPECT_EQ(resumed, 1);
}

TEST_F(GdbProxyTest, ResetWhileGdbHasTheTargetLeavesItToGdb) {
  begin();
  proxy.machine_stops();
  proxy.run_machine([this] { resumed += 10; });
  settle();
  EXPECT_EQ(resumed, 0);
  go();
  EXPECT_EQ(resumed, 10);
}

TEST_F(GdbProxyTest, InterruptWhileTheMachineHangsIsAnsweredAtOnce) {
  Peer& stub = begin();
  go();
  proxy.machine_stops();
  stub.stream->send("T02thread:p01.01;");
  settle();
  EXPECT_FALSE(halt.is_halted()) << "to hang is no stop of GDB's";
  gdb.stream->interrupt();
  EXPECT_TRUE(until([&] { return gdb.has_heard("T02thread:p01.01;"); }));
  EXPECT_EQ(stub.interrupts, 0) << "it stands still already";
  go();
  EXPECT_EQ(resumed, 1) << "it hangs on";
}

TEST_F(GdbProxyTest, PowerThatGoesWhileGdbHasTheTargetFailsItsQuestions) {
  Peer& stub = begin();
  stub.answer = [](const std::string&) { return std::nullopt; };
  gdb.stream->send("g");
  ASSERT_TRUE(until([&] { return stub.has_heard("g"); }));
  power_off();
  EXPECT_TRUE(until([&] { return gdb.heard.back() == "E01"; })) << "the one that was under way";
  EXPECT_EQ(ask("m0,4"), "E01");
  EXPECT_EQ(ask("Z0,100,2"), "OK") << "it is kept for the next power cycle";
  EXPECT_TRUE(halt.is_halted());
  go();
  Peer& next = power_on();
  EXPECT_TRUE(until([&] { return next.has_heard("Z0,100,2"); }));
}

TEST_F(GdbProxyTest, SimulatorStopsItAtAPlace) {
  Peer& stub = begin();
  go();
  proxy.stop("boot.verify");
  ASSERT_TRUE(until([&] { return stub.interrupts == 1; }));
  stub.stream->send("T02thread:p01.01;");
  const std::string said = "O" + device::gdb_bytes("otasim: stopped at boot.verify\n");
  EXPECT_TRUE(until([&] { return gdb.heard.size() > 2 && gdb.heard[gdb.heard.size() - 2] == said; }));
  EXPECT_EQ(gdb.heard.back(), "T05thread:p01.01;") << "no Ctrl-C: a trap";
  proxy.stop("once more");
  settle();
  EXPECT_EQ(stub.interrupts, 1) << "GDB has it";
}

TEST_F(GdbProxyTest, CommandsAreAnsweredBySimulator) {
  Peer& stub = begin();
  EXPECT_EQ(ask("qRcmd," + device::gdb_bytes("otasim where")), "O" + device::gdb_bytes("you said where"));
  EXPECT_TRUE(until([&] { return gdb.heard.back() == "OK"; }));
  EXPECT_EQ(ask("qRcmd," + device::gdb_bytes("info registers")), "OK");
  EXPECT_TRUE(stub.has_heard("qRcmd," + device::gdb_bytes("info registers"))) << "others are QEMU's";
}

TEST_F(GdbProxyTest, KillNeverReachesQemu) {
  Peer& stub = begin();
  gdb.stream->send("k");
  EXPECT_TRUE(until([&] { return quits == 1; }));
  EXPECT_FALSE(stub.has_heard("k"));
}

TEST_F(GdbProxyTest, QuittingGdbIsToKillItsTarget) {
  Peer& stub = begin();
  EXPECT_EQ(ask("qAttached:1"), "0");
  EXPECT_FALSE(stub.has_heard("qAttached:1"));
}

TEST_F(GdbProxyTest, LostConnectionIsToldOnce) {
  begin();
  gdb.stream->close();
  EXPECT_TRUE(until([&] { return quits == 1; }));
}

TEST_F(GdbProxyTest, DetachLeavesNothingBehind) {
  Peer& stub = begin();
  EXPECT_EQ(ask("Z0,100,2"), "OK");
  EXPECT_EQ(ask("D;1"), "OK");
  EXPECT_TRUE(until([&] { return resumed == 1; }));
  EXPECT_TRUE(stub.has_heard("z0,100,2"));
  EXPECT_EQ(detaches, 1);
  EXPECT_FALSE(halt.is_halted());
  gdb.stream->close();
  settle();
  EXPECT_EQ(quits, 0);
}

TEST_F(GdbProxyTest, SecondDebuggerIsNotLetIn) {
  begin();
  asio::local::stream_protocol::socket second(io);
  boost::system::error_code error;
  second.connect(asio::local::stream_protocol::endpoint(proxy.address()), error);
  EXPECT_TRUE(error);
}

TEST_F(GdbProxyTest, DebuggerOfAnEditorComesToAPort) {
  GdbProxy other(io, halt, {.on_quit = [] {}, .on_command = [](const std::string&) { return ""; }});
  ASSERT_TRUE(other.listen());
  ASSERT_THAT(other.address(), testing::StartsWith("127.0.0.1:"));
  const int port = std::stoi(other.address().substr(other.address().find(':') + 1));
  asio::ip::tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
  EXPECT_TRUE(until([&] { return other.has_gdb(); }));
}

TEST_F(GdbProxyTest, SocketWhosePathIsTooLongIsRefused) {
  GdbProxy other(io, halt, {.on_quit = [] {}, .on_command = [](const std::string&) { return ""; }});
  const auto listening = other.listen_at(folder.file(std::string(110, 'x')));
  ASSERT_FALSE(listening);
  EXPECT_EQ(listening.error().code, ExitCode::kEnvironment);
}

TEST_F(GdbProxyTest, FloodOfRequestsEndsTheConnection) {
  Peer& stub = begin();
  stub.answer = [](const std::string&) { return std::nullopt; };
  for (int i = 0; i < 200; ++i) gdb.stream->send("g");
  EXPECT_TRUE(until([&] { return quits == 1; }));
}

TEST_F(GdbProxyTest, EndOfTheRunIsAnExit) {
  begin();
  go();
  proxy.end_run(1);
  EXPECT_TRUE(until([&] { return gdb.has_heard("W01"); }));
}

TEST_F(GdbProxyTest, EndOfTheRunWhileGdbHasTheTargetIsToldWhenItLetsGo) {
  begin();
  proxy.detach();
  proxy.end_run(0);
  gdb.stream->send("vCont;c");
  EXPECT_TRUE(until([&] { return gdb.has_heard("W00"); }));
}

class GdbProxyTrapTest : public GdbProxyTest {
 protected:
  GdbProxyTrapTest() { proxy.set_traps({.addresses = {0x100}, .code = "\xAF\xF3\xA5\x80"}); }
};

TEST_F(GdbProxyTrapTest, IsPassedWhileNobodyWantsIt) {
  Peer& stub = begin();
  go();
  ASSERT_TRUE(until([&] { return stub.has_heard("Z0,100,2") && resumed == 1; }));
  stub.stream->send("T05thread:p01.01;");
  ASSERT_TRUE(until([&] { return stub.heard.back() == "s"; }));
  EXPECT_EQ(traps_seen, 1);
  EXPECT_TRUE(stub.has_heard("z0,100,2"));
  stub.stream->send("T05thread:p01.01;");
  EXPECT_TRUE(until([&] { return stub.heard.back() == "c"; }));
  EXPECT_EQ(std::ranges::count(stub.heard, "Z0,100,2"), 2) << "it is set again";
  EXPECT_FALSE(halt.is_halted());
}

TEST_F(GdbProxyTrapTest, IsGdbsWhenSomebodyWantsIt) {
  Peer& stub = begin();
  go();
  ASSERT_TRUE(until([&] { return resumed == 1; }));
  trap = "op:3";
  stub.stream->send("T05thread:p01.01;");
  EXPECT_TRUE(until([&] { return halt.is_halted(); }));
  EXPECT_TRUE(until([&] { return gdb.has_heard("O" + device::gdb_bytes("otasim: stopped at op:3\n")); }));
}

TEST_F(GdbProxyTrapTest, IsTakenOutWhenItIsNotWantedAnyMore) {
  Peer& stub = begin();
  go();
  ASSERT_TRUE(until([&] { return resumed == 1; }));
  trap = "op:3";
  stub.stream->send("T05thread:p01.01;");
  ASSERT_TRUE(until([&] { return halt.is_halted(); }));
  proxy.set_traps({});
  go();
  EXPECT_TRUE(until([&] { return stub.heard.back() == "c"; }));
  EXPECT_TRUE(stub.has_heard("z0,100,2"));
}

TEST_F(GdbProxyTrapTest, OtherCodeAtItsAddressIsNone) {
  Peer& stub = begin();
  stub.answer = [](const std::string& content) -> std::optional<std::string> {
    return content == "m100,4" ? std::optional<std::string>("00bf00bf") : stub_answer(content);
  };
  trap = "op:3";
  go();
  ASSERT_TRUE(until([&] { return resumed == 1; }));
  stub.stream->send("T05thread:p01.01;");
  EXPECT_TRUE(until([&] { return stub.heard.back() == "s"; }));
  EXPECT_EQ(traps_seen, 0);
}

TEST_F(GdbProxyTrapTest, InterruptWhileItIsPassedIsAnsweredAfterIt) {
  Peer& stub = begin();
  go();
  ASSERT_TRUE(until([&] { return resumed == 1; }));
  stub.stream->send("T05thread:p01.01;");
  ASSERT_TRUE(until([&] { return stub.heard.back() == "s"; }));
  gdb.stream->interrupt();
  settle();
  stub.stream->send("T05thread:p01.01;");
  EXPECT_TRUE(until([&] { return gdb.has_heard("T02thread:p01.01;"); }));
}

TEST_F(GdbProxyTrapTest, ResetInTheMiddleOfPassingSetsItAgain) {
  Peer& stub = begin();
  go();
  ASSERT_TRUE(until([&] { return resumed == 1; }));
  stub.stream->send("T05thread:p01.01;");
  ASSERT_TRUE(until([&] { return stub.heard.back() == "s"; }));
  proxy.machine_stops();
  stub.stream->send("T03thread:p01.01;");
  settle();
  proxy.run_machine([this] { ++resumed; });
  ASSERT_TRUE(until([&] { return resumed == 2; }));
  EXPECT_EQ(std::ranges::count(stub.heard, "Z0,100,2"), 2);
}

}  // namespace
}  // namespace otasim::debug
