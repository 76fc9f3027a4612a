#include "sim/device/secure_stores.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "sim/device/gdb_packet.h"

namespace otasim::device {
namespace {

// GDB's numbers of a Cortex-M's registers.
constexpr unsigned kR0 = 0;
constexpr unsigned kR1 = 1;
constexpr unsigned kLinkRegister = 14;
constexpr unsigned kProgramCounter = 15;
constexpr unsigned kProgramStatus = 25;
/// The status last: with what it says about blocks of conditional instructions nothing may run.
constexpr std::array kSaved{kR0, kR1, kLinkRegister, kProgramCounter, kProgramStatus};

constexpr std::uint32_t kThumb = 1U << 24;
constexpr std::uint32_t kConditionalBlock = 0x0600'FC00;

// Thumb instructions.
constexpr unsigned kStoreR0ToR1 = 0x6008;    // str r0, [r1]
constexpr unsigned kReturnToOther = 0x4774;  // bxns lr

/// QEMU answers with as many bytes at most.
constexpr std::uint32_t kChunk = 0x400;

}  // namespace

void SecureStores::run(Next then) {
  then_ = std::move(then);
  save_registers(0);
}

std::uint32_t SecureStores::saved(unsigned number) const {
  return saved_[static_cast<std::size_t>(std::ranges::find(kSaved, number) - kSaved.begin())];
}

bool SecureStores::was_secure() const {
  const std::uint32_t pc = saved(kProgramCounter);
  return pc >= world_.rom_address && pc - world_.rom_address < world_.rom_size;
}

void SecureStores::save_registers(std::size_t n) {
  if (n == kSaved.size()) return enter();
  tools_.ask(fmt::format("p{:x}", kSaved[n]), [self = shared_from_this(), n](std::string_view answer) {
    const auto value = gdb_word_value(answer);
    if (!value) return self->tools_.fail(fmt::format("'{}' is no register's value", answer));
    self->saved_.push_back(*value);
    self->save_registers(n + 1);
  });
}

void SecureStores::enter() {
  const std::uint32_t status = (saved(kProgramStatus) & ~kConditionalBlock) | kThumb;
  set_register(kProgramStatus, status, [self = shared_from_this()] {
    if (self->was_secure()) return self->find_instructions(0);
    self->step_from(self->world_.gateway_address, [self] { self->find_instructions(0); });
  });
}

/// Only from inside the secure world its memory is seen.
void SecureStores::find_instructions(std::uint32_t offset) {
  if (store_instruction_ != 0 && return_instruction_ != 0) return store_next();
  if (offset >= world_.rom_size) return tools_.fail("the secure world's code was not found");
  const std::uint32_t address = world_.rom_address + offset;
  tools_.ask(fmt::format("m{:x},{:x}", address, kChunk),
             [self = shared_from_this(), address, offset](std::string_view answer) {
               self->look_through(answer, address);
               self->find_instructions(offset + kChunk);
             });
}

void SecureStores::look_through(std::string_view memory, std::uint32_t address) {
  constexpr std::size_t kDigits = 4;  // of a halfword, its low byte first
  for (std::size_t at = 0; at + kDigits <= memory.size(); at += kDigits) {
    unsigned swapped = 0;
    std::from_chars(memory.data() + at, memory.data() + at + kDigits, swapped, 16);
    const unsigned halfword = (swapped >> 8) | ((swapped & 0xFFU) << 8);
    const auto place = address + static_cast<std::uint32_t>(at / 2);
    if (halfword == kStoreR0ToR1) store_instruction_ = place;
    if (halfword == kReturnToOther) return_instruction_ = place;
  }
}

void SecureStores::store_next() {
  if (words_.empty()) return leave();
  const Word word = words_.front();
  words_.pop_front();
  const auto self = shared_from_this();
  set_register(kR0, word.value, [self, word] {
    self->set_register(kR1, word.address,
                       [self] { self->step_from(self->store_instruction_, [self] { self->store_next(); }); });
  });
}

void SecureStores::leave() {
  if (was_secure()) return restore_registers(0);
  const auto self = shared_from_this();
  set_register(kLinkRegister, saved(kProgramCounter) & ~1U, [self] {
    self->step_from(self->return_instruction_, [self] { self->restore_registers(0); });
  });
}

void SecureStores::restore_registers(std::size_t n) {
  if (n == kSaved.size()) return then_();
  set_register(kSaved[n], saved_[n], [self = shared_from_this(), n] { self->restore_registers(n + 1); });
}

void SecureStores::set_register(unsigned number, std::uint32_t value, Next then) {
  tools_.ask(fmt::format("P{:x}={}", number, gdb_word(value)),
             [then = std::move(then)](std::string_view) { then(); });
}

void SecureStores::step_from(std::uint32_t address, Next then) {
  set_register(kProgramCounter, address, [self = shared_from_this(), then = std::move(then)]() mutable {
    self->tools_.step(std::move(then));
  });
}

}  // namespace otasim::device
