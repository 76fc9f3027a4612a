// MMUART: a 16550's registers, four bytes apart (UG0331, "MMUART peripherals"). Transmitter only, polled.
#pragma once

#include <cstdint>
#include <string_view>

namespace emcraft_sf2 {

/// Eight bits, no parity, one stop bit.
/// @param base  kUart0 or kUart1
void mmuart_init(std::uint32_t base);

/// Writes `text`, "\n" as it is. Each byte waits for the transmitter, a bounded time.
/// @returns false if the transmitter does not take a byte; the rest is not sent
bool mmuart_write(std::uint32_t base, std::string_view text);

}  // namespace emcraft_sf2
