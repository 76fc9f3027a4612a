#include "sim/base/signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

namespace otasim {
namespace {

TEST(TerminationSignals, HandsOverEachSignalUntilStopped) {
  boost::asio::io_context io;
  std::vector<int> seen;
  TerminationSignals signals(io, [&](int signal) {
    seen.push_back(signal);
    if (seen.size() == 1) {
      std::raise(SIGTERM);
    } else {
      signals.stop();
    }
  });
  std::raise(SIGINT);
  io.run();  // returns only because stop() left nothing to wait for
  EXPECT_EQ(seen, (std::vector{SIGINT, SIGTERM}));
}

TEST(TerminationSignals, MayBeDestroyedWhileItWaits) {
  boost::asio::io_context io;
  int calls = 0;
  {
    const TerminationSignals signals(io, [&](int) { ++calls; });
  }
  io.run();
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace otasim
