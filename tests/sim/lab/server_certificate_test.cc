// A real device in QEMU and its calendar: which server certificates it accepts, at which time, and what it
// keeps of the time.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "pal_sim/flash/flash_map.h"
#include "tests/sim/lab/one_device_lab.h"

namespace otasim::lab {
namespace {

constexpr std::int64_t kDay = 86'400;

std::int64_t system_time() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class ServerCertificateTest : public OneDeviceLab {
 protected:
  void expect_refused(const std::string& reason) {
    power_on();
    EXPECT_TRUE(says("app: time 2"));
    EXPECT_TRUE(says(fmt::format("app: cannot connect to {}:{}: the server's certificate {} (code -9984)",
                                 kEndpointHost, lab->mqtt_port(), reason)));
    EXPECT_TRUE(says("trying again in"));
    EXPECT_FALSE(has_said("connected to"));
  }
  void expect_accepted() { EXPECT_TRUE(says("app: connected to")); }
  /// Another certificate, and a broker that shows it.
  void reissue(const EndpointCertificate& endpoint) {
    ASSERT_TRUE(lab->reissue_endpoint(endpoint));
    bool is_up = false;
    lab->restart_broker(0, [&is_up](const Result<void>& restarted) { is_up = restarted.has_value(); });
    ASSERT_TRUE(wait_for([&is_up] { return is_up; }));
  }
  /// The calendar's first record, as the layout's document says.
  [[nodiscard]] std::int64_t stored_time() const {
    std::int64_t time = 0;
    std::memcpy(&time, device->flash().data() + flash::kCalendar0.offset + 8, sizeof time);
    return time;
  }
};

TEST_F(ServerCertificateTest, AnExpiredOneIsRefusedUntilItIsRenewed) {
  start_lab({.valid_from = system_time() - 10 * kDay, .valid_until = system_time() - kDay});
  expect_refused("has expired");
  reissue({});
  expect_accepted();
}

TEST_F(ServerCertificateTest, OneThatExpiresByTheLabsClockIsRefusedFromThenOn) {
  start_lab({.valid_until = system_time() + 30 * kDay});
  power_on();
  expect_accepted();
  device->cut();
  lab->jump_clock(31 * kDay);
  expect_refused("has expired");
}

TEST_F(ServerCertificateTest, OneThatIsNotValidYetIsRefused) {
  start_lab({.valid_from = system_time() + 10 * kDay});
  expect_refused("is not valid yet");
}

TEST_F(ServerCertificateTest, OneForAnotherNameIsRefused) {
  start_lab({.host = "other.localhost"});
  expect_refused("is not for this host");
}

TEST_F(ServerCertificateTest, OneByAStrangerIsRefused) {
  start_lab({.by_stranger = true});
  expect_refused("is not signed by the provisioned root");
}

TEST_F(ServerCertificateTest, TheTimeIsKeptOnceAServerVouchedForIt) {
  start_lab();
  power_on();
  expect_accepted();
  EXPECT_TRUE(says("no job waiting"));
  EXPECT_NEAR(static_cast<double>(stored_time()), static_cast<double>(system_time()), 60);
  device->cut();
  lab->jump_clock(-2 * kDay);
  power_on();
  EXPECT_TRUE(says("app: the time server's answer is not taken: its time is over already"));
  EXPECT_TRUE(says("app: no time from the server; it is "));
  expect_accepted();
}

TEST_F(ServerCertificateTest, AForgedFutureIsNeverKept) {
  start_lab({.valid_until = system_time() + 30 * kDay});
  lab->jump_clock(31 * kDay);
  expect_refused("has expired");
  EXPECT_EQ(stored_time(), -1) << "blank flash";
  lab->jump_clock(-31 * kDay);
  expect_accepted();
}

}  // namespace
}  // namespace otasim::lab
