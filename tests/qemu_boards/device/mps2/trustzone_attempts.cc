#include "tests/qemu_boards/device/trustzone_attempts.h"

#include <algorithm>
#include <span>

#include "agent/boot/slots.h"
#include "agent/boot/update_service.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/trustzone/memory_map.h"
#include "qemu_boards/mps2/trustzone/secure_client.h"

namespace probe {
namespace {

using mps2::Call;
using mps2::Refusal;
using mps2::Service;

constexpr std::array kServices{
    Service::kBootInfo,     Service::kCodeSigningRoot,    Service::kSettings,      Service::kSign,
    Service::kFlashRead,    Service::kFlashProgram,       Service::kFlashErase,    Service::kEntropy,
    Service::kUpdateStart,  Service::kUpdateBeginReceive, Service::kUpdateCheck,   Service::kUpdateFinish,
    Service::kUpdateAccept, Service::kUpdateReject,       Service::kWatchdogStart, Service::kWatchdogFeed,
    Service::kWatchdogStop, Service::kEndTrial,           Service::kReset,         Service::kFlashEraseBlock};

volatile std::uint32_t& at(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);  // NOLINT(performance-no-int-to-ptr)
}

void say(std::string_view text) {
  board::console_write(text);
}

void say_number(std::uint32_t value) {
  std::array<char, 10> digits{};
  std::size_t first = digits.size();
  do {
    digits[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  say({digits.data() + first, digits.size() - first});
}

[[noreturn]] void end_with(std::string_view result) {
  say("probe: result ");
  say(result);
  say("\n");
  for (;;) board::wait_for_interrupt();
}

[[noreturn]] void read(std::uint32_t address) {
  const std::uint32_t value = at(address);
  __asm volatile("dsb" ::: "memory");
  static_cast<void>(value);
  end_with("read");
}

[[noreturn]] void write(std::uint32_t address) {
  at(address) = 0x5555'AAAA;
  __asm volatile("dsb" ::: "memory");
  end_with("written");
}

[[noreturn]] void call(std::uint32_t address) {
  reinterpret_cast<void (*)()>(address | 1U)();  // NOLINT(performance-no-int-to-ptr)
  end_with("called");
}

[[noreturn]] void branch_to(std::uint32_t address) {
  __asm volatile("bx %0" ::"r"(address));
  end_with("returned");
}

/// From an interrupt: an exception return is one only there.
[[noreturn]] void return_from_an_exception(std::uint32_t exc_return) {
  static std::uint32_t forged;
  forged = exc_return;
  constexpr std::uint32_t kVtor = 0xE000'ED08;
  constexpr std::uint32_t kInterruptControl = 0xE000'ED04;
  constexpr std::uint32_t kPendSv = 1U << 28;
  alignas(512) static std::array<std::uint32_t, 128> table;
  const auto* current =
      reinterpret_cast<const std::uint32_t*>(at(kVtor));  // NOLINT(performance-no-int-to-ptr)
  std::copy_n(current, 64, table.begin());
  table[14] = reinterpret_cast<std::uint32_t>(+[] { __asm volatile("bx %0" ::"r"(forged)); });
  at(kVtor) = reinterpret_cast<std::uint32_t>(table.data());
  at(kInterruptControl) = kPendSv;
  __asm volatile("dsb\n\tisb" ::: "memory");
  end_with("returned");
}

[[noreturn]] void push_into_secure_memory() {
  __asm volatile(
      "msr msp, %0\n"
      "svc #0\n" ::"r"(mps2::kSecureRamAddress + 0x1000));
  end_with("pushed");
}

[[noreturn]] void read_what_reads_zero() {
  constexpr std::uint32_t kSecureUart1 = 0x4020'1000;
  constexpr std::uint32_t kScc = 0x4030'0000;
  constexpr std::uint32_t kDma = 0x4011'0000;
  constexpr std::uint32_t kSauControl = 0xE000'EDD0;
  constexpr std::uint32_t kSauType = 0xE000'EDD4;
  constexpr std::uint32_t kInterruptTargets = 0xE000'E380;
  constexpr std::uint32_t kSecureView = 0xE002'ED08;
  for (const std::uint32_t address :
       {kSecureUart1, kScc, kDma, kSauControl, kSauType, kInterruptTargets, kSecureView}) {
    at(address) = 0xFFFF'FFFF;
    if (at(address) != 0) end_with("not zero");
  }
  end_with("zero");
}

[[noreturn]] void request_reset() {
  at(0xE000'ED0C) = 0x05FA'0004;
  __asm volatile("dsb\n\tisb" ::: "memory");
  const std::uint32_t begun = board::millis();
  while (board::millis() - begun < 20) {
  }
  end_with("still here");
}

/// Places that are not all the application's own memory, for a range of `size` bytes.
std::uint32_t forbidden_place(std::size_t n, std::uint32_t size) {
  const std::array<std::uint32_t, 18> places{
      mps2::kSecureRamAddress + 0x1000,
      mps2::kSecureRomAddress,
      mps2::kSecureRomTrustAddress,
      mps2::kGatewayAddress,
      0x0000'0000,
      mps2::kSecureLoadAddress,
      mps2::kApplicationRamAddress + mps2::kSecureAlias,
      mps2::kBoard.flash_window,
      mps2::kBoard.flash_window + flash::kSlotA.offset,
      mps2::kBoard.flash_window + flash::kRegistersOffset,
      mps2::kBoard.watchdog,
      mps2::kBoard.uart0,
      0x2000'0000,
      0xE000'ED00,
      mps2::kApplicationRamAddress + mps2::kApplicationRamSize - size + 1,  // straddles its end
      mps2::kApplicationRamAddress - size + 1,                              // straddles its beginning
      mps2::kLoadAddress - size + 1,
      0xFFFF'FFFF - size + 2,  // wraps around
  };
  return n < places.size() ? places[n] : 0;
}
constexpr std::size_t kForbiddenPlaces = 18;

/// What a service is glad to have, so that only the pointer is wrong.
struct Sizes {
  std::uint32_t in;
  std::uint32_t out;
};
Sizes sizes_of(Service service) {
  switch (service) {
    case Service::kSign:
      return {32, 64};
    case Service::kFlashProgram:
      return {256, 4};
    case Service::kSettings:
      return {1, 8192};
    case Service::kCodeSigningRoot:
      return {1, 1400};
    case Service::kEntropy:
      return {1, 256};
    case Service::kUpdateBeginReceive:
      return {5, sizeof(boot::BootState)};
    default:
      return {1, sizeof(boot::BootState)};
  }
}

std::array<std::uint8_t, 8192> own_memory;

bool is_refused(Service service, Call* call) {
  return secure_call(service, call) == static_cast<std::uint32_t>(Refusal::kBadPointer);
}

[[noreturn]] void give_pointers_into_other_world() {
  std::uint32_t tried = 0;
  for (const Service service : kServices) {
    const Sizes sizes = sizes_of(service);
    const Call good{
        .in = own_memory.data(), .in_size = sizes.in, .out = own_memory.data(), .out_size = sizes.out};
    for (std::size_t n = 0; n < kForbiddenPlaces; ++n) {
      Call bad_in = good;
      bad_in.in = reinterpret_cast<const void*>(forbidden_place(n, sizes.in));  // NOLINT
      Call bad_out = good;
      bad_out.out = reinterpret_cast<void*>(forbidden_place(n, sizes.out));        // NOLINT
      auto* bad_call = reinterpret_cast<Call*>(forbidden_place(n, sizeof(Call)));  // NOLINT
      // A single byte does not straddle.
      const bool straddles = n >= 14 && n <= 17;
      if (!(straddles && sizes.in == 1) && !is_refused(service, &bad_in)) end_with("input was taken");
      if (!is_refused(service, &bad_out)) end_with("output was given");
      if (!is_refused(service, bad_call)) end_with("the call itself was taken");
      tried += 3;
    }
    Call into_code = good;  // the application's code is not for the secure world to write
    into_code.out = reinterpret_cast<void*>(mps2::kLoadAddress + 0x200);  // NOLINT(performance-no-int-to-ptr)
    if (!is_refused(service, &into_code)) end_with("output went into code");
    Call endless = good;
    endless.out_size = 0xFFFF'FFF0;
    if (!is_refused(service, &endless)) end_with("an endless output was given");
  }
  say("probe: bad pointers ");
  say_number(tried);
  end_with("refused");
}

[[noreturn]] void write_what_is_not_received() {
  if (board::update_service().start() != flash::Status::kOk) end_with("no boot control");
  std::uint32_t refused = 0;
  for (std::uint32_t offset = 0; offset < flash::kWindowSize; offset += 0x1'0000) {
    const bool is_calendar = flash::kCalendar0.contains(offset, 1) || flash::kCalendar1.contains(offset, 1);
    if (is_calendar && board::boot_info().image_state != boot::ImageState::kTrial) continue;
    const std::uint32_t program =
        mps2::ask(Service::kFlashProgram, offset, std::span(own_memory).first(256)).result;
    const std::uint32_t erase = mps2::ask(Service::kFlashErase, offset).result;
    constexpr auto kNotAllowed = static_cast<std::uint32_t>(Refusal::kNotAllowed);
    const std::uint32_t erase_block = mps2::ask(Service::kFlashEraseBlock, offset).result;
    if (program != kNotAllowed || erase != kNotAllowed || erase_block != kNotAllowed)
      end_with("it was written");
    ++refused;
  }
  // Over the end of what may be written otherwise, and around the end of all offsets.
  for (const std::uint32_t offset : {flash::kCalendar0.offset - 1, flash::kCalendar1.end() - 1,
                                     std::uint32_t{0xFFFF'FFFF}, flash::kSlotB.end() - 1}) {
    if (mps2::ask(Service::kFlashProgram, offset, std::span(own_memory).first(256)).result == 0)
      end_with("it was written");
  }
  end_with(refused >= 250 ? "refused" : "not tried");
}

[[noreturn]] void read_secrets() {
  std::uint32_t refused = 0;
  for (std::uint32_t offset = 0; offset < flash::kWindowSize; offset += 0x1000) {
    const mps2::Answer answer = mps2::ask(Service::kFlashRead, offset, {}, std::span(own_memory).first(64));
    if (mps2::is_readable(offset, 64) != (answer.result == 0)) end_with("the wrong part was read");
    if (answer.result == static_cast<std::uint32_t>(Refusal::kNotAllowed) && answer.size == 0) ++refused;
  }
  // Over the end of what may be read, and around the end of all offsets.
  const auto ends = std::span(own_memory).first(256);
  for (const std::uint32_t offset : {flash::kCalendar0.offset - 1, flash::kCalendar1.end() - 255,
                                     flash::kRecovery.end() - 255, std::uint32_t{0xFFFF'FFFF}}) {
    if (mps2::ask(Service::kFlashRead, offset, {}, ends).result == 0) end_with("a secret was read");
  }
  end_with(refused > 1000 ? "refused" : "not tried");
}

/// The settings stay where they were loaded, and so does the stack.
[[noreturn]] void use_identity() {
  static provisioning::Settings settings;
  if (board::identity().load(own_memory, settings) != provisioning::Status::kOk) end_with("no settings");
  if (!settings.device_key.empty()) end_with("a key was given");
  crypto::EcdsaSignature signature{};
  crypto::Sha256Digest digest{};
  for (std::uint8_t& byte : digest) byte = 0x5C;
  if (!board::identity().sign(digest, signature)) end_with("not signed");
  say("probe: signature ");
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : signature) {
    const std::array<char, 2> hex{kDigits[byte >> 4], kDigits[byte & 15U]};
    say({hex.data(), hex.size()});
  }
  say("\n");
  end_with("signed");
}

[[noreturn]] void accept_while_committed() {
  boot::UpdateService& updates = board::update_service();
  if (updates.start() != flash::Status::kOk) end_with("no boot control");
  end_with(updates.accept().is_allowed ? "accepted" : "refused");
}

/// Until boot control has been read nothing is known that a transition could start from.
[[noreturn]] void change_without_start() {
  for (std::uint32_t i = 0; i < 8; ++i) {
    boot::UpdateService& updates = board::update_service();
    if (updates.begin_receive(i % 2 == 0 ? "job-a" : "job-b", boot::Slot::kB).is_done()) end_with("begun");
    if (updates.accept().is_done()) end_with("accepted");
  }
  end_with("refused");
}

[[noreturn]] void finish_what_is_there() {
  boot::UpdateService& updates = board::update_service();
  if (updates.start() != flash::Status::kOk) end_with("no boot control");
  const boot::image::VerifyStatus status = updates.check(boot::Slot::kB, {});
  say("probe: check ");
  say(boot::image::to_string(status));
  say("\n");
  end_with(updates.finish({}).is_done() ? "recorded" : "refused");
}

std::uint32_t next_random(std::uint32_t& state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/// A value of the interesting kinds.
std::uint32_t random_word(std::uint32_t& state) {
  const std::uint32_t kind = next_random(state) % 8;
  const std::uint32_t value = next_random(state);
  if (kind == 0) return value;
  if (kind == 1) return value % 512;
  if (kind == 2) return mps2::kApplicationRamAddress + value % (2 * mps2::kApplicationRamSize);
  if (kind == 3) return forbidden_place(value % kForbiddenPlaces, value % 300 + 1);
  if (kind == 4) return mps2::kLoadAddress + value % mps2::kLoadSize;
  if (kind == 5) return value % flash::kWindowSize / 256 * 256;
  return reinterpret_cast<std::uint32_t>(own_memory.data()) + value % own_memory.size();
}

/// The answers land in memory that nobody uses: this program's own would not survive them.
bool would_hurt(const Call& call) {
  const auto begin = reinterpret_cast<std::uint32_t>(call.out);
  const auto own = reinterpret_cast<std::uint32_t>(own_memory.data());
  const bool is_in_ram = begin >= mps2::kApplicationRamAddress &&
                         begin < mps2::kApplicationRamAddress + mps2::kApplicationRamSize;
  const bool is_in_own = begin >= own && begin - own + call.out_size <= own_memory.size();
  return is_in_ram && !is_in_own;
}

[[noreturn]] void fuzz() {
  constexpr std::uint32_t kCalls = 20'000;
  std::uint32_t state = 0x2545'F491;
  std::uint32_t answered = 0;
  std::array<bool, kServices.size()> was_answered{};
  for (std::uint32_t i = 0; i < kCalls; ++i) {
    const std::uint32_t pick = next_random(state) % 24;
    auto service = pick < kServices.size() ? kServices[pick] : static_cast<Service>(random_word(state));
    if (service == Service::kReset || service == Service::kWatchdogStart) continue;
    Call call{.value = next_random(state) % 2 == 0 ? next_random(state) % 4 : random_word(state),
              .in = reinterpret_cast<const void*>(random_word(state)),  // NOLINT(performance-no-int-to-ptr)
              .in_size = random_word(state) % 600,
              .out = reinterpret_cast<void*>(random_word(state)),  // NOLINT(performance-no-int-to-ptr)
              .out_size = next_random(state) % 4 == 0 ? random_word(state) : next_random(state) % 9000};
    if (next_random(state) % 2 == 0) call.in = own_memory.data();
    if (service == Service::kUpdateBeginReceive && next_random(state) % 2 == 0) {
      static constexpr std::string_view kJob = "job-of-the-fuzz";
      call.in = kJob.data();
      call.in_size = 1 + next_random(state) % kJob.size();
    }
    if (next_random(state) % 2 == 0) call.out = own_memory.data();
    if (would_hurt(call)) continue;
    if (secure_call(service, &call) >= static_cast<std::uint32_t>(Refusal::kBadPointer)) continue;
    ++answered;
    if (pick < kServices.size()) was_answered[pick] = true;
  }
  // All but those that are refused here: acceptance, finishing what was never received, and signing without
  // an identity. A reset and the watchdog would end this.
  constexpr std::array kRefused{Service::kUpdateAccept, Service::kUpdateFinish, Service::kSign,
                                Service::kReset, Service::kWatchdogStart};
  for (std::size_t i = 0; i < kServices.size(); ++i) {
    if (was_answered[i] || std::ranges::count(kRefused, kServices[i]) != 0) continue;
    say("probe: never answered ");
    say_number(static_cast<std::uint32_t>(kServices[i]));
    say("\n");
    end_with("a service was not reached");
  }
  say("probe: answered ");
  say_number(answered);
  say("\n");
  end_with(answered > 100 ? "survived" : "nothing was reached");
}

[[noreturn]] void run(Attempt attempt) {
  switch (attempt) {
    case Attempt::kCallPastTheGateway:
      call(mps2::kSecureRomAddress + 0x400);
    case Attempt::kCallBehindSg:
      call(mps2::kGatewayAddress + 4);
    case Attempt::kStackInSecureMemory:
      push_into_secure_memory();
    case Attempt::kForgedExceptionReturn:
      return_from_an_exception(0xFFFF'FFFD);  // secure thread mode, process stack
    case Attempt::kForgedFunctionReturn:
      branch_to(0xFEFF'FFFF);
    case Attempt::kSilenceTheConsole:
      at(mps2::kBoard.uart0 + 8) = 0;  // the transmitter's enable
      at(mps2::kBoard.uart0) = '?';    // which stays in it
      read(mps2::kSecureRamAddress);
    case Attempt::kStopWatchdog:
      board::watchdog_stop();
      end_with("stopped");
    case Attempt::kEndTrial:
      board::end_trial();
      end_with("stopped");
    case Attempt::kStartWatchdog:
      board::watchdog_start(1'000'000);
      end_with("started");
    case Attempt::kReadWhatReadsZero:
      read_what_reads_zero();
    case Attempt::kRequestReset:
      request_reset();
    case Attempt::kPointersIntoOtherWorld:
      give_pointers_into_other_world();
    case Attempt::kWriteWhatIsNotReceived:
      write_what_is_not_received();
    case Attempt::kAcceptWhileCommitted:
      accept_while_committed();
    case Attempt::kFinishWhatIsThere:
      finish_what_is_there();
    case Attempt::kFuzz:
      fuzz();
    case Attempt::kReadSecrets:
      read_secrets();
    case Attempt::kChangeWithoutStart:
      change_without_start();
    case Attempt::kUseIdentity:
      use_identity();
  }
  end_with("unknown attempt");
}

/// Those that a committed image makes; the others would end one, too, again and again.
bool is_for_a_committed_image(Attempt attempt) {
  return attempt >= Attempt::kReadWhatReadsZero;
}

}  // namespace

void try_the_other_world(Task task, const boot::BootInfo& info) {
  const auto number = static_cast<std::uint32_t>(task);
  if (number < kFirstAttempt) return;
  const bool is_on_trial = info.image_state == boot::ImageState::kTrial;
  if (number >= static_cast<std::uint32_t>(Attempt::kCallPastTheGateway)) {
    const auto attempt = static_cast<Attempt>(number);
    if (is_on_trial || is_for_a_committed_image(attempt)) run(attempt);
    return;
  }
  if (!is_on_trial) return;
  if (number >= kFirstWrite) write(kForbidden[number - kFirstWrite].address);
  read(kForbidden[number - kFirstRead].address);
}

}  // namespace probe
