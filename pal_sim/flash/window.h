// The flash window as bytes: the whole state of one part in 16 MiB (array, OTP bank, registers, page buffer).
//
// Whoever holds the bytes (a file mapping, a vector) makes them a blank part once with format_window(), and
// calls clear_volatile_state() at each power-on and reset: that is what a real controller's reset line does.
// Registers are little-endian in memory whatever the host is. Nothing here checks that a span is a window;
// callers pass kWindowSize bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "pal_sim/flash/controller_registers.h"
#include "pal_sim/flash/flash_map.h"

namespace flash {

using Window = std::span<std::uint8_t>;
using ConstWindow = std::span<const std::uint8_t>;

/// @param reg  offset from `kRegistersOffset`, a `controller::Register` or a word in its lock table
[[nodiscard]] std::uint32_t read_register(ConstWindow window, std::uint32_t reg);
void write_register(Window window, std::uint32_t reg, std::uint32_t value);

/// Makes a blank part of this kind: array and OTP read 0xFF, nothing is locked, no operation was ever
/// accepted.
void format_window(Window window, const Geometry& part = kControllerPart);

/// Which part the window is, by its registers.
/// @returns nothing if the size, the id or the version are not those of format_window(), or the geometry is
///          that of no part in kParts
[[nodiscard]] std::optional<Geometry> part_of(ConstWindow window);

/// Clears what a part loses at reset or power-on: locks, operands, status and the page buffer. The array, the
/// OTP bank and the operation count stay.
void clear_volatile_state(Window window);

/// Clears the locks only.
void clear_locks(Window window);

}  // namespace flash
