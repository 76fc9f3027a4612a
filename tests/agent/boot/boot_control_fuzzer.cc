// Boot control: a journal of any bytes loads, settles and takes a new state.
//
// Input: a byte that says which operation fails (0: none), and pages for the two sectors, one after the
// other, each with a byte before it: how the page is made. 0: 256 raw bytes follow; 1: blank; 2: a sound
// record follows as its state (240 bytes), the role being the byte after it, and sequence number and checksum
// are put in, so that inputs need no checksums. Pages the input ends before are blank.
//
// The corpus was made by a script that packs states; `xxd` shows them.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "agent/boot/boot_control.h"
#include "pal_sim/flash/crc32.h"
#include "qemu_boards/native/native_flash.h"
#include "tests/agent/boot/journal_bytes.h"
#include "tests/fuzzing/claim.h"

namespace {

using boot::BootControl;
using boot::BootRecord;
using boot::BootState;
using flash::Status;
using otasim::testing::claim;

/// Programs and erases of one append() on flash that works: two settled sets, one more, each with its erase.
constexpr std::uint32_t kMaxOperations = 20;

native::NativeFlash& part() {
  static native::NativeFlash flash;
  return flash;
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  std::uint8_t byte() {
    std::uint8_t value = 1;
    if (!rest_.empty()) value = rest_.front(), rest_ = rest_.subspan(1);
    return value;
  }
  void fill(std::span<std::uint8_t> out) {
    const std::size_t count = std::min(out.size(), rest_.size());
    std::copy_n(rest_.begin(), count, out.begin());
    rest_ = rest_.subspan(count);
  }

 private:
  std::span<const std::uint8_t> rest_;
};

void make_page(std::uint32_t index, Input& input) {
  const auto page = part().window().subspan(boot_test::journal_page(index), flash::kPageSize);
  std::ranges::fill(page, std::uint8_t{0xFF});
  const std::uint8_t how = input.byte();
  if (how == 0) return input.fill(page);
  if (how != 2) return;
  BootRecord record{};
  record.magic = BootRecord::kMagic;
  record.format = BootRecord::kFormat;
  record.role = input.byte();
  record.sequence = index + 32U * input.byte();
  input.fill({reinterpret_cast<std::uint8_t*>(&record.state), sizeof(record.state)});
  record.crc32 = flash::crc32({reinterpret_cast<const std::uint8_t*>(&record), offsetof(BootRecord, crc32)});
  std::memcpy(page.data(), &record, sizeof(record));
}

void expect_found(const BootState& state) {
  BootControl fresh(part());
  claim(fresh.load() == Status::kOk && fresh.has_record(), "what was written is found");
  claim(fresh.state() == state, "and is what was written");
}

BootState next_state(const BootState& state) {
  BootState next;
  next.committed_slot = boot::Slot::kB;
  next.committed.security_counter = state.committed.security_counter + 1;
  return next;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  flash::NorModel& model = part().model();
  model.forget_failures();
  Input input(data, size);
  const std::uint8_t failing = input.byte();
  for (std::uint32_t page = 0; page < boot_test::kJournalPages; ++page) make_page(page, input);

  BootControl control(part());
  claim(control.load() == Status::kOk, "whatever stands there loads");
  claim(is_sound(control.state()), "the state is sound");
  claim(control.has_record() || control.state() == BootState{}, "without a record nothing is known");
  const BootState found = control.state();
  const bool was_settled = control.is_settled();
  if (failing != 0) model.plan_failure({.operation = model.sequence() + failing, .bytes = failing});

  std::uint32_t before = model.sequence();
  const Status settled = control.settle();
  claim(model.sequence() - before <= kMaxOperations, "settling ends");
  claim(!was_settled || model.sequence() == before, "what is settled is left alone");
  claim(control.state() == found, "settling changes no state");
  if (settled == Status::kOk && control.has_record()) {
    claim(control.is_settled(), "settled is settled");
    expect_found(found);
  }

  const BootState next = next_state(found);
  before = model.sequence();
  const Status appended = control.append(next);
  claim(model.sequence() - before <= kMaxOperations, "appending ends");
  if (appended == Status::kOk) return expect_found(next), 0;
  BootControl fresh(part());
  claim(fresh.load() == Status::kOk, "a failed write leaves a journal");
  claim(fresh.state() == found || fresh.state() == next, "that holds the old state or the new one");
  return 0;
}
