// The NBD server on its socket and its thread: clients that come, misbehave, die and are cut off.
#include "sim/flash/nbd_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "tests/sim/flash/flash_part_fixture.h"
#include "tests/sim/flash/nbd_client.h"

namespace otasim::flash_file {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::size_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// A thread that has been joined may be listed by the system a moment longer.
bool are_threads(std::size_t wanted) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (threads() != wanted && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  return threads() == wanted;
}

std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class NbdServerTest : public FlashPartFixture {
 protected:
  void start() {
    auto started = NbdServer::power_on(
        {.socket_path = path, .part = files(), .on_refused = [this](const RefusedWrite& write) {
           const std::scoped_lock lock(mutex);
           refused.push_back(write);
         }});
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
  /// Waits for the pipe, as the simulator does.
  bool is_struck() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (strikes.empty() && std::chrono::steady_clock::now() < limit) {
      io.restart();
      io.run_one_until(limit);
    }
    return !strikes.empty();
  }

  std::string path = folder.file("nbd.sock");
  std::mutex mutex;
  std::vector<RefusedWrite> refused;
  std::unique_ptr<NbdServer> server;
};

TEST_F(NbdServerTest, ServesThePartAndLeavesNothingBehind) {
  const std::size_t threads_before = threads();
  const std::size_t descriptors_before = descriptors();
  start();
  EXPECT_EQ(threads(), threads_before + 1);
  {
    NbdClient client(path);
    ASSERT_TRUE(client.go());
    EXPECT_EQ(client.size(), ::flash::kWindowSize);
    EXPECT_EQ(client.write(kSlot, Bytes(kPage, 0x5A)), 0U);
    Bytes out(nbd::kMaxRequestBytes);
    ASSERT_EQ(client.read(kSlot, out), 0U);
    EXPECT_EQ(Bytes(out.begin(), out.begin() + kPage), Bytes(kPage, 0x5A));
  }
  server.reset();
  EXPECT_EQ(bytes(kSlot, kPage), Bytes(kPage, 0x5A));
  EXPECT_TRUE(are_threads(threads_before));
  EXPECT_EQ(descriptors(), descriptors_before);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(NbdServerTest, EndsWithAClientConnectedInAnyState) {
  for (int state = 0; state < 4; ++state) {
    start();
    NbdClient client(path);
    ASSERT_TRUE(state == 0 || client.go());
    if (state == 2) client.send(std::vector<std::uint8_t>(nbd::kRequestHeaderSize - 1));
    if (state == 3) {
      // Reads that nobody takes: the server has more to send than the socket holds.
      for (int i = 0; i < 8; ++i)
        client.send(NbdClient::fields({{0x25609513, 4}, {0, 2}, {0, 2}, {1, 8}, {0, 8}, {1 << 20, 4}}));
    }
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(path)) << state;
  }
}

TEST_F(NbdServerTest, WhatAClientHadSentWhenTheServerEndsIsDone) {
  for (int round = 0; round < 20; ++round) {
    start();
    NbdClient client(path);
    ASSERT_TRUE(client.go());
    const auto base = kSlot + static_cast<std::uint32_t>(round) * 100 * kPage;
    for (std::uint32_t i = 0; i < 100; ++i) client.send_write(base + i * kPage, Bytes(kPage, 0x11));
    const Bytes half =
        NbdClient::fields({{0x25609513, 4}, {0, 2}, {1, 2}, {1, 8}, {kSlot - kPage, 8}, {kPage, 4}});
    client.send(half);
    client.send(Bytes(kPage - 1, 0));
    server.reset();
    ASSERT_EQ(bytes(base, 100 * kPage), Bytes(100 * kPage, 0x11)) << round;
    EXPECT_EQ(bytes(kSlot - kPage, kPage), Bytes(kPage, 0xFF)) << "a request that is not whole is none";
  }
}

TEST_F(NbdServerTest, AKilledClientsOperationsAreDoneAndTheNextClientIsServed) {
  start();
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE(round);
    const auto base = kSlot + static_cast<std::uint32_t>(round) * 64 * kPage;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      NbdClient client(path);
      if (client.go()) {
        for (std::uint32_t i = 0; i < 64; ++i) client.send_write(base + i * kPage, Bytes(kPage, 0));
      }
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    NbdClient client(path);
    ASSERT_TRUE(client.go());
    Bytes out(64 * kPage);
    ASSERT_EQ(client.read(base, out), 0U);
    EXPECT_EQ(out, Bytes(64 * kPage, 0));
  }
}

TEST_F(NbdServerTest, ASecondClientIsTurnedAwayWhileTheFirstIsServed) {
  start();
  NbdClient first(path);
  ASSERT_TRUE(first.go());
  NbdClient second(path);
  EXPECT_TRUE(second.is_ended());
  EXPECT_EQ(first.write(kSlot, Bytes(kPage, 0)), 0U);
}

TEST_F(NbdServerTest, ABrokenClientIsLetGoAndTheNextIsServed) {
  start();
  NbdClient broken(path);
  ASSERT_THAT(broken.receive(18), SizeIs(18));
  broken.send(Bytes(4, 0xFF));
  EXPECT_TRUE(broken.is_ended());
  broken.close();
  NbdClient client(path);
  EXPECT_TRUE(client.go());
}

TEST_F(NbdServerTest, AWriteThatNoChipMakesIsTold) {
  start();
  NbdClient client(path);
  ASSERT_TRUE(client.go());
  EXPECT_EQ(client.write(kSlot, Bytes(1, 0)), 0U);
  EXPECT_EQ(client.write(kSlot, Bytes(1, 1)), 5U);
  server.reset();
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused[0].offset, kSlot);
}

TEST_F(NbdServerTest, ACutWakesTheSimulatorAndNothingAfterItIsTakenOrAnswered) {
  arm(PowerCut{.strike = {.after = 1, .times = 1}, .phase = PowerCut::Phase::kWithin, .torn = {.bytes = 7}});
  start();
  NbdClient client(path);
  ASSERT_TRUE(client.go());
  EXPECT_EQ(client.write(kSlot, Bytes(kPage, 0)), 0U);
  client.send_write(kSlot + kPage, Bytes(kPage, 0));
  client.send_write(kSlot + 2 * kPage, Bytes(kPage, 0));
  ASSERT_TRUE(is_struck());
  EXPECT_TRUE(client.is_ended()) << "no reply came";
  server.reset();
  EXPECT_EQ(bytes(kSlot + kPage, 8), (Bytes{0, 0, 0, 0, 0, 0, 0, 0xFF}));
  EXPECT_EQ(bytes(kSlot + 2 * kPage, kPage), Bytes(kPage, 0xFF));
  EXPECT_EQ(strikes.at(0).at("operation"), 2);
  EXPECT_EQ(strikes.at(0).at("offset"), kSlot + kPage);
  EXPECT_EQ(strikes.at(0).at("applied_bytes"), 7);
}

TEST_F(NbdServerTest, ACutStopsTheClientsProcess) {
  arm(PowerCut{});
  start();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    NbdClient client(path);
    if (client.go()) (void)client.write(kSlot, Bytes(kPage, 0));
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status)) << "it would have gone on when its connection ended";
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(is_struck());
}

TEST_F(NbdServerTest, TheNextPowerOnServesAgainAndCountsOn) {
  arm(PowerCut{});
  start();
  NbdClient client(path);
  ASSERT_TRUE(client.go());
  client.send_write(kSlot, Bytes(kPage, 0));
  ASSERT_TRUE(is_struck());
  server.reset();
  start();
  NbdClient again(path);
  ASSERT_TRUE(again.go());
  EXPECT_EQ(again.write(kSlot, Bytes(kPage, 0)), 0U);
  EXPECT_THAT(logged(), SizeIs(2));
  EXPECT_THAT(strikes, SizeIs(1));
}

TEST_F(NbdServerTest, WhatIsMissingIsSaidAtPowerOn) {
  const auto no_folder = NbdServer::power_on({.socket_path = folder.file("none/nbd.sock"), .part = files()});
  ASSERT_FALSE(no_folder);
  EXPECT_THAT(no_folder.error().message, HasSubstr("cannot make the flash's socket"));
  const auto long_path =
      NbdServer::power_on({.socket_path = "/tmp/" + std::string(200, 'x'), .part = files()});
  ASSERT_FALSE(long_path);
  EXPECT_THAT(long_path.error().message, HasSubstr("too long"));
  FlashPartFiles none = files();
  none.window_path = folder.file("none.bin");
  const auto no_file = NbdServer::power_on({.socket_path = path, .part = none});
  ASSERT_FALSE(no_file);
  EXPECT_THAT(no_file.error().message, HasSubstr("none.bin"));
  none = files();
  none.op_log_path = folder.file("flash.bin");
  const auto no_log = NbdServer::power_on({.socket_path = path, .part = none});
  ASSERT_FALSE(no_log);
  EXPECT_THAT(no_log.error().message, HasSubstr("cannot open the op log"));
}

}  // namespace
}  // namespace otasim::flash_file
