#include "tests/agent/boot/history_device.h"

#include <rapidcheck.h>

namespace boot_test {
namespace {

/// S5: what one boot may erase, also if its programs fail: journal sectors, and the old image's header.
constexpr std::uint32_t kMaxErasesPerBoot = 5;

/// Between bootloader and flash: sees what is written before it is.
class WatchedFlash : public flash::FlashDriver {
 public:
  /// @param erasable  a slot's sector that may be erased at this boot
  WatchedFlash(native::NativeFlash& part, std::optional<std::uint32_t> erasable)
      : part_(part), erasable_(erasable) {}

  std::uint32_t erases = 0;
  std::uint32_t burns = 0;

  [[nodiscard]] flash::Geometry geometry() const override { return part_.geometry(); }
  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return part_.read(offset, out);
  }
  [[nodiscard]] Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    const auto cells = part_.window().subspan(offset, data.size());
    RC_ASSERT(is_journal(offset));
    RC_ASSERT(std::ranges::all_of(cells, [](std::uint8_t cell) { return cell == 0xFF; }));
    return part_.program(offset, data);
  }
  [[nodiscard]] Status erase_sector(std::uint32_t offset) override {
    ++erases;
    const bool is_allowed = is_journal(offset) || offset == erasable_;
    RC_ASSERT(is_allowed);
    return part_.erase_sector(offset);
  }
  [[nodiscard]] Status lock(std::uint32_t offset, std::uint32_t length) override {
    return part_.lock(offset, length);
  }
  [[nodiscard]] Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return part_.otp_read(offset, out);
  }
  [[nodiscard]] Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    ++burns;
    return part_.otp_program(offset, data);
  }
  [[nodiscard]] Status otp_lock() override { return part_.otp_lock(); }
  [[nodiscard]] Status entropy(std::span<std::uint8_t> out) override { return part_.entropy(out); }

 private:
  static bool is_journal(std::uint32_t offset) { return offset < boot_test::kBothPartitions; }

  native::NativeFlash& part_;
  std::optional<std::uint32_t> erasable_;
};

}  // namespace

Device::Device(const Setup& setup) : setup_(setup) {
  model().forget_failures();
  flash::CellState cells;
  cells.power_ons = setup.luck;
  model().set_cell_state(std::move(cells));
  model().power_on();
  std::ranges::fill(part().window().first(boot_test::kBothPartitions), std::uint8_t{0xFF});
  std::ranges::fill(part().window().subspan(flash::kOtpOffset, flash::kOtpSize), std::uint8_t{0xFF});
  const auto put = [](Slot slot, const std::vector<CatalogImage>& from, int which) {
    std::ranges::fill(slot_bytes(slot), std::uint8_t{0xFF});
    if (which != kNothing)
      std::ranges::copy(from[static_cast<std::size_t>(which)].bytes, slot_bytes(slot).begin());
  };
  put(Slot::kA, catalog(), setup.slot_a);
  put(Slot::kB, catalog(), setup.slot_b);
  put(Slot::kRecovery, recoveries(), setup.recovery);
}

boot::Environment Device::environment(flash::FlashDriver& driver) {
  static const std::array signers{signer().public_key(), second_signer().public_key()};
  static const crypto::P256PrivateKey decryption_key = recipient().scalar();
  const boot::Console console{
      [](void* context, std::string_view text) { static_cast<std::string*>(context)->append(text); },
      &story_};
  return {.flash = driver,
          .signers = signers,
          .decryption_key = decryption_key,
          .load_memory = load_memory(),
          .load_address = kLoadAddress,
          .console = console,
          .previous_image = setup_.previous_image};
}

void Device::boot() {
  if (!model().powered()) model().power_on();
  model().reset();
  running_.reset();
  const std::optional<JournalEntry> before = oracle().journal();
  const Bytes otp_before = otp();
  std::optional<std::uint32_t> erasable;
  if (before && is(*before, StagedState::kAccepted) && setup_.previous_image == PreviousImage::kErase &&
      before->committed_slot != Slot::kNone) {
    erasable = boot::slot_partition(before->committed_slot)->offset;
  }

  WatchedFlash watched(part(), erasable);
  std::ranges::fill(load_memory(), std::uint8_t{0});
  const BootDecision decision = boot::decide(environment(watched));
  RC_ASSERT(watched.erases <= kMaxErasesPerBoot);
  check_otp(otp_before, watched.burns != 0);
  check_commit(before);
  if (!model().powered()) {
    story_ += "(power fails)\n";
    RC_ASSERT(decision.start == Verdict::kNo);
    return;
  }
  const std::optional<JournalEntry> after = oracle().journal();
  if (decision.start == Verdict::kYes) {
    RC_ASSERT(boot::confirm(environment(watched), decision) == Verdict::kYes);
    check_started(decision, after);
    check_locks(decision, after);
    running_ = decision;
  }
  if (decision.is_trial()) RC_ASSERT(otp() == otp_before);
  learn(decision, after);
}

/// S2, S3: what is in RAM verifies in flash, and may start from there.
void Device::check_started(const BootDecision& decision, const std::optional<JournalEntry>& after) {
  const GenuineImage* image = oracle().startable(decision.slot);
  RC_ASSERT(image != nullptr);
  RC_ASSERT(std::ranges::equal(image->plain, std::span(load_memory()).first(decision.image.total_size)));
  RC_ASSERT(image->counter == decision.image.security_counter);
  RC_ASSERT((decision.slot == Slot::kRecovery) == (decision.image_state == ImageState::kRecovery));
  if (decision.slot != Slot::kRecovery) RC_ASSERT(image->counter >= highest_counter_);
  if (decision.is_trial()) check_trial(decision, after);
}

/// It is on record before it runs, and runs once.
void Device::check_trial(const BootDecision& decision, const std::optional<JournalEntry>& after) {
  RC_ASSERT(after);
  RC_ASSERT(is(*after, StagedState::kTrial));
  RC_ASSERT(after->attempts == decision.attempt);
  RC_ASSERT(after->staged_slot == decision.slot);
  RC_ASSERT(after->staged_digest == decision.image.digest);
  RC_ASSERT(!trial_started_);
  trial_started_ = true;
}

void Device::check_locks(const BootDecision& decision, const std::optional<JournalEntry>& after) {
  constexpr std::array<std::uint8_t, 1> kBurn{0};
  const auto is_locked = [](std::uint32_t offset) {
    return model().erase_sector(offset) == Status::kProtected;
  };
  RC_ASSERT(model().otp_program(100, kBurn) == Status::kProtected);
  RC_ASSERT(is_locked(flash::kProvisioning0.offset));
  RC_ASSERT(is_locked(flash::kProvisioning1.end() - flash::kControllerPart.sector_size));
  RC_ASSERT(is_locked(flash::kRecovery.offset));
  RC_ASSERT(is_locked(boot::slot_partition(decision.slot)->offset));
  const bool is_open =
      after && (is(*after, StagedState::kTrial) || decision.image_state == ImageState::kAccepted);
  if (is_open && !has_failures_) {
    RC_ASSERT(is_locked(flash::kSlotA.offset));
    RC_ASSERT(is_locked(flash::kSlotB.end() - flash::kControllerPart.sector_size));
  }
  if (decision.is_trial()) {
    RC_ASSERT(is_locked(flash::kCalendar0.offset));
    RC_ASSERT(is_locked(flash::kCalendar1.offset));
  }
}

/// An update is on record as committed only when OTP holds what it asks for.
void Device::check_commit(const std::optional<JournalEntry>& before) {
  const std::optional<JournalEntry> after = oracle().journal();
  if (!before || !after || !is(*before, StagedState::kAccepted)) return;
  const bool is_committed =
      after->committed_slot == before->staged_slot && after->committed_digest == before->staged_digest;
  if (!is_committed) return;
  const GenuineImage* image = oracle().startable(after->committed_slot);
  RC_ASSERT(image != nullptr);
  RC_ASSERT(oracle().floor(Kind::kApplication) >= image->counter);
  RC_ASSERT((oracle().revoked() & image->revoked_keys) == image->revoked_keys);
}

/// S6: bits go to 0 for good, and by burns only.
void Device::check_otp(const Bytes& before, bool was_burnt) {
  const Bytes now = otp();
  if (!was_burnt) RC_ASSERT(now == before);
  for (std::uint32_t i = 0; i < now.size(); ++i) {
    if (now[i] == 0xFF && burnt_[i] == 0) continue;
    const unsigned firm = ~now[i] & ~model().cell_state().marginal_bits(flash::kOtpOffset + i) & 0xFFU;
    RC_ASSERT((burnt_[i] & ~firm) == 0U);
    burnt_[i] = static_cast<std::uint8_t>(burnt_[i] | firm);
  }
}

/// What ran must have been what was approved; and whatever is settled by this boot is so from now on.
void Device::learn(const BootDecision& decision, const std::optional<JournalEntry>& after) {
  if (!decision.is_trial() && approved_) {
    RC_ASSERT(decision.start == Verdict::kYes);
    RC_ASSERT(decision.slot != Slot::kRecovery);
    const bool is_approved = decision.image.digest == *approved_ || decision.image.digest == accepted_;
    RC_ASSERT(is_approved);
  }
  if (has_failures_) return;
  if (decision.is_trial()) return;
  accepted_.reset();
  approved_.reset();
  const bool is_application = decision.start == Verdict::kYes && decision.slot != Slot::kRecovery;
  if (!is_application) return;
  if (is_firm(decision.slot)) approved_ = decision.image.digest;
  if (after && after->committed_digest == decision.image.digest)
    highest_counter_ = std::max(highest_counter_, decision.image.security_counter);
}

/// What orders images by age: the counter, then the version, as the header has it from byte 20.
static std::array<std::uint32_t, 5> age_of(const GenuineImage& image) {
  const auto number = [&image](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | image.plain[at + i];
    return value;
  };
  return {image.counter, number(20, 1), number(21, 1), number(22, 2), number(24, 4)};
}

/// Without a committed image: the first slot on a device without burned fuses, else the one whose image is
/// the older one.
std::optional<Slot> Device::surest_slot(Slot staged) {
  std::optional<Slot> surest;
  for (const Slot slot : {Slot::kA, Slot::kB}) {
    const GenuineImage* image = oracle().startable(slot);
    if (slot == staged || image == nullptr) continue;
    if (surest && oracle().floor(Kind::kApplication) == 0) continue;
    const GenuineImage* other = surest ? oracle().startable(*surest) : nullptr;
    if (other == nullptr || age_of(*image) < age_of(*other)) surest = slot;
  }
  return surest;
}

/// S1, exactly: the first of these that verifies runs, and nothing else.
void Device::check_where_it_should_be(const JournalEntry& entry) {
  const bool is_undecided = is(entry, StagedState::kVerified) || is(entry, StagedState::kTrial) ||
                            is(entry, StagedState::kAccepted);
  RC_ASSERT(!is_undecided);
  Slot expected = Slot::kNone;
  const auto consider = [&](Slot slot, bool may_start) {
    if (expected == Slot::kNone && may_start && oracle().startable(slot) != nullptr) expected = slot;
  };
  const Slot committed = entry.committed_slot;
  for (const Slot slot : {Slot::kA, Slot::kB}) {
    const GenuineImage* image = oracle().startable(slot);
    consider(slot, slot == committed && image != nullptr && image->digest == entry.committed_digest);
  }
  for (const Slot slot : {Slot::kA, Slot::kB}) {
    const GenuineImage* image = oracle().startable(slot);
    const bool is_previous = setup_.previous_image == PreviousImage::kKeep && slot != committed &&
                             committed != Slot::kNone && is(entry, StagedState::kEmpty);
    consider(slot, is_previous && image != nullptr && image->counter >= entry.committed_counter);
  }
  if (committed == Slot::kNone) {
    const std::optional<Slot> surest = surest_slot(entry.staged_slot);
    const std::uint32_t floor = oracle().floor(Kind::kApplication);
    const bool may_never_have_been_accepted =
        surest && floor != 0 && oracle().startable(*surest)->counter > floor;
    consider(Slot::kRecovery, may_never_have_been_accepted);
    if (surest) consider(*surest, true);
  }
  consider(Slot::kRecovery, true);
  RC_ASSERT((running_ ? running_->slot : Slot::kNone) == expected);
}

void Device::end_well() {
  story_ += "-- no more faults\n";
  model().forget_failures();
  has_failures_ = false;
  make_slots_firm();
  for (int i = 0; i < 3; ++i) power_cycle();
  const std::optional<BootDecision> decision = running_;
  const JournalEntry entry = oracle().journal().value_or(JournalEntry{});
  check_where_it_should_be(entry);
  for (int i = 0; i < 2; ++i) {
    power_cycle();
    // Where no record was in force nobody has made one solid, and a torn one may come and go: of an update
    // that was being received, or of a forger. No application may start by it, now or before.
    const bool runs_application = decision && decision->slot != Slot::kRecovery;
    if (runs_application) RC_ASSERT(oracle().journal().value_or(JournalEntry{}).is_same_state(entry));
    RC_ASSERT(running_.has_value() == decision.has_value());
    if (decision) RC_ASSERT(running_->image.digest == decision->image.digest);
  }
  if (!decision) return;
  if (decision->image_state == ImageState::kCommitted) {
    const GenuineImage* image = oracle().startable(decision->slot);
    RC_ASSERT(image != nullptr);
    RC_ASSERT(oracle().floor(Kind::kApplication) >= image->counter);
    RC_ASSERT((oracle().revoked() & image->revoked_keys) == image->revoked_keys);
  }

  story_ += "-- one more update\n";
  stage(last_update());
  power_cycle();
  RC_ASSERT(running_);
  RC_ASSERT(running_->is_trial());
  RC_ASSERT(running_->image.security_counter == last_update().counter);
  accept();
  for (int i = 0; i < 2; ++i) {
    power_cycle();
    RC_ASSERT(running_);
    RC_ASSERT(running_->image_state == ImageState::kCommitted);
    RC_ASSERT(running_->image.security_counter == last_update().counter);
    RC_ASSERT(oracle().floor(Kind::kApplication) == last_update().counter);
  }
}

}  // namespace boot_test
