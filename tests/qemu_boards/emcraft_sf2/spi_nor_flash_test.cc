// The SPI NOR driver against a chip that obeys the NOR model, and is as strict about commands as the data
// sheet.
#include "qemu_boards/emcraft_sf2/spi_nor_flash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"
#include "pal_sim/flash/window.h"
#include "qemu_boards/native/native_flash.h"

namespace emcraft_sf2 {
namespace {

using flash::Status;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Bytes = std::vector<std::uint8_t>;

/// The chip: identity, write enable latch, busy for a few polls after each write.
class Chip final : public SpiBus {
 public:
  Bytes identity{0x01, 0x20, 0x18, 0x03, 0x01};
  bool is_dead = false;          ///< the bus does not work
  bool is_stuck = false;         ///< never ready again after the next write
  bool latch_holds = true;       ///< false: write enable is without effect
  std::uint32_t busy_polls = 3;  ///< how often it says that it is busy after a write
  std::uint32_t busy = 0;
  std::vector<std::string> mistakes;  ///< of the driver
  std::vector<std::uint8_t> commands;

  [[nodiscard]] native::NativeFlash& part() { return part_; }
  [[nodiscard]] std::span<std::uint8_t> cells() { return part_.window(); }

  bool transfer(std::span<const std::uint8_t> command, std::span<const std::uint8_t> out,
                std::span<std::uint8_t> in) override {
    if (is_dead) return false;
    if (command.size() + out.size() + in.size() > kMaxTransaction)
      mistakes.emplace_back("too long a transaction");
    commands.push_back(command[0]);
    if (busy != 0 && command[0] != 0x05) mistakes.emplace_back("a command while the chip is busy");
    switch (command[0]) {
      case 0x9F:
        std::copy_n(identity.begin(), std::min(in.size(), identity.size()), in.begin());
        return true;
      case 0x05:
        in[0] = static_cast<std::uint8_t>((busy != 0 ? 1 : 0) | (is_enabled_ ? 2 : 0));
        if (busy != 0 && !is_stuck) --busy;
        return true;
      case 0x06:
        is_enabled_ = latch_holds;
        return true;
      case 0x03:
        std::copy_n(cells().begin() + address(command), in.size(), in.begin());
        return true;
      case 0x02:
        return write(command, [&] { program(address(command), out); });
      case 0xD8:
        return write(command, [&] { erase(address(command)); });
      default:
        mistakes.push_back("unknown command " + std::to_string(command[0]));
        return true;
    }
  }

 private:
  static std::uint32_t address(std::span<const std::uint8_t> command) {
    return static_cast<std::uint32_t>(command[1] << 16 | command[2] << 8 | command[3]);
  }

  template <typename Change>
  bool write(std::span<const std::uint8_t> /*command*/, const Change& change) {
    if (!is_enabled_) {
      mistakes.emplace_back("a write without write enable");
      return true;
    }
    change();
    is_enabled_ = false;
    busy = busy_polls;
    return true;
  }

  /// As the chip has it: beyond the page it begins again at the page's start.
  void program(std::uint32_t at, std::span<const std::uint8_t> data) {
    if (at % flash::kPageSize + data.size() > flash::kPageSize)
      mistakes.emplace_back("a program across a page");
    const bool is_bank = at >= flash::kOtpOffset && at < flash::kOtpOffset + flash::kOtpSize;
    const Status status = is_bank ? part_.otp_program(at - flash::kOtpOffset, data) : part_.program(at, data);
    if (status != Status::kOk && status != Status::kNoDevice) mistakes.emplace_back("a program out of place");
  }

  void erase(std::uint32_t at) {
    if (at >= flash::kSpiNorPart.size) mistakes.emplace_back("an erase of the last sector");
    static_cast<void>(
        part_.erase_sector(at / flash::kSpiNorPart.sector_size * flash::kSpiNorPart.sector_size));
  }

  native::NativeFlash part_{1, flash::kSpiNorPart};
  bool is_enabled_ = false;
};

constexpr std::array<std::uint8_t, 32> kSecret{7};

class SpiNorFlashTest : public testing::Test {
 protected:
  ~SpiNorFlashTest() override { EXPECT_THAT(chip_.mistakes, IsEmpty()); }

  Chip chip_;
  SpiNorFlash flash_{chip_, kSecret};
};

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  return bytes;
}

TEST_F(SpiNorFlashTest, IsTheSpiNorPart) {
  EXPECT_EQ(flash_.geometry(), flash::kSpiNorPart);
}

TEST_F(SpiNorFlashTest, AsksForTheIdentityOnceAndFirst) {
  Bytes out(4);
  ASSERT_EQ(flash_.read(0, out), Status::kOk);
  ASSERT_EQ(flash_.read(4, out), Status::kOk);
  EXPECT_THAT(chip_.commands, ElementsAre(0x05, 0x9F, 0x03, 0x03));
}

TEST_F(SpiNorFlashTest, AnotherChipIsNoDeviceAndIsNotTouched) {
  for (std::size_t i = 0; i < chip_.identity.size(); ++i) {
    Chip other;
    other.identity[i] ^= 1;
    SpiNorFlash flash(other, kSecret);
    Bytes bytes(4);
    EXPECT_EQ(flash.read(0, bytes), Status::kNoDevice) << i;
    EXPECT_EQ(flash.program(0, bytes), Status::kNoDevice);
    EXPECT_EQ(flash.erase_sector(0), Status::kNoDevice);
    EXPECT_EQ(flash.otp_read(0, bytes), Status::kNoDevice);
    EXPECT_EQ(flash.otp_program(0, bytes), Status::kNoDevice);
    EXPECT_EQ(flash.entropy(bytes), Status::kNoDevice);
    EXPECT_THAT(std::set(other.commands.begin(), other.commands.end()), ElementsAre(0x05, 0x9F));
  }
}

TEST_F(SpiNorFlashTest, AChipThatIsStillBusyFromBeforeTheResetIsWaitedFor) {
  chip_.busy = 50;
  Bytes out(1);
  EXPECT_EQ(flash_.read(0, out), Status::kOk);
}

TEST_F(SpiNorFlashTest, ReadsAnyLength) {
  const Bytes data = counting(0x2'0001);
  std::ranges::copy(data, chip_.cells().begin() + 0x12'3456);
  Bytes out(data.size());
  ASSERT_EQ(flash_.read(0x12'3456, out), Status::kOk);
  EXPECT_EQ(out, data) << "longer than a transaction";
  EXPECT_EQ(flash_.read(0, {}), Status::kOk);
}

TEST_F(SpiNorFlashTest, ProgramsWithinAPage) {
  const Bytes data = counting(flash::kPageSize);
  ASSERT_EQ(flash_.program(0x70'0100, data), Status::kOk);
  EXPECT_TRUE(std::equal(data.begin(), data.end(), chip_.cells().begin() + 0x70'0100));
  EXPECT_EQ(flash_.program(0x70'0201, data), Status::kUnaligned);
  EXPECT_EQ(flash_.program(0x70'0200, counting(flash::kPageSize + 1)), Status::kUnaligned);
  EXPECT_EQ(chip_.cells()[0x70'0201], 0xFF);
  EXPECT_EQ(flash_.program(0x70'0200, {}), Status::kOk);
}

TEST_F(SpiNorFlashTest, ErasesASector) {
  std::ranges::fill(chip_.cells().first(0x3'0000), std::uint8_t{0});
  EXPECT_EQ(flash_.erase_sector(0x1'1000), Status::kUnaligned);
  ASSERT_EQ(flash_.erase_sector(0x1'0000), Status::kOk);
  EXPECT_THAT(chip_.cells().subspan(0x1'0000, 0x1'0000), Each(0xFF));
  EXPECT_EQ(chip_.cells()[0xFFFF], 0);
  EXPECT_EQ(chip_.cells()[0x2'0000], 0);
}

TEST_F(SpiNorFlashTest, TheArrayEndsBeforeTheLastSector) {
  Bytes bytes(2);
  EXPECT_EQ(flash_.read(0xFE'FFFF, bytes), Status::kOutOfRange);
  EXPECT_EQ(flash_.program(0xFE'FFFF, bytes), Status::kOutOfRange);
  EXPECT_EQ(flash_.erase_sector(0xFF'0000), Status::kOutOfRange);
  EXPECT_EQ(flash_.read(0xFFFF'FFFF, bytes), Status::kOutOfRange);
  EXPECT_EQ(flash_.erase_sector(0xFFFF'0000), Status::kOutOfRange);
}

TEST_F(SpiNorFlashTest, TheBankStandsInTheLastSector) {
  const Bytes data(flash::kPageSize, 0x0F);
  ASSERT_EQ(flash_.otp_program(200, data), Status::kOk) << "two pages of the chip";
  EXPECT_THAT(chip_.cells().subspan(flash::kOtpOffset + 200, data.size()), Each(0x0F));
  EXPECT_EQ(chip_.cells()[flash::kOtpOffset + 199], 0xFF);
  Bytes out(data.size());
  ASSERT_EQ(flash_.otp_read(200, out), Status::kOk);
  EXPECT_EQ(out, data);
  EXPECT_EQ(flash_.otp_program(flash::kOtpSize - 1, Bytes(2, 0)), Status::kOutOfRange);
  EXPECT_EQ(flash_.otp_program(0, Bytes(flash::kPageSize + 1, 0)), Status::kOutOfRange);
  EXPECT_EQ(flash_.otp_read(flash::kOtpSize, out), Status::kOutOfRange);
}

TEST_F(SpiNorFlashTest, CarriesTheFloorAndTheRevocations) {
  using boot::image::Kind;
  ASSERT_EQ(boot::burn_floor(flash_, Kind::kApplication, 700), Status::kOk);
  ASSERT_EQ(boot::burn_floor(flash_, Kind::kRecovery, 3), Status::kOk);
  ASSERT_EQ(boot::burn_revoked(flash_, 0b10), Status::kOk);
  std::uint32_t value = 0;
  ASSERT_EQ(boot::read_floor(flash_, Kind::kApplication, value), Status::kOk);
  EXPECT_EQ(value, 700U);
  ASSERT_EQ(boot::read_floor(flash_, Kind::kRecovery, value), Status::kOk);
  EXPECT_EQ(value, 3U);
  ASSERT_EQ(boot::read_revoked(flash_, value), Status::kOk);
  EXPECT_EQ(value, 0b10U);
}

TEST_F(SpiNorFlashTest, HasNoLocks) {
  EXPECT_EQ(flash_.lock(0, 0x1'0000), Status::kBadCommand);
  EXPECT_EQ(flash_.otp_lock(), Status::kBadCommand);
}

TEST_F(SpiNorFlashTest, RandomBytesComeFromTheSeed) {
  Bytes out(48);
  EXPECT_EQ(flash_.entropy(out), Status::kBadCommand) << "the factory wrote none";
  const entropy::SeedPage page = entropy::seed_page(1, entropy::Seed{5});
  std::ranges::copy(page, chip_.cells().begin() + flash::kSeed0.offset);
  std::set<Bytes> seen;
  for (int start = 0; start < 3; ++start) {
    SpiNorFlash flash(chip_, kSecret);
    ASSERT_EQ(flash.entropy(out), Status::kOk);
    EXPECT_TRUE(seen.insert(out).second);
  }
}

TEST_F(SpiNorFlashTest, AChipThatCannotBeEnabledFails) {
  Bytes out(1);
  ASSERT_EQ(flash_.read(0, out), Status::kOk);
  chip_.latch_holds = false;
  EXPECT_EQ(flash_.program(0, Bytes(4, 0)), Status::kProgramFailed);
  EXPECT_EQ(flash_.erase_sector(0), Status::kEraseFailed);
  EXPECT_EQ(flash_.otp_program(0, Bytes(4, 0)), Status::kProgramFailed);
}

TEST_F(SpiNorFlashTest, AChipThatIsNeverReadyAgainFailsAndDoesNotHang) {
  Bytes out(1);
  ASSERT_EQ(flash_.read(0, out), Status::kOk);
  chip_.is_stuck = true;
  EXPECT_EQ(flash_.program(0, Bytes(4, 0)), Status::kProgramFailed);
}

TEST_F(SpiNorFlashTest, ABusThatStopsWorkingIsNoDevice) {
  Bytes out(1);
  ASSERT_EQ(flash_.read(0, out), Status::kOk);
  chip_.is_dead = true;
  EXPECT_EQ(flash_.read(0, out), Status::kNoDevice);
  EXPECT_EQ(flash_.program(0, Bytes(4, 0)), Status::kNoDevice);
  EXPECT_EQ(flash_.erase_sector(0), Status::kNoDevice);
}

}  // namespace
}  // namespace emcraft_sf2
