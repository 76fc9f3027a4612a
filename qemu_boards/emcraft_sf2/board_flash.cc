// The board's flash part: the chip on SPI 0, with the device key as secret of its seed.
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/rom_trust.h"
#include "qemu_boards/emcraft_sf2/mss_spi.h"
#include "qemu_boards/emcraft_sf2/spi_nor_flash.h"

namespace board {

flash::FlashDriver& flash() {
  static emcraft_sf2::MssSpi bus;
  static emcraft_sf2::SpiNorFlash driver(bus, rom_trust().device_key);
  return driver;
}

}  // namespace board
