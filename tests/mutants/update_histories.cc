#include "tests/mutants/update_histories.h"

#include <algorithm>
#include <string>

#include "agent/boot/boot_control.h"
#include "agent/boot/local_update_service.h"
#include "agent/boot/slots.h"
#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/image/image.h"
#include "tests/mutants/booting_machine.h"

namespace otasim::mutants {
namespace {

using boot::Slot;
using crypto::Bytes;

constexpr std::size_t kPayloadSize = 1500;            ///< a sector with pages enough to be cut in
constexpr std::size_t kLargePayloadSize = kLoadSize;  ///< more than there is memory for
constexpr std::uint64_t kSeed = 1;

sweep::RomKeys::Signer in_rom(const crypto::P256Key& key) {
  const Bytes der = key.public_der();
  const Bytes hash = crypto::sha256(der);
  sweep::RomKeys::Signer signer;
  std::copy(der.end() - static_cast<std::ptrdiff_t>(signer.point.size()), der.end(), signer.point.begin());
  std::ranges::copy(hash, signer.hash.begin());
  return signer;
}

struct Wanted {
  std::uint16_t revision = 0;
  std::uint32_t counter = 1;
  boot::image::Kind kind = boot::image::Kind::kApplication;
  std::uint32_t revoked_keys = 0;
  std::size_t payload_size = kPayloadSize;
};

Bytes image_of(const Wanted& wanted, const crypto::P256Key& key) {
  return image::sign(Bytes(wanted.payload_size, static_cast<std::uint8_t>(wanted.revision)),
                     {.version = {1, 0, wanted.revision, 0},
                      .security_counter = wanted.counter,
                      .load_address = kLoadAddress,
                      .kind = wanted.kind,
                      .revoked_keys = wanted.revoked_keys},
                     key)
      .value();
}

boot::image::Info info_of(const Bytes& bytes) {
  const image::Info info = image::parse(bytes).value();
  boot::image::Info out;
  out.version = info.version;
  out.security_counter = info.security_counter.value_or(0);
  out.revoked_keys = info.revoked_keys.value_or(0);
  out.total_size = info.total_size;
  std::ranges::copy(info.sha256.value(), out.digest.begin());
  return out;
}

/// A device, its flash and the list of all that was done to it.
class Life : public flash::OpObserver {
 public:
  Life(std::string name, const Rom& rom)
      : name_(std::move(name)), machine_(rom.keys, flash::kControllerPart, kLoadAddress, kLoadSize) {
    flash_.model().set_observer(this);
    put(image_of({.revision = 1}, rom.signer), flash::kSlotA);
    put(image_of({.revision = 0, .kind = boot::image::Kind::kRecovery}, rom.signer), flash::kRecovery);
    before_.assign(flash_.window().begin(), flash_.window().end());
  }

  void on_operation(const flash::Operation& operation) override {
    flash::LoggedOperation& logged = log_.operations.emplace_back();
    logged.sequence = operation.sequence;
    logged.kind = operation.kind;
    logged.offset = operation.offset;
    logged.length = operation.length;
    logged.applied = operation.applied;
    logged.status = operation.status;
    logged.data.assign(operation.data.begin(), operation.data.end());
  }

  /// A power cycle, as far as the application.
  void restart() {
    std::ranges::copy(flash_.window(), machine_.window().begin());
    flash::CellState cells;
    auto booted = machine_.boot(cells, kSeed);
    std::ranges::copy(machine_.window(), flash_.window().begin());
    if (!booted) return;
    for (flash::LoggedOperation& operation : booted->operations)
      log_.operations.push_back(std::move(operation));
  }

  /// What the agent does with a job, from its first to its last block.
  void receive(const Bytes& image, std::size_t size) {
    const Slot slot = begin_receive();
    if (slot == Slot::kNone) return;
    program(slot, std::span(image).first(size));
  }
  void receive(const Bytes& image) {
    receive(image, image.size());
    boot::LocalUpdateService updates(flash_);
    if (updates.start() != flash::Status::kOk) return;
    (void)updates.finish(info_of(image));
  }
  void accept() {
    boot::LocalUpdateService updates(flash_);
    if (updates.start() == flash::Status::kOk) (void)updates.accept();
  }
  void reject() {
    boot::LocalUpdateService updates(flash_);
    if (updates.start() == flash::Status::kOk) (void)updates.reject();
  }
  void update(const Bytes& image) {
    receive(image);
    restart();
    accept();
    restart();
  }
  /// An application that lies: it puts `stored` into the slot and says that it is `claimed`.
  void claim(const Bytes& stored, const boot::image::Info& claimed) {
    receive(stored, stored.size());
    boot::LocalUpdateService updates(flash_);
    if (updates.start() == flash::Status::kOk) (void)updates.finish(claimed);
    restart();
    restart();
  }
  void claim(const Bytes& stored) { claim(stored, info_of(stored)); }

  [[nodiscard]] sweep::Recording recording() {
    return {.name = name_,
            .folder = {},
            .board = "native",
            .device = "thing-1",
            .seed = kSeed,
            .history = flash_file::FlashHistory::make(std::move(before_), std::move(log_)).value()};
  }

 private:
  void put(const Bytes& image, const flash::Partition& partition) {
    std::ranges::copy(image, flash_.window().begin() + partition.offset);
  }
  Slot begin_receive() {
    boot::LocalUpdateService updates(flash_);
    if (updates.start() != flash::Status::kOk) return Slot::kNone;
    const Slot slot = boot::receive_slot(updates.state());
    return updates.begin_receive("job", slot).is_done() ? slot : Slot::kNone;
  }
  void program(Slot slot, std::span<const std::uint8_t> bytes) {
    const flash::Partition& partition = *boot::slot_partition(slot);
    const auto sector = flash_.geometry().sector_size;
    const auto size = static_cast<std::uint32_t>(bytes.size() + sector - 1) / sector * sector;
    if (flash::erase_range(flash_, partition.offset, size) != flash::Status::kOk) return;
    (void)flash::program_range(flash_, partition.offset, bytes);
  }

  std::string name_;
  native::NativeFlash flash_;
  BootingMachine machine_;
  Bytes before_;
  flash::OpLog log_;
};

sweep::Recording record_resumed(const Rom& rom) {
  Life life("resumed", rom);
  life.restart();
  const Bytes image = image_of({.revision = 2, .counter = 2}, rom.signer);
  life.receive(image, image.size() / 2);
  life.restart();
  life.update(image);
  return life.recording();
}

sweep::Recording record_hostile(const Rom& rom) {
  Life life("hostile", rom);
  life.restart();
  // The second signer is revoked, and the floor is 4.
  life.update(image_of({.revision = 2, .counter = 4, .revoked_keys = 1U << 1}, rom.signer));
  life.claim(image_of({.revision = 3, .counter = 3}, rom.signer));
  life.claim(image_of({.revision = 4, .counter = 9}, rom.spare_signer));
  life.claim(image_of({.revision = 5, .counter = 9}, rom.stranger));
  life.claim(image_of({.revision = 6, .counter = 9, .kind = boot::image::Kind::kRecovery}, rom.signer));
  const Bytes genuine = image_of({.revision = 7, .counter = 9}, rom.signer);
  Bytes changed = genuine;
  changed[changed.size() / 2] ^= 1;
  life.claim(changed, info_of(genuine));
  // The stranger's signature under the signer's name.
  Bytes forged = image_of({.revision = 8, .counter = 9}, rom.stranger);
  const Bytes names = crypto::sha256(rom.stranger.public_der());
  const Bytes wanted = crypto::sha256(rom.signer.public_der());
  std::ranges::copy(wanted, std::ranges::search(forged, names).begin());
  life.claim(forged);
  // Another genuine image than the one that was announced.
  life.claim(genuine, info_of(changed = image_of({.revision = 9, .counter = 9}, rom.signer)));
  // A genuine one that memory has no room for, and one whose payload would end far behind the slot.
  life.claim(image_of({.revision = 10, .counter = 9, .payload_size = kLargePayloadSize}, rom.signer));
  Bytes endless = genuine;
  constexpr std::size_t kImageSizeAt = 12;
  std::fill_n(endless.begin() + kImageSizeAt, 4, std::uint8_t{0x3F});
  life.claim(endless, info_of(genuine));
  life.restart();
  return life.recording();
}

}  // namespace

Rom::Rom()
    : signer(crypto::P256Key::generate().value()),
      spare_signer(crypto::P256Key::generate().value()),
      stranger(crypto::P256Key::generate().value()) {
  keys.signers = {in_rom(signer), in_rom(spare_signer)};
}

sweep::Recording record_update(const Rom& rom) {
  Life life("update", rom);
  life.restart();
  life.update(image_of({.revision = 2, .counter = 2}, rom.signer));
  life.update(image_of({.revision = 3, .counter = 5}, rom.signer));
  life.restart();
  return life.recording();
}

sweep::Recording record_rejected(const Rom& rom) {
  Life life("rejected", rom);
  life.restart();
  life.receive(image_of({.revision = 2, .counter = 2}, rom.signer));
  life.restart();  // on trial
  life.restart();  // it has not accepted itself
  life.restart();
  life.receive(image_of({.revision = 3, .counter = 3}, rom.signer));
  life.restart();
  life.reject();
  life.restart();
  life.update(image_of({.revision = 4, .counter = 4}, rom.signer));
  return life.recording();
}

std::vector<sweep::Recording> record_histories(const Rom& rom) {
  std::vector<sweep::Recording> recordings;
  recordings.push_back(record_update(rom));
  recordings.push_back(record_rejected(rom));
  recordings.push_back(record_resumed(rom));
  recordings.push_back(record_hostile(rom));
  return recordings;
}

}  // namespace otasim::mutants
