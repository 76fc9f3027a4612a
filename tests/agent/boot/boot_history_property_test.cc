// Random histories of a device: updates good and bad, power cuts with marginal bits, flash that fails, an
// outsider who rewrites slots and journal. Whatever happens, the invariants S1 to S3, S5, S6 and L2 of the
// design hold, as an oracle sees them that shares no code with the bootloader (boot_oracle.h).
//
// A history is a setup and a list of steps. A step that makes no sense where it stands is skipped, so that
// any list is a history and RapidCheck can shrink it. It ends without faults: within three boots the device
// is where it should be, two more change nothing, and it takes one more update.
//
// Others, or more: RC_PARAMS="max_success=100000 seed=7" build/sanitize/tests/boot_history_property_test
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/agent/boot/boot_oracle.h"
#include "tests/agent/boot/boot_policy_fixture.h"
#include "tests/agent/boot/history_images.h"
#include "tests/agent/boot/journal_bytes.h"

namespace boot_test {
namespace {

using boot::ImageState;
using boot::PreviousImage;
using boot::image::Kind;

constexpr int kNothing = -1;
constexpr std::uint32_t kLoadMemory = 16 * 1024;
constexpr std::array kSlots{Slot::kA, Slot::kB, Slot::kRecovery};

/// S5: what one boot may erase, also if its programs fail: journal sectors, and the old image's header.
constexpr std::uint32_t kMaxErasesPerBoot = 5;

/// A device's beginning. An image is an index into its list, or kNothing.
struct Setup {
  PreviousImage previous_image = PreviousImage::kErase;
  int slot_a = 0;
  int slot_b = kNothing;
  int recovery = 0;
  std::uint32_t luck = 0;  ///< decides what marginal bits read
};

std::ostream& operator<<(std::ostream& out, const Setup& setup) {
  return out << "{previous " << static_cast<int>(setup.previous_image) << ", A " << setup.slot_a << ", B "
             << setup.slot_b << ", recovery " << setup.recovery << ", luck " << setup.luck << "}";
}

enum class Do {
  kReset,
  kPowerCycle,
  kStage,
  kReceivePart,
  kAccept,
  kRefuse,
  kCutPower,
  kFail,
  kForgetFailures,
  kDamageSlot,
  kReplaceImage,
  kDamageJournal,
  kForgeJournal,
};

struct Step {
  Do what = Do::kReset;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array kNames{
      "reset", "power cycle", "stage",       "receive part",  "accept",         "refuse",       "cut power",
      "fail",  "no failures", "damage slot", "replace image", "damage journal", "forge journal"};
  return out << kNames.at(static_cast<std::size_t>(step.what)) << " " << step.a << " " << step.b;
}

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

native::NativeFlash& part() {
  static native::NativeFlash flash;  // 16 MiB are slow to make
  return flash;
}

flash::NorModel& model() {
  return part().model();
}

const Oracle& oracle() {
  static const Oracle oracle(part().window(), {&signer(), &second_signer()}, recipient(), kLoadMemory);
  return oracle;
}

std::span<std::uint8_t> slot_bytes(Slot slot) {
  return part().window().subspan(boot::slot_partition(slot)->offset, kLoadMemory);
}

/// False if it may read differently after the next power-on: an erase or a program there was cut, and
/// somebody made the slot a candidate all the same.
bool is_firm(Slot slot) {
  const auto& marginal = model().cell_state().marginal;
  const std::uint32_t offset = boot::slot_partition(slot)->offset;
  return marginal.lower_bound(offset) == marginal.lower_bound(offset + kLoadMemory);
}

/// What torn cells read now is what they hold.
void make_firm(std::uint32_t offset, std::uint32_t length) {
  flash::CellState cells = model().cell_state();
  cells.settle_range(offset, length);
  model().set_cell_state(std::move(cells));
}

void make_slots_firm() {
  for (const Slot slot : kSlots) make_firm(boot::slot_partition(slot)->offset, kLoadMemory);
}

bool is(const JournalEntry& entry, StagedState state) {
  return entry.staged_state == static_cast<std::uint8_t>(state);
}

Bytes otp() {
  const auto bank = part().window().subspan(flash::kOtpOffset, flash::kOtpSize);
  return {bank.begin(), bank.end()};
}

class Device {
 public:
  explicit Device(const Setup& setup);

  void take(const Step& step);
  /// No more faults: it settles, and can be updated.
  void end_well();

  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  // The bootloader, and what must hold whenever it has run.
  void boot();
  void power_cycle() {
    model().power_on();
    boot();
  }
  [[nodiscard]] boot::Environment environment(flash::FlashDriver& driver);
  void check_started(const BootDecision& decision, const std::optional<JournalEntry>& after);
  void check_trial(const BootDecision& decision, const std::optional<JournalEntry>& after);
  void check_locks(const BootDecision& decision, const std::optional<JournalEntry>& after);
  void check_commit(const std::optional<JournalEntry>& before);
  void check_otp(const Bytes& before, bool was_burnt);
  [[nodiscard]] std::optional<Slot> surest_slot(Slot staged);
  void check_where_it_should_be(const JournalEntry& entry);
  void learn(const BootDecision& decision, const std::optional<JournalEntry>& after);

  // The application, and others.
  bool is_running();
  using Transition = std::function<std::optional<BootState>(const BootState&)>;
  bool change(const Transition& transition);
  bool receive(const Bytes& image, std::size_t size);
  void stage(const CatalogImage& image);
  void accept();
  void cut_power(const Step& step);
  void fail(const Step& step);
  void damage_slot(const Step& step);
  void damage_journal(const Step& step);
  void forge_journal(const Step& step);
  void slot_changed(Slot slot);
  void journal_changed();

  static Bytes& load_memory() {
    static Bytes memory(kLoadMemory);
    return memory;
  }

  Setup setup_;
  std::optional<BootDecision> running_;
  bool has_failures_ = false;          ///< some are planned
  std::optional<Digest> approved_;     ///< what must run, outside trials; nothing while that cannot be said
  std::optional<Digest> accepted_;     ///< or this: its acceptance may or may not have become durable
  bool trial_started_ = false;         ///< of what was staged last
  std::uint32_t highest_counter_ = 0;  ///< that was committed
  Bytes burnt_ = Bytes(flash::kOtpSize, 0);  ///< OTP bits that are 0 for good
  std::string story_;
};

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

bool Device::is_running() {
  if (!model().powered() || !running_) boot();
  return running_.has_value();
}

bool Device::change(const Transition& transition) {
  BootControl control(part());
  if (control.load() != Status::kOk) return false;
  const auto next = transition(control.state());
  return next && control.append(*next) == Status::kOk;
}

bool Device::receive(const Bytes& image, std::size_t size) {
  Slot slot = Slot::kNone;
  const auto begin = [&](const BootState& state) {
    slot = receive_slot(state);
    return begin_receive(state, "job", slot);
  };
  if (!is_running() || !change(begin)) return false;
  const std::uint32_t offset = boot::slot_partition(slot)->offset;
  const bool is_written = flash::erase_range(part(), offset, kLoadMemory) == Status::kOk &&
                          program_range(part(), offset, std::span(image).first(size)) == Status::kOk;
  slot_changed(slot);
  return is_written;
}

/// As a careless application does it: whatever can be read is called verified.
void Device::stage(const CatalogImage& image) {
  if (!receive(image.bytes, image.bytes.size())) return;
  static_cast<void>(change([&](const BootState& state) -> std::optional<BootState> {
    boot::image::Info info;
    if (peek(part(), state.staged_slot, {kLoadAddress, kLoadMemory}, info) != boot::image::VerifyStatus::kOk)
      return std::nullopt;
    trial_started_ = false;
    return mark_verified(state, {.version = info.version,
                                 .security_counter = info.security_counter,
                                 .size = info.total_size,
                                 .digest = info.digest,
                                 .job_id = {}});
  }));
}

void Device::accept() {
  if (!is_running() || !running_->is_trial()) return;
  const Digest digest = running_->image.digest;
  const Slot slot = running_->slot;
  const bool is_durable = change([&](const BootState& state) -> std::optional<BootState> {
    if (state.staged_slot != slot || state.staged.digest != digest) return std::nullopt;
    return boot::accept(state);
  });
  const GenuineImage* image = oracle().startable(slot);
  if (image == nullptr || image->digest != digest) return slot_changed(slot);  // damaged while it runs
  if (is_durable) {
    approved_ = digest;
    accepted_.reset();
    story_ += "(accepted for good)\n";
  } else if (approved_ != digest) {
    accepted_ = digest;
  }
}

void Device::cut_power(const Step& step) {
  if (!model().powered()) return;
  constexpr std::array<std::uint32_t, 8> kBytes{
      0, 0, 1, 40, 100, 200, flash::kPageSize, flash::kControllerPart.sector_size};
  model().cut_power_at({.operation = model().sequence() + 1 + step.a % 12,
                        .bytes = kBytes[step.b % kBytes.size()],
                        .marginal_bytes = step.b % 3 == 0 ? 0 : step.b * 7 % 4097});
}

void Device::fail(const Step& step) {
  constexpr std::array kKinds{flash::OpKind::kProgram, flash::OpKind::kEraseSector,
                              flash::OpKind::kOtpProgram};
  flash::PlannedFailure failure{.kind = kKinds[step.a % kKinds.size()],
                                .bytes = step.b % 300,
                                .marginal_bytes = step.b % 2 == 0 ? 0 : step.b % 200};
  if (step.a % 4 != 0) failure.operation = model().sequence() + 1 + step.b % 10;
  // Journal and OTP are read back; that a slot holds what was written is for the application to see.
  failure.is_silent = step.b % 5 == 0 && failure.kind != flash::OpKind::kEraseSector;
  if (failure.is_silent) failure.marginal_bytes = 0;
  model().plan_failure(failure);
  has_failures_ = true;
}

void Device::damage_slot(const Step& step) {
  const Slot slot = kSlots[step.a % kSlots.size()];
  constexpr std::array<std::uint32_t, 6> kPlaces{0, 8, 21, 0x200, 0x230, 0x340};
  slot_bytes(slot)[kPlaces[step.b % kPlaces.size()]] ^= static_cast<std::uint8_t>(1U << step.b % 8);
  slot_changed(slot);
}

/// Cells that are damaged at rest are firm, and wrong: a torn record does not come back through an erased
/// journal.
void Device::damage_journal(const Step& step) {
  make_firm(0, boot_test::kBothPartitions);
  const auto journal = part().window().first(boot_test::kBothPartitions);
  if (step.a % 3 == 0) std::ranges::fill(journal, std::uint8_t{0xFF});
  journal[boot_test::journal_byte(step.a * 61 % boot_test::kJournalBytes)] ^=
      static_cast<std::uint8_t>(1U << step.b % 8);
  journal_changed();
}

/// Somebody with the journal's format and without a key.
void Device::forge_journal(const Step& step) {
  if (!model().powered()) return;
  const Slot slot = step.a % 2 == 0 ? Slot::kA : Slot::kB;
  boot::image::Info info;
  if (peek(part(), slot, {kLoadAddress, kLoadMemory}, info) != boot::image::VerifyStatus::kOk) return;
  BootState state;
  const boot::ImageIdentity identity{.version = {},
                                     .security_counter = step.b % 4,
                                     .size = info.total_size,
                                     .digest = info.digest,
                                     .job_id = {}};
  if (step.b % 2 == 0) {
    state.committed_slot = slot;
    state.committed = identity;
  } else {
    state.staged_slot = slot;
    state.staged_state = static_cast<StagedState>(1 + step.b / 2 % 5);
    state.staged = identity;
  }
  static_cast<void>(change([&](const BootState&) { return state; }));
  journal_changed();
}

void Device::slot_changed(Slot slot) {
  const std::optional<JournalEntry> entry = oracle().journal();
  const bool matters = !entry || entry->committed_slot == slot || entry->committed_slot == Slot::kNone ||
                       (entry->staged_slot == slot && is(*entry, StagedState::kAccepted));
  if (!matters && !accepted_) return;
  approved_.reset();
  accepted_.reset();
}

void Device::journal_changed() {
  approved_.reset();
  accepted_.reset();
  trial_started_ = false;
  highest_counter_ = 0;  // from now on OTP alone knows
}

void Device::take(const Step& step) {
  story_ += "-- ";
  switch (step.what) {
    case Do::kReset:
      story_ += "reset\n";
      return boot();
    case Do::kPowerCycle:
      story_ += "power cycle\n";
      return power_cycle();
    case Do::kStage:
      story_ += "stage\n";
      return stage(catalog()[step.a % catalog().size()]);
    case Do::kReceivePart: {
      story_ += "receive part\n";
      const Bytes& image = catalog()[step.a % catalog().size()].bytes;
      static_cast<void>(receive(image, step.b % image.size()));
      return;
    }
    case Do::kAccept:
      story_ += "accept\n";
      return accept();
    case Do::kRefuse:
      story_ += "refuse\n";
      if (is_running())
        static_cast<void>(
            change([](const BootState& state) { return reject(state, boot::RejectReason::kRefused); }));
      return;
    case Do::kCutPower:
      story_ += "cut power\n";
      return cut_power(step);
    case Do::kFail:
      story_ += "fail\n";
      return fail(step);
    case Do::kForgetFailures:
      story_ += "no failures\n";
      model().forget_failures();
      has_failures_ = false;
      return;
    case Do::kDamageSlot:
      story_ += "damage slot\n";
      return damage_slot(step);
    case Do::kReplaceImage:
      story_ += "replace image\n";
      std::ranges::copy(catalog()[step.b % catalog().size()].bytes, slot_bytes(kSlots[step.a % 3]).begin());
      return slot_changed(kSlots[step.a % 3]);
    case Do::kDamageJournal:
      story_ += "damage journal\n";
      return damage_journal(step);
    case Do::kForgeJournal:
      story_ += "forge journal\n";
      return forge_journal(step);
  }
}

/// What orders images by age: the counter, then the version, as the header has it from byte 20.
std::array<std::uint32_t, 5> age_of(const GenuineImage& image) {
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

// ---- histories ----

rc::Gen<Setup> any_setup() {
  return rc::gen::build<Setup>(
      rc::gen::set(&Setup::previous_image, rc::gen::element(PreviousImage::kErase, PreviousImage::kKeep)),
      rc::gen::set(&Setup::slot_a,
                   rc::gen::weightedElement<int>({{8, 0}, {2, 3}, {1, 5}, {1, 12}, {1, kNothing}})),
      rc::gen::set(&Setup::slot_b, rc::gen::weightedElement<int>({{8, kNothing}, {2, 0}, {1, 1}, {1, 5}})),
      rc::gen::set(&Setup::recovery, rc::gen::weightedElement<int>({{4, 0}, {2, 1}, {1, 2}, {4, kNothing}})),
      rc::gen::set(&Setup::luck, rc::gen::inRange<std::uint32_t>(0, 1000)));
}

rc::Gen<Step> any_step() {
  const auto what = rc::gen::weightedElement<Do>({{5, Do::kReset},
                                                  {3, Do::kPowerCycle},
                                                  {7, Do::kStage},
                                                  {1, Do::kReceivePart},
                                                  {7, Do::kAccept},
                                                  {1, Do::kRefuse},
                                                  {6, Do::kCutPower},
                                                  {2, Do::kFail},
                                                  {1, Do::kForgetFailures},
                                                  {1, Do::kDamageSlot},
                                                  {1, Do::kReplaceImage},
                                                  {1, Do::kDamageJournal},
                                                  {1, Do::kForgeJournal}});
  return rc::gen::build<Step>(rc::gen::set(&Step::what, what),
                              rc::gen::set(&Step::a, rc::gen::inRange<std::uint32_t>(0, 200)),
                              rc::gen::set(&Step::b, rc::gen::inRange<std::uint32_t>(0, 1000)));
}

RC_GTEST_PROP(BootHistory, KeepsTheInvariants, ()) {
  const Setup setup = *any_setup().as("setup");
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step()).as("steps");
  Device device(setup);
  try {
    device.take({.what = Do::kReset});
    for (const Step& step : steps) device.take(step);
    device.end_well();
  } catch (...) {
    RC_LOG() << device.story();
    throw;
  }
}

}  // namespace
}  // namespace boot_test
