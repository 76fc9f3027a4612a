// An operation is told by what it wrote, and no operation is too odd to be told.
#include "sim/inspect/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/boot/boot_control.h"
#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"
#include "pal_sim/entropy/nv_seed.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/image/image.h"

namespace otasim::inspect {
namespace {

using flash::LoggedOperation;
using flash::OpKind;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// Keeps what a part did, as an op log does.
class Log : public flash::OpObserver {
 public:
  void on_operation(const flash::Operation& operation) override {
    LoggedOperation& logged = operations.emplace_back();
    logged.sequence = operation.sequence;
    logged.kind = operation.kind;
    logged.offset = operation.offset;
    logged.length = operation.length;
    logged.applied = operation.applied;
    logged.status = operation.status;
    logged.data.assign(operation.data.begin(), operation.data.end());
  }
  std::vector<LoggedOperation> operations;
};

LoggedOperation program_of(std::uint32_t offset, std::vector<std::uint8_t> data) {
  LoggedOperation operation;
  operation.kind = OpKind::kProgram;
  operation.offset = offset;
  operation.length = static_cast<std::uint32_t>(data.size());
  operation.applied = operation.length;
  operation.data = std::move(data);
  return operation;
}

TEST(Explain, RecordsOfTheJournalAreToldByRoleAndState) {
  native::NativeFlash part;
  Log log;
  part.model().set_observer(&log);
  boot::BootControl control(part);
  ASSERT_EQ(control.load(), flash::Status::kOk);
  boot::BootState state;
  state.committed_slot = boot::Slot::kA;
  ASSERT_EQ(control.append(state), flash::Status::kOk);
  ASSERT_EQ(log.operations.size(), 4U);
  EXPECT_EQ(what_it_did(log.operations[0]), "the sector at 0x0 of boot-control-0, 4096 bytes");
  EXPECT_EQ(what_it_did(log.operations[1]), "a record with the sequence 0: committed A, staged nothing");
  EXPECT_THAT(what_it_did(log.operations[3]), HasSubstr("a second confirmation"));
  EXPECT_EQ(place_name(log.operations[3]), "boot-control-0");
}

TEST(Explain, AnImagesHeaderAndItsBytesAreTold) {
  const auto key = crypto::P256Key::generate().value();
  auto image = image::sign(crypto::Bytes(1000, 1), {.version = {1, 2, 300, 4000}}, key).value();
  image.resize(flash::kPageSize);
  EXPECT_EQ(what_it_did(program_of(flash::kSlotB.offset, image)),
            "bytes 0x0 to 0xff of slot-b: the header of an image, version 1.2.300+4000");
  EXPECT_EQ(what_it_did(program_of(flash::kSlotB.offset + 256, image)), "bytes 0x100 to 0x1ff of slot-b");
  EXPECT_EQ(what_it_did(program_of(flash::kProvisioning0.offset, image)),
            "bytes 0x0 to 0xff of provisioning-0");
}

TEST(Explain, BurnsAndLocksAreToldByWhatTheyAreFor) {
  native::NativeFlash part;
  Log log;
  part.model().set_observer(&log);
  ASSERT_EQ(boot::burn_floor(part, boot::image::Kind::kApplication, 3), flash::Status::kOk);
  ASSERT_EQ(boot::burn_floor(part, boot::image::Kind::kRecovery, 3), flash::Status::kOk);
  ASSERT_EQ(boot::burn_revoked(part, 1U << 5), flash::Status::kOk);
  ASSERT_EQ(part.otp_lock(), flash::Status::kOk);
  ASSERT_EQ(part.lock(flash::kProvisioning0.offset, 2 * flash::kProvisioning0.size), flash::Status::kOk);
  ASSERT_EQ(log.operations.size(), 5U);
  EXPECT_THAT(what_it_did(log.operations[0]), HasSubstr("the applications' floor"));
  EXPECT_THAT(what_it_did(log.operations[1]), HasSubstr("the recovery images' floor"));
  EXPECT_EQ(what_it_did(log.operations[2]), "the revocation of signer 5");
  EXPECT_EQ(place_name(log.operations[3]), "otp");
  EXPECT_EQ(what_it_did(log.operations[4]), "provisioning-0 to provisioning-1, until reset");
}

TEST(Explain, ErasesAreToldByWhatTheyErase) {
  native::NativeFlash part;
  Log log;
  part.model().set_observer(&log);
  ASSERT_EQ(flash::erase_range(part, flash::kSlotB.offset,
                               part.geometry().block_size + part.geometry().sector_size),
            flash::Status::kOk);
  ASSERT_EQ(log.operations.size(), 2U);
  EXPECT_EQ(what_it_did(log.operations[0]), "the block at 0x0 of slot-b, 65536 bytes");
  EXPECT_EQ(what_it_did(log.operations[1]), "the sector at 0x10000 of slot-b, 4096 bytes");
}

TEST(Explain, ASeedIsToldWithoutItsBytes) {
  const entropy::SeedPage page = entropy::seed_page(8, {0xAB});
  EXPECT_EQ(what_it_did(program_of(flash::kSeed1.offset, {page.begin(), page.end()})),
            "a seed with the sequence 8");
}

TEST(Explain, WhenItWasIsToldIfTheLogSays) {
  LoggedOperation operation = program_of(flash::kSlotB.offset, {1});
  EXPECT_EQ(time_text(operation), "unknown");
  operation.time_us = 1'767'225'600'000'042;
  EXPECT_EQ(time_text(operation), "2026-01-01T00:00:00.000042Z");
  operation.time_us = ~std::uint64_t{0};
  EXPECT_NE(time_text(operation), "");
}

TEST(Explain, OddOperationsAreToldToo) {
  EXPECT_THAT(what_it_did(program_of(0xFFFF'FFFF, {1})), HasSubstr("of flash"));
  EXPECT_THAT(what_it_did(program_of(flash::kBootControl0.offset, {})), HasSubstr("no data"));
  EXPECT_THAT(what_it_did(program_of(flash::kBootControl0.offset, std::vector<std::uint8_t>(256, 0xFF))),
              HasSubstr("erased page"));
  EXPECT_THAT(what_it_did(program_of(flash::kBootControl0.offset, {1, 2})), HasSubstr("bytes 0x0 to 0x1"));
  LoggedOperation odd = program_of(0xFFFF'0000, {1});
  odd.kind = OpKind::kOtpProgram;
  EXPECT_THAT(what_it_did(odd), HasSubstr("no use"));
  odd.kind = static_cast<OpKind>(99);
  EXPECT_NE(what_it_did(odd), "");
}

}  // namespace
}  // namespace otasim::inspect
