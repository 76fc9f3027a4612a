#include <gtest/gtest.h>

#include "tests/qemu_boards/probe_device.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "agent/boot/boot_control.h"
#include "agent/boot/image.h"
#include "agent/boot/slots.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/base/file_io.h"
#include "sim/image/elf.h"

namespace otasim::test {
namespace {

/// More than a trial's deadline: a watchdog outside the board counts the host's time.
constexpr std::chrono::seconds kLimit{150};
boot::image::LoadRegion load_region() {
  return {board_under_test().load_address, flash::kSlotSize};
}

template <typename T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

/// Runs `work` on a part with the file's content, and puts back what became of it.
template <typename Work>
void with_part(const flash_file::FlashFile& file, Work work) {
  const std::span<std::uint8_t> window = file.bytes();
  native::NativeFlash part(1, file.part());
  std::ranges::copy(window, part.window().begin());
  part.model().reset();
  work(part);
  std::ranges::copy(part.window(), window.begin());
}

void append(boot::BootControl& control, const std::optional<boot::BootState>& next) {
  if (!next || control.append(*next) != flash::Status::kOk) throw std::runtime_error("boot control refuses");
}

}  // namespace

ProbeDevice::ProbeDevice(PreviousImage previous_image)
    : products_(need(lab::BuildProducts::find(board_name()))) {
  std::string elf_path = products_.application_elf;
  elf_path.replace(elf_path.rfind("demo-"), 5, "probe-");
  std::string& bootloader = products_.bootloader_elf;
  if (previous_image == PreviousImage::kKept) bootloader.insert(bootloader.rfind(board_name()), "keep-");
  payload_ = need(image::payload_from_elf(need(read_file(elf_path)),
                                          load_region().address + boot::image::kDefaultHeaderSize,
                                          flash::kSlotSize - boot::image::kDefaultHeaderSize));
  signer_ = need(crypto::P256Key::load_private(need(lab::build_key(lab::kBootSigningKey))));
  spare_signer_ = need(crypto::P256Key::load_private(need(lab::build_key(lab::kBootSpareKey))));
  encryption_key_ = need(crypto::P256Key::load_private(need(lab::build_key(lab::kImageEncryptionKey))));
  flash_ = need(flash_file::FlashFile::create(folder_.file("flash.bin"),
                                              flash_file::part_of(board_under_test().flash)));
  write(boot::Slot::kA, make({}));
}

Bytes ProbeDevice::make(const ProbeImage& what) const {
  Bytes payload = payload_;
  const auto marker = std::ranges::search(payload, probe::kTaskMarker).begin();
  if (payload.end() - marker < static_cast<std::ptrdiff_t>(sizeof(probe::TaskWord)))
    throw std::runtime_error("the probe has no task word");
  std::memcpy(&*marker + offsetof(probe::TaskWord, task), &what.task, sizeof(what.task));
  const crypto::P256Key& key =
      what.stranger != nullptr ? *what.stranger : (what.by_spare_signer ? *spare_signer_ : *signer_);
  return need(image::sign(payload,
                          {.version = what.version,
                           .security_counter = what.security_counter,
                           .load_address = load_region().address,
                           .kind = what.kind,
                           .revoked_keys = what.revoked_keys,
                           .encrypt_to = what.is_encrypted ? &*encryption_key_ : nullptr},
                          key));
}

void ProbeDevice::write(boot::Slot slot, std::span<const std::uint8_t> image) {
  const auto partition = flash_->partition(*boot::slot_partition(slot));
  std::ranges::fill(partition, std::uint8_t{0xFF});
  std::ranges::copy(image, partition.begin());
}

void ProbeDevice::begin_receive(boot::Slot slot) {
  with_part(*flash_, [slot](native::NativeFlash& part) {
    boot::BootControl control(part);
    if (control.load() != flash::Status::kOk) throw std::runtime_error("boot control cannot be read");
    append(control, boot::begin_receive(control.state(), "job-1", slot));
  });
}

void ProbeDevice::stage(std::span<const std::uint8_t> image) {
  begin_receive(boot::Slot::kB);
  write(boot::Slot::kB, image);
  with_part(*flash_, [](native::NativeFlash& part) {
    boot::BootControl control(part);
    if (control.load() != flash::Status::kOk) throw std::runtime_error("boot control cannot be read");
    boot::image::Info info;
    if (boot::image::peek(part, boot::Slot::kB, load_region(), info) != boot::image::VerifyStatus::kOk)
      throw std::runtime_error("no image to stage");
    append(control, boot::mark_verified(control.state(), {.version = info.version,
                                                          .security_counter = info.security_counter,
                                                          .size = info.total_size,
                                                          .digest = info.digest,
                                                          .job_id = {}}));
  });
}

boot::BootState ProbeDevice::boot_state() const {
  boot::BootState state;
  with_part(*flash_, [&state](native::NativeFlash& part) {
    boot::BootControl control(part);
    if (control.load() == flash::Status::kOk) state = control.state();
  });
  return state;
}

void ProbeDevice::power_on(bool virtual_time, std::vector<std::string> more_arguments) {
  if (virtual_time) more_arguments.insert(more_arguments.end(), {"-icount", "shift=10,sleep=off"});
  lines_.clear();
  searched_ = 0;
  exit_message_.clear();
  device_.reset();
  board_flash_.emplace(board_under_test(), flash_file::FlashPartFiles{.window_path = flash_->path()},
                       lab::BoardFlash::Surroundings{.socket_folder = folder_.path(),
                                                     .plugin_path = products_.flash_plugin,
                                                     .events = events_.get(),
                                                     .io = &io_});
  if (const auto on = board_flash_->power_on(); !on) throw std::runtime_error(on.error().message);
  device_ = need(device::Device::create(io_, {.name = "probe",
                                              .board = board_name(),
                                              .bootloader_path = products_.bootloader_elf,
                                              .flash = board_flash_->attachment(),
                                              .watchdog = lab::watchdog_of(board_under_test()),
                                              .more_arguments = std::move(more_arguments),
                                              .uart_log_path = folder_.file("uart.log"),
                                              .run_folder = folder_.path(),
                                              .on_machine_reset =
                                                  [this] {
                                                    flash_->clear_volatile_state();
                                                    return Result<void>{};
                                                  },
                                              .events = events_.get()}));
  device_->on_console_line([this](std::string_view line) { lines_.emplace_back(line); });
  device_->on_exit(
      [this](const device::Exit& exit) { exit_message_ = exit.error.message + " " + exit.error.hint; });
  if (const auto on = device_->power_on(); !on) throw std::runtime_error(on.error().message);
}

void ProbeDevice::power_off() {
  device_->power_off();
  board_flash_->power_off();
}

testing::AssertionResult ProbeDevice::says(std::string_view text) {
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  for (;;) {
    for (; searched_ < lines_.size(); ++searched_) {
      if (lines_[searched_].find(text) == std::string::npos) continue;
      ++searched_;
      return testing::AssertionSuccess();
    }
    if (std::chrono::steady_clock::now() >= limit) break;
    io_.restart();
    io_.run_one_until(limit);
  }
  auto failure = testing::AssertionFailure() << "the device does not say \"" << text << "\"; it said\n";
  for (const std::string& line : lines_) failure << "  " << line << "\n";
  return failure;
}

std::string ProbeDevice::goes_off() {
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  while (exit_message_.empty() && std::chrono::steady_clock::now() < limit) {
    io_.restart();
    io_.run_one_until(limit);
  }
  return exit_message_;
}

bool ProbeDevice::has_said(std::string_view text) const {
  return std::ranges::any_of(
      lines_, [text](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace otasim::test
