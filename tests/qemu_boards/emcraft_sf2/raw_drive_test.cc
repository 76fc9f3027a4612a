// emcraft-sf2 on a raw drive file: the bootloader in the eNVM starts an image from the SPI NOR chip, and the
// heartbeat line says what a watchdog outside is to do. No simulator is at the other end of anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/boot/boot_control.h"
#include "agent/boot/image.h"
#include "agent/boot/security_counter.h"
#include "qemu_boards/emcraft_sf2/memory_map.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"
#include "sim/crypto/key.h"
#include "sim/image/elf.h"
#include "sim/image/image.h"
#include "sim/lab/build_products.h"
#include "tests/qemu_boards/device/probe_task.h"
#include "tests/sim/flash/qemu_guest.h"

namespace otasim::test {
namespace {

using boot::Slot;
using probe::Task;
using Bytes = std::vector<std::uint8_t>;
using ::testing::HasSubstr;

constexpr int kLimitMs = 60'000;
constexpr const char* kBoard = "emcraft-sf2";

template <typename T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

Bytes probe_image(Task task, image::Version version, std::uint32_t counter) {
  constexpr std::uint32_t kHeader = boot::image::kDefaultHeaderSize;
  const Bytes elf = need(read_file(need(lab::find_program(std::string("probe-") + kBoard + ".elf"))));
  Bytes payload = need(
      image::payload_from_elf(elf, emcraft_sf2::kLoadAddress + kHeader, emcraft_sf2::kLoadSize - kHeader));
  const auto marker = std::ranges::search(payload, probe::kTaskMarker).begin();
  if (payload.end() - marker < static_cast<std::ptrdiff_t>(sizeof(probe::TaskWord)))
    throw std::runtime_error("the probe has no task word");
  std::memcpy(&*marker + offsetof(probe::TaskWord, task), &task, sizeof task);
  const auto key = need(crypto::P256Key::load_private(need(lab::build_key(lab::kBootSigningKey))));
  return need(image::sign(
      payload, {.version = version, .security_counter = counter, .load_address = emcraft_sf2::kLoadAddress},
      key));
}

class RawDrive : public testing::Test {
 protected:
  RawDrive() { put(flash::kSlotA, probe_image(Task::kIdle, {1, 0, 0, 0}, 1)); }

  void put(const flash::Partition& slot, const Bytes& image) {
    std::ranges::copy(image, part_.window().begin() + slot.offset);
  }

  /// As an application leaves it that received `image` into slot B and verified it; A is committed.
  void stage(const Bytes& image) {
    put(flash::kSlotB, image);
    boot::image::Info first;
    boot::image::Info second;
    const boot::image::LoadRegion region{emcraft_sf2::kLoadAddress, emcraft_sf2::kLoadSize};
    ASSERT_EQ(peek(part_, Slot::kA, region, first), boot::image::VerifyStatus::kOk);
    ASSERT_EQ(peek(part_, Slot::kB, region, second), boot::image::VerifyStatus::kOk);
    boot::BootControl control(part_);
    ASSERT_EQ(control.load(), flash::Status::kOk);
    append(control, boot::commit_factory({}, Slot::kA, identity(first)));
    append(control, boot::begin_receive(control.state(), "job-1", Slot::kB));
    append(control, boot::mark_verified(control.state(), identity(second)));
  }

  static void append(boot::BootControl& control, const std::optional<boot::BootState>& next) {
    ASSERT_TRUE(next);
    ASSERT_EQ(control.append(*next), flash::Status::kOk);
  }

  static boot::ImageIdentity identity(const boot::image::Info& info) {
    return {.version = info.version,
            .security_counter = info.security_counter,
            .size = info.total_size,
            .digest = info.digest,
            .job_id = {}};
  }

  void power_on() {
    const auto window = part_.window();
    ASSERT_TRUE(write_file_atomic(drive(), Bytes(window.begin(), window.end())));
    guest_ = std::make_unique<qemu_guest::Guest>(std::vector<std::string>{
        "-display", "none", "-nodefaults", "-machine", kBoard, "-kernel",
        need(lab::find_program(std::string("bootloader-") + kBoard + ".elf")), "-drive",
        "if=mtd,format=raw,file=" + drive(), "-serial", "stdio", "-serial",
        "file:" + folder_.file("heartbeat"), "-qmp", "unix:" + folder_.file("qmp") + ",server=on,wait=off"});
  }
  /// The device's flash once QEMU is gone; what it wrote last has reached the file then.
  void power_off() {
    command("quit");
    static_cast<void>(guest_->wait_for_exit(kLimitMs));
    guest_.reset();
    const auto bytes = need(read_file(drive()));
    ASSERT_EQ(bytes.size(), part_.window().size());
    std::ranges::copy(bytes, part_.window().begin());
  }

  [[nodiscard]] testing::AssertionResult says(const std::string& text) {
    if (guest_->wait_for(text, kLimitMs)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no '" << text << "' in:\n" << guest_->output();
  }

  /// What the device sent to the watchdog so far.
  [[nodiscard]] std::string heartbeat() const {
    const auto bytes = need(read_file(folder_.file("heartbeat")));
    return {bytes.begin(), bytes.end()};
  }

  /// One QMP command on a connection of its own.
  void command(const std::string& name) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_.file("qmp");
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    for (const std::string& one : {std::string("qmp_capabilities"), name}) {
      const std::string text = "{\"execute\": \"" + one + "\"}\n";
      ASSERT_EQ(::write(socket.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    // Until both are answered, or QEMU is gone.
    std::string answers;
    std::array<char, 1024> bytes{};
    while (std::ranges::search(answers, std::string_view("\"return\"")).empty() ||
           answers.find("\"return\"") == answers.rfind("\"return\"")) {
      const ssize_t got = ::read(socket.get(), bytes.data(), bytes.size());
      if (got <= 0) return;
      answers.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

  [[nodiscard]] std::string drive() const { return folder_.file("spi.bin"); }

  TempDir folder_ = TempDir::create().value();
  native::NativeFlash part_{1, flash::kSpiNorPart};
  std::unique_ptr<qemu_guest::Guest> guest_;
};

TEST_F(RawDrive, ANewDeviceCommitsAndStartsItsFactoryImage) {
  power_on();
  EXPECT_TRUE(says("boot: reset board=emcraft-sf2 reason=power-on\n"));
  EXPECT_TRUE(says("boot: unlocked reason=part-has-no-locks\n"));
  EXPECT_TRUE(says("probe: running slot=A state=committed attempt=0 reset=power-on\n"));
  EXPECT_EQ(heartbeat(), "") << "nothing is on trial";
  power_off();
  boot::BootControl control(part_);
  ASSERT_EQ(control.load(), flash::Status::kOk);
  EXPECT_EQ(control.state().committed_slot, Slot::kA);
  std::uint32_t floor = 0;
  ASSERT_EQ(boot::read_floor(part_, boot::image::Kind::kApplication, floor), flash::Status::kOk);
  EXPECT_EQ(floor, 1U);

  power_on();
  EXPECT_TRUE(says("boot: control record=settled committed=A staged=none state=empty\n"));
  EXPECT_TRUE(says("probe: running slot=A state=committed"));
}

TEST_F(RawDrive, AHangingTrialEndsWithTheResetLineAndIsTakenBack) {
  stage(probe_image(Task::kHang, {1, 1, 0, 0}, 2));
  power_on();
  ASSERT_TRUE(says("probe: running slot=B state=trial attempt=1"));
  EXPECT_EQ(heartbeat(), "start 60000\n");
  command("system_reset");
  EXPECT_TRUE(says("boot: reset board=emcraft-sf2 reason=watchdog\n"));
  EXPECT_TRUE(says("boot: reject slot=B reason=trial-failed back-to=A\n"));
  EXPECT_TRUE(says("probe: running slot=A state=committed attempt=0 reset=watchdog\n"));
}

TEST_F(RawDrive, AnApplicationThatFeedsTheWatchdogInItsTrialFaults) {
  stage(probe_image(Task::kFeedWatchdog, {1, 1, 0, 0}, 2));
  power_on();
  EXPECT_TRUE(says("board: fault at pc 0x"));
  EXPECT_TRUE(says("boot: reset board=emcraft-sf2 reason=software\n"));
  EXPECT_TRUE(says("boot: reject slot=B reason=trial-failed back-to=A\n"));
  EXPECT_TRUE(says("probe: running slot=A"));
  EXPECT_EQ(heartbeat(), "start 60000\n");
}

TEST_F(RawDrive, AnAcceptedImageOwnsTheWatchdogAndIsCommitted) {
  stage(probe_image(Task::kAccept, {1, 1, 0, 0}, 2));
  power_on();
  ASSERT_TRUE(says("probe: accepted\n"));
  EXPECT_THAT(heartbeat(), HasSubstr("start 60000\nstop\nstart 1000\n"));
  command("system_reset");
  EXPECT_TRUE(says("boot: commit slot=B version=1.1.0 counter=2 result=ok\n"));
  EXPECT_TRUE(says("probe: running slot=B state=committed"));
  power_off();
  std::uint32_t floor = 0;
  ASSERT_EQ(boot::read_floor(part_, boot::image::Kind::kApplication, floor), flash::Status::kOk);
  EXPECT_EQ(floor, 2U);
  EXPECT_EQ(part_.window()[flash::kSlotA.offset], 0xFF) << "the old image cannot start again";
}

/// The boot ROM is one: not even the MPU is needed.
TEST_F(RawDrive, AStoreIntoTheBootRomIsAFault) {
  for (const Task task : {Task::kWriteBootRom, Task::kWriteBootRomMirror}) {
    stage(probe_image(task, {1, 1, 0, 0}, 2));
    power_on();
    EXPECT_TRUE(says("board: fault at pc 0x"));
    EXPECT_TRUE(says("boot: reject slot=B reason=trial-failed back-to=A\n"));
    guest_.reset();
    std::ranges::fill(part_.window().first(flash::kBootControl1.end()), std::uint8_t{0xFF});
    std::ranges::fill(part_.window().subspan(flash::kSlotB.offset, flash::kSlotSize), std::uint8_t{0xFF});
  }
}

}  // namespace
}  // namespace otasim::test
