// What the application learns from the no-init block: all that the bootloader said, and nothing if the block
// is not the bootloader's. The block and the load region are played here; images are loaded to addresses of
// 32 bits, so the region is mapped below 4 GiB.
#include "agent/app/running_image.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "agent/boot/boot_info_seal.h"
#include "qemu_boards/common/board.h"

namespace {

constexpr std::uint32_t kRegionSize = 64 * 1024;

std::uint8_t* map_region() {
  void* const region =
      mmap(nullptr, kRegionSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (region == MAP_FAILED) throw std::runtime_error("no memory below 4 GiB");
  return static_cast<std::uint8_t*>(region);
}

std::uint8_t* region() {
  static std::uint8_t* const mapped = map_region();
  return mapped;
}

std::uint32_t region_address() {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(region()));
}

boot::BootInfo no_init_block;

}  // namespace

boot::BootInfo& board::boot_info() {
  return no_init_block;
}

board::LoadRegion board::load_region() {
  return {region_address(), kRegionSize, region_address()};
}

namespace {

using boot::ImageState;
using boot::ResetReason;
using boot::Slot;

class RunningImageTest : public testing::Test {
 protected:
  RunningImageTest() {
    put_header(boot::image::kMagic);
    no_init_block = {};
    no_init_block.image_address = region_address();
    no_init_block.image_size = 5000;
  }

  static void put_header(std::uint32_t magic, std::uint32_t offset = 0) {
    std::fill_n(region(), kRegionSize, std::uint8_t{0});
    boot::image::Header header{};
    header.magic = magic;
    header.version = {1, 2, 3, 4};
    std::memcpy(region() + offset, &header, sizeof(header));
  }
  static std::optional<app::RunningImage> read_sealed() {
    boot::seal(no_init_block);
    return app::read_running_image();
  }
};

TEST_F(RunningImageTest, IsAllThatTheBootloaderSaid) {
  no_init_block.slot = Slot::kB;
  no_init_block.image_state = ImageState::kTrial;
  no_init_block.attempt = 1;
  no_init_block.reset_reason = ResetReason::kSoftware;
  const auto on_trial = read_sealed();
  ASSERT_TRUE(on_trial);
  EXPECT_EQ(on_trial->header.version, (boot::image::Version{1, 2, 3, 4}));
  EXPECT_EQ(on_trial->slot, Slot::kB);
  EXPECT_EQ(on_trial->state, ImageState::kTrial);
  EXPECT_EQ(on_trial->attempt, 1);
  EXPECT_EQ(on_trial->reset_reason, ResetReason::kSoftware);

  no_init_block.slot = Slot::kRecovery;
  no_init_block.image_state = ImageState::kRecovery;
  no_init_block.attempt = 0;
  no_init_block.reset_reason = ResetReason::kWatchdog;
  const auto recovery = read_sealed();
  ASSERT_TRUE(recovery);
  EXPECT_EQ(recovery->slot, Slot::kRecovery);
  EXPECT_EQ(recovery->state, ImageState::kRecovery);
  EXPECT_EQ(recovery->attempt, 0);
  EXPECT_EQ(recovery->reset_reason, ResetReason::kWatchdog);
}

TEST_F(RunningImageTest, IsUnknownIfTheBlockIsNotSealed) {
  EXPECT_FALSE(app::read_running_image()) << "as at power-on";
  ASSERT_TRUE(read_sealed());
  for (std::size_t at = 0; at < sizeof(no_init_block); ++at) {
    reinterpret_cast<std::uint8_t*>(&no_init_block)[at] ^= 0x10;
    EXPECT_FALSE(app::read_running_image()) << "byte " << at;
    reinterpret_cast<std::uint8_t*>(&no_init_block)[at] ^= 0x10;
  }
}

TEST_F(RunningImageTest, IsUnknownIfItWouldNotLieInTheLoadRegion) {
  struct Place {
    std::uint32_t address;
    std::uint32_t size;
  };
  for (const Place& place :
       {Place{region_address() - 4, 5000}, Place{region_address() + kRegionSize + 1, 5000},
        Place{region_address() + kRegionSize - 100, 101}, Place{region_address(), kRegionSize + 1},
        Place{region_address(), 31}, Place{region_address(), 0}, Place{0xFFFF'FFF0, 100}}) {
    no_init_block.image_address = place.address;
    no_init_block.image_size = place.size;
    EXPECT_FALSE(read_sealed()) << place.address << ' ' << place.size;
  }
  put_header(boot::image::kMagic, kRegionSize - 100);
  no_init_block.image_address = region_address() + kRegionSize - 100;
  no_init_block.image_size = 100;
  EXPECT_TRUE(read_sealed()) << "its last bytes are the region's";
}

TEST_F(RunningImageTest, IsUnknownIfNoHeaderStandsThere) {
  put_header(boot::image::kMagic + 1);
  EXPECT_FALSE(read_sealed());
}

TEST(NamesOfRunningImage, AreThoseOfTheConsole) {
  EXPECT_EQ(app::name_of(ImageState::kCommitted), "committed");
  EXPECT_EQ(app::name_of(ImageState::kTrial), "on trial");
  EXPECT_EQ(app::name_of(ImageState::kAccepted), "accepted");
  EXPECT_EQ(app::name_of(ImageState::kRecovery), "recovery");
}

}  // namespace
