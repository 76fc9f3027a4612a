// The gateway: what the secure world does for the application, and when it does not (services.h).
//
// One call at a time: interrupts of both worlds are masked meanwhile, so nobody else runs, and nothing that
// was checked changes before it is used. Call and input are in secure memory before they are looked at.
#include <arm_cmse.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "agent/boot/boot_policy.h"
#include "agent/boot/local_update_service.h"
#include "agent/boot/slots.h"
#include "pal_sim/provisioning/stored_identity.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/rom_signers.h"
#include "qemu_boards/common/rom_trust.h"
#include "qemu_boards/mps2/trustzone/crypto_pool.h"
#include "qemu_boards/mps2/trustzone/memory_map.h"
#include "qemu_boards/mps2/trustzone/registers.h"
#include "qemu_boards/mps2/trustzone/secure_world.h"
#include "qemu_boards/mps2/trustzone/services.h"

namespace {

using boot::image::VerifyStatus;
using flash::Status;
using mps2::Refusal;
using mps2::Service;

using Input = std::span<const std::uint8_t>;
using Output = std::span<std::uint8_t>;

/// What a service answers that has nothing to say: Status::kOk's number.
constexpr Refusal kDone{};

std::uint32_t answer(Refusal refusal) {
  return static_cast<std::uint32_t>(refusal);
}
std::uint32_t answer(Status status) {
  return static_cast<std::uint32_t>(status);
}
std::uint32_t answer(const boot::Transition& transition) {
  return transition.is_allowed ? answer(transition.status) : answer(Refusal::kNotAllowed);
}

/// A call, as it was when it came in.
struct Request {
  std::uint32_t value;
  Input in;
  Output out;
  std::uint32_t filled = 0;

  /// Writes the whole answer, or nothing.
  [[nodiscard]] bool reply(Input bytes) {
    if (out.size() < bytes.size()) return false;
    std::ranges::copy(bytes, out.begin());
    filled = static_cast<std::uint32_t>(bytes.size());
    return true;
  }
};

template <typename T>
Input bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

// --- Who is asking

bool is_on_trial() {
  return board::boot_info().image_state == boot::ImageState::kTrial;
}

/// Boot control, as the application works with it. It is read when the application starts its own view.
boot::LocalUpdateService& updates() {
  static boot::LocalUpdateService service(board::flash());
  return service;
}

/// Whether the image that runs is the one that boot control has on trial.
bool is_trial_of_this_image() {
  return is_on_trial() && board::boot_info().slot == updates().state().staged_slot;
}

bool is_acceptance_durable() {
  return updates().is_settled() && updates().state().staged_state == boot::StagedState::kAccepted &&
         updates().state().staged_slot == board::boot_info().slot;
}

// --- Flash

bool is_in(const flash::Partition& partition, std::uint32_t offset, std::size_t size) {
  return partition.contains(offset, static_cast<std::uint32_t>(size));
}

/// The slot being received, and the calendar outside a trial: nothing else is the application's to write.
bool may_write(std::uint32_t offset, std::size_t size) {
  if (is_in(flash::kCalendar0, offset, size) || is_in(flash::kCalendar1, offset, size)) return !is_on_trial();
  const boot::BootState& state = updates().state();
  if (state.staged_state != boot::StagedState::kReceiving) return false;
  if (state.staged_slot == board::boot_info().slot) return false;
  const flash::Partition* slot = boot::slot_partition(state.staged_slot);
  return slot != nullptr && is_in(*slot, offset, size);
}

std::uint32_t read(Request& request) {
  if (!mps2::is_readable(request.value, static_cast<std::uint32_t>(request.out.size())))
    return answer(Refusal::kNotAllowed);
  const Status status = board::flash().read(request.value, request.out);
  if (status == Status::kOk) request.filled = static_cast<std::uint32_t>(request.out.size());
  return answer(status);
}

std::uint32_t program(const Request& request) {
  if (request.in.size() > flash::kPageSize) return answer(Refusal::kBadSize);
  if (!may_write(request.value, request.in.size())) return answer(Refusal::kNotAllowed);
  return answer(board::flash().program(request.value, request.in));
}

std::uint32_t erase(const Request& request) {
  if (request.value % flash::kControllerPart.sector_size != 0) return answer(Status::kUnaligned);
  if (!may_write(request.value, flash::kControllerPart.sector_size)) return answer(Refusal::kNotAllowed);
  return answer(board::flash().erase_sector(request.value));
}

std::uint32_t erase_block(const Request& request) {
  if (request.value % flash::kControllerPart.block_size != 0) return answer(Status::kUnaligned);
  if (!may_write(request.value, flash::kControllerPart.block_size)) return answer(Refusal::kNotAllowed);
  return answer(board::flash().erase_block(request.value));
}

std::uint32_t entropy(Request& request) {
  std::array<std::uint8_t, flash::kPageSize> bytes;
  if (request.out.size() > bytes.size()) return answer(Refusal::kBadSize);
  const auto wanted = std::span(bytes).first(request.out.size());
  const Status status = board::flash().entropy(wanted);
  if (status == Status::kOk && !request.reply(wanted)) return answer(Refusal::kBadSize);
  return answer(status);
}

// --- Identity

constexpr std::size_t kSettingsSize = provisioning::kMaxBlobSize;
std::array<std::uint8_t, kSettingsSize> settings_blob;

provisioning::StoredIdentity& identity() {
  static provisioning::StoredIdentity stored(board::flash(), board::rom_trust().device_key);
  return stored;
}

std::uint32_t give_settings(Request& request) {
  provisioning::Settings settings;
  mps2::give_crypto_memory();
  const provisioning::Status status = identity().load(settings_blob, settings);
  if (status == provisioning::Status::kOk && !request.reply(provisioning::body_of(settings_blob)))
    return answer(Refusal::kBadSize);
  return static_cast<std::uint32_t>(status);
}

std::uint32_t sign(Request& request) {
  crypto::Sha256Digest digest;
  crypto::EcdsaSignature signature;
  if (request.in.size() != digest.size() || request.out.size() < signature.size())
    return answer(Refusal::kBadSize);
  std::ranges::copy(request.in, digest.begin());
  if (!identity().sign(digest, signature)) return answer(Refusal::kNotAllowed);
  return request.reply(signature) ? answer(Status::kOk) : answer(Refusal::kBadSize);
}

// --- Updates

/// Takes a copy of an image to be verified; an encrypted one is opened in it.
constexpr std::size_t kScratchSize = 0x0018'0000;
[[gnu::section(".scratch")]] std::array<std::uint8_t, kScratchSize> scratch;

boot::Environment verifier() {
  // judge() takes from load memory where it stands and how large it is; the application runs in it.
  auto* load_memory =
      reinterpret_cast<std::uint8_t*>(mps2::kLoadAddress);  // NOLINT(performance-no-int-to-ptr)
  return {.flash = board::flash(),
          .signers = boot_rom::kSigners,
          .decryption_key = boot_keys::kImageDecryptionKey,
          .load_memory = {load_memory, mps2::kLoadSize},
          .load_address = mps2::kLoadAddress,
          .console = {},
          .previous_image = boot::PreviousImage::kErase};
}

bool is_encrypted(const flash::Partition& slot) {
  boot::image::Header header;
  const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(&header), sizeof(header));
  return board::flash().read(slot.offset, bytes) != Status::kOk ||
         (header.flags & boot::image::kFlagEncryptedAes128) != 0;
}

/// Verifies the image in a slot as the bootloader would: a copy of it, opened if it is encrypted. A plain one
/// that is larger than the copy may be is verified where it stands, which nobody can write meanwhile.
VerifyStatus verify(boot::Slot slot, boot::image::Info& info) {
  const boot::Environment environment = verifier();
  const flash::Partition* partition = boot::slot_partition(slot);
  if (partition == nullptr) return VerifyStatus::kNoImage;
  constexpr boot::image::LoadRegion kRegion{mps2::kLoadAddress, mps2::kLoadSize};
  boot::image::Info announced;
  const VerifyStatus peeked = boot::image::peek(environment.flash, slot, kRegion, announced);
  if (peeked != VerifyStatus::kOk) return peeked;
  if (announced.total_size > scratch.size()) {
    if (is_encrypted(*partition)) return VerifyStatus::kBadSize;
    const auto* image =
        reinterpret_cast<const std::uint8_t*>(mps2::kBoard.flash_window + partition->offset);  // NOLINT
    return boot::judge(environment, slot, {image, announced.total_size}, info);
  }
  const auto copy = std::span(scratch).first(announced.total_size);
  if (board::flash().read(partition->offset, copy) != Status::kOk) return VerifyStatus::kFlashError;
  VerifyStatus status = boot::image::decrypt(copy, kRegion, environment.decryption_key);
  if (status == VerifyStatus::kOk) status = boot::judge(environment, slot, copy, info);
  crypto::wipe(copy);
  return status;
}

bool is_receiving(boot::Slot slot) {
  const boot::BootState& state = updates().state();
  return state.staged_state == boot::StagedState::kReceiving && state.staged_slot == slot;
}

std::uint32_t check(const Request& request) {
  const auto slot = static_cast<boot::Slot>(request.value);
  if (request.value > 0xFF || !is_receiving(slot)) return answer(Refusal::kNotAllowed);
  boot::image::Info info;
  return static_cast<std::uint32_t>(verify(slot, info));
}

boot::Transition finish() {
  const boot::Slot slot = updates().state().staged_slot;
  if (!is_receiving(slot)) return {};
  boot::image::Info info;
  if (verify(slot, info) != VerifyStatus::kOk) return {};
  return updates().finish(info);
}

boot::Transition begin_receive(const Request& request) {
  const auto slot = static_cast<boot::Slot>(request.value);
  if (request.value > 0xFF || slot == board::boot_info().slot) return {};
  return updates().begin_receive({reinterpret_cast<const char*>(request.in.data()), request.in.size()}, slot);
}

/// Only the image on trial accepts itself, by what the bootloader knows of this boot, not by what it says.
boot::Transition accept() {
  return is_trial_of_this_image() || is_acceptance_durable() ? updates().accept() : boot::Transition{};
}

std::uint32_t update(Service service, const Request& request) {
  switch (service) {
    case Service::kUpdateStart:
      return answer(updates().start());
    case Service::kUpdateBeginReceive:
      return answer(begin_receive(request));
    case Service::kUpdateCheck:
      return check(request);
    case Service::kUpdateFinish:
      return answer(finish());
    case Service::kUpdateAccept:
      return answer(accept());
    case Service::kUpdateReject:
      return answer(updates().reject());
    default:
      return answer(Refusal::kNoService);
  }
}

/// Every answer comes with the state that is in force then.
std::uint32_t update_and_tell(Service service, Request& request) {
  if (request.out.size() < sizeof(boot::BootState)) return answer(Refusal::kBadSize);
  const std::uint32_t result = update(service, request);
  return request.reply(bytes_of(updates().state())) ? result : answer(Refusal::kBadSize);
}

// --- Watchdog

/// During a trial the watchdog is the bootloader's: who reaches for it has had its attempt.
std::uint32_t serve_watchdog(Service service, const Request& request) {
  if (is_on_trial() && !is_acceptance_durable()) {
    board::console_write(
        "\nboard: fault at the gateway, the watchdog was served during a trial, resetting\n");
    board::reset();
  }
  switch (service) {
    case Service::kWatchdogStart:
      board::watchdog_start(request.value);
      break;
    case Service::kWatchdogFeed:
      board::watchdog_feed();
      break;
    default:
      board::watchdog_stop();  // kWatchdogStop, kEndTrial
  }
  return answer(Status::kOk);
}

std::uint32_t serve(Service service, Request& request) {
  switch (service) {
    case Service::kBootInfo:
      return answer(request.reply(bytes_of(board::boot_info())) ? kDone : Refusal::kBadSize);
    case Service::kCodeSigningRoot:
      return answer(request.reply(board::rom_trust().root_certificate()) ? kDone : Refusal::kBadSize);
    case Service::kSettings:
      return give_settings(request);
    case Service::kSign:
      return sign(request);
    case Service::kFlashRead:
      return read(request);
    case Service::kFlashProgram:
      return program(request);
    case Service::kFlashErase:
      return erase(request);
    case Service::kFlashEraseBlock:
      return erase_block(request);
    case Service::kEntropy:
      return entropy(request);
    case Service::kUpdateStart:
    case Service::kUpdateBeginReceive:
    case Service::kUpdateCheck:
    case Service::kUpdateFinish:
    case Service::kUpdateAccept:
    case Service::kUpdateReject:
      return update_and_tell(service, request);
    case Service::kWatchdogStart:
    case Service::kWatchdogFeed:
    case Service::kWatchdogStop:
    case Service::kEndTrial:
      return serve_watchdog(service, request);
    case Service::kReset:
      board::reset();
  }
  return answer(Refusal::kNoService);
}

/// Takes what the call points to into the secure world.
std::uint32_t take_and_serve(Service service, mps2::Call* where) {
  if (!mps2::is_application_memory(where, sizeof(*where), true)) return answer(Refusal::kBadPointer);
  mps2::Call call;
  std::memcpy(&call, where, sizeof(call));
  if (call.in_size > mps2::kMaxInput) return answer(Refusal::kBadSize);
  if (!mps2::is_application_memory(call.in, call.in_size, false) && call.in_size != 0)
    return answer(Refusal::kBadPointer);
  if (!mps2::is_application_memory(call.out, call.out_size, true) && call.out_size != 0)
    return answer(Refusal::kBadPointer);
  std::array<std::uint8_t, mps2::kMaxInput> input;
  std::memcpy(input.data(), call.in, call.in_size);
  Request request{.value = call.value,
                  .in = std::span(input).first(call.in_size),
                  .out = {static_cast<std::uint8_t*>(call.out), call.out_size}};
  const std::uint32_t result = serve(service, request);
  where->out_size = request.filled;
  return result;
}

}  // namespace

extern "C" [[gnu::cmse_nonsecure_entry]] std::uint32_t secure_call(Service service, mps2::Call* call) {
  armv7m::disable_interrupts();
  if (!mps2::is_stack_as_left()) {
    board::console_write("\nboard: fault at the gateway, the secure stack was littered, resetting\n");
    board::reset();
  }
  const std::uint32_t result = take_and_serve(service, call);
  armv7m::enable_interrupts();
  return result;
}
