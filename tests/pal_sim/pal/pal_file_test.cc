// The file that the PAL receives: opening, writing, giving up.
#include "tests/pal_sim/pal/pal_fixture.h"

namespace pal_test {
namespace {

TEST_F(PalTest, FileLargerThanASlotIsRefusedBeforeAnythingIsErased) {
  File file(image_1_1_0());
  const auto sequence = device_.model().sequence();
  file.context.fileSize = flash::kSlotSize + 1;
  EXPECT_EQ(main_of(device_.pal().create_file(&file.context)), OtaPalRxFileTooLarge);
  file.context.fileSize = 0;
  EXPECT_EQ(main_of(device_.pal().create_file(&file.context)), OtaPalRxFileCreateFailed);
  EXPECT_EQ(file.context.pFile, nullptr);
  EXPECT_EQ(device_.model().sequence(), sequence);
}

TEST_F(PalTest, SizesUpToTheLargestNumberAreRefusedUnlessASlotHoldsThem) {
  File file(image_1_1_0());
  for (const std::uint32_t size :
       {flash::kSlotSize + 1, 16U * 1024 * 1024, 16U * 1024 * 1024 + 1, UINT32_MAX}) {
    file.context.fileSize = size;
    EXPECT_EQ(device_.pal().create_file(&file.context), OTA_PAL_COMBINE_ERR(OtaPalRxFileTooLarge, 0)) << size;
  }
}

TEST_F(PalTest, AFileAsLargeAsASlotIsReceivedToItsLastByteAndNoFurther) {
  File file(counting_bytes(flash::kSlotSize));
  const auto behind = device_.slot(boot::Slot::kRecovery).first(flash::kControllerPart.sector_size);
  const Bytes before(behind.begin(), behind.end());
  receive(file);
  EXPECT_EQ(device_.slot(boot::Slot::kB).back(), file.content.back());
  EXPECT_TRUE(std::ranges::equal(behind, before)) << "the recovery slot follows";
  EXPECT_EQ(device_.slot(boot::Slot::kA)[0], image_1_0_0()[0]) << "slot A stands before it";
}

TEST_F(PalTest, BlocksComeInAnyOrderAndTheLastIsShort) {
  constexpr std::size_t kBlock = 512;
  for (const std::size_t size : {std::size_t{5003}, 10 * kBlock, 10 * kBlock + 1}) {
    File file(counting_bytes(size));
    ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
    const std::size_t blocks = (size + kBlock - 1) / kBlock;
    for (std::size_t n = 0; n < blocks; ++n) {
      const std::size_t at = (n * 7 + 3) % blocks * kBlock;  // each once: 7 divides neither 10 nor 11
      const auto block = std::span(file.content).subspan(at, std::min(kBlock, size - at));
      ASSERT_EQ(device_.pal().write_block(&file.context, static_cast<std::uint32_t>(at), block),
                static_cast<std::int16_t>(block.size()));
    }
    EXPECT_EQ(device_.pal().close_file(&file.context), 0U) << size;
  }
}

TEST_F(PalTest, AReopenedFileStartsBlankAndTheLastOneCounts) {
  File first(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&first.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), first));
  File second(image_1_2_0());
  ASSERT_EQ(device_.pal().create_file(&second.context), 0U);
  EXPECT_EQ(device_.slot(boot::Slot::kB)[0], 0xFF);
  ASSERT_TRUE(write_all(device_.pal(), second));
  EXPECT_EQ(device_.pal().close_file(&second.context), 0U);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), (Version{1, 2, 0, 0}));
}

TEST_F(PalTest, AbortIsRightAtAnyTimeAndTwice) {
  File file(image_1_1_0());
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "never opened";
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U);
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "all written";
  receive(file);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "closed: the verified image stays";
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "on trial";
}

TEST_F(PalTest, AFileRejectedWhileItIsOpenIsNotStaged) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  ASSERT_EQ(set_state(OtaImageStateRejected), OtaPalSuccess);
  EXPECT_EQ(device_.pal().close_file(&file.context),
            OTA_PAL_COMBINE_ERR(OtaPalFileClose, pal::Reason::kNotAllowedNow));
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, AbortedStateClosesTheFileItIsGiven) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.pal().set_image_state(&file.context, OtaImageStateAborted), 0U);
  EXPECT_EQ(file.context.pFile, nullptr);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid);
}

TEST_F(PalTest, SubStatusesSayWhyAFileCannotBeCreated) {
  File file(image_1_1_0());
  const auto reason_of = [&file](pal::Pal& pal) {
    const OtaPalStatus_t status = pal.create_file(&file.context);
    EXPECT_EQ(main_of(status), OtaPalRxFileCreateFailed);
    return static_cast<pal::Reason>(OTA_PAL_SUB_ERR(status));
  };
  file.context.fileSize = 0;
  EXPECT_EQ(reason_of(device_.pal()), pal::Reason::kEmptyFile);
  file.context.fileSize = 100;

  boot::BootInfo boot_info{};
  boot_info.slot = boot::Slot::kB;
  pal::Pal running_from_b(device_.platform(boot_info, {}));
  ASSERT_EQ(running_from_b.start(), flash::Status::kOk);
  EXPECT_EQ(reason_of(running_from_b), pal::Reason::kSlotInUse);

  File update(image_1_1_0());
  receive(update);
  ASSERT_TRUE(device_.boot());
  boot_info.slot = boot::Slot::kA;
  pal::Pal running_from_a(device_.platform(boot_info, {}));
  ASSERT_EQ(running_from_a.start(), flash::Status::kOk);
  EXPECT_EQ(reason_of(running_from_a), pal::Reason::kNotAllowedNow) << "another image is on trial";
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_EQ(reason_of(device_.pal()), pal::Reason::kRestartFirst);
}

TEST_F(PalTest, FilesWithoutAJobAreReceivedToo) {
  File file(image_1_1_0(), "");
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_FALSE(device_.pal().is_committed_job(""));
  EXPECT_EQ(device_.version(), kNew);
}

TEST_F(PalTest, OnlyTheSectorsOfTheFileAreErased) {
  const std::uint32_t slot_b = flash::kSlotB.offset;
  const auto first = device_.model().erase_count(slot_b);
  const auto last = device_.model().erase_count(slot_b + flash::kControllerPart.sector_size);
  const auto beyond = device_.model().erase_count(slot_b + 2 * flash::kControllerPart.sector_size);
  File file(Bytes(flash::kControllerPart.sector_size + 1, 1));
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.model().erase_count(slot_b), first + 1);
  EXPECT_EQ(device_.model().erase_count(slot_b + flash::kControllerPart.sector_size), last + 1);
  EXPECT_EQ(device_.model().erase_count(slot_b + 2 * flash::kControllerPart.sector_size), beyond);
}

TEST_F(PalTest, WritesStayWithinTheFile) {
  File file(Bytes(1000, 1));
  std::array<std::uint8_t, 100> data{};
  EXPECT_EQ(device_.pal().write_block(&file.context, 0, data), -1) << "not open";
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.pal().write_block(&file.context, 900, data), 100);
  EXPECT_EQ(device_.pal().write_block(&file.context, 901, data), -1);
  EXPECT_EQ(device_.pal().write_block(&file.context, 1001, {}), -1);
  EXPECT_EQ(device_.pal().write_block(&file.context, UINT32_MAX, data), -1);
  const Bytes too_large(32'768);
  EXPECT_EQ(device_.pal().write_block(&file.context, 0, too_large), -1);
}

TEST_F(PalTest, ABlockMayComeTwiceButNotAsAnotherOne) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  ASSERT_TRUE(write_all(device_.pal(), file)) << "the same again";
  Bytes other(600, 0);
  std::ranges::copy(std::span(file.content).first(600), other.begin());
  other[599] = static_cast<std::uint8_t>(~other[599]);
  EXPECT_EQ(device_.pal().write_block(&file.context, 0, other), -1) << "flash cannot hold it";
}

TEST_F(PalTest, AStaleHandleWritesNothing) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  OtaFileContext_t copy = file.context;
  ASSERT_EQ(device_.pal().abort(&file.context), 0U);
  EXPECT_EQ(device_.pal().write_block(&copy, 0, image_1_1_0()), -1);
  EXPECT_EQ(main_of(device_.pal().close_file(&copy)), OtaPalFileClose);
  EXPECT_EQ(device_.pal().abort(&copy), 0U);
  EXPECT_EQ(copy.pFile, nullptr);
}

TEST_F(PalTest, ClosingTwiceFails) {
  File file(image_1_1_0());
  receive(file);
  EXPECT_EQ(main_of(device_.pal().close_file(&file.context)), OtaPalFileClose);
}

TEST_F(PalTest, FlashFailuresCarryTheirStatus) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.flash().lock(flash::kSlotB.offset, flash::kControllerPart.sector_size),
            flash::Status::kOk);
  const OtaPalStatus_t status = device_.pal().create_file(&file.context);
  EXPECT_EQ(main_of(status), OtaPalRxFileCreateFailed);
  EXPECT_EQ(OTA_PAL_SUB_ERR(status), static_cast<std::uint32_t>(flash::Status::kProtected));
  EXPECT_EQ(file.context.pFile, nullptr);
}

}  // namespace
}  // namespace pal_test
