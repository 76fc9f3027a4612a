#include "tests/bench/bench_device.h"

#include "sim/lab/boards.h"
#include "sim/lab/lab_device.h"
#include "tests/bench/need.h"

namespace otasim::bench {

BenchDevice::BenchDevice(lab::RunningLab& lab, const lab::BuildProducts& products,
                         const BenchDeviceOptions& options)
    : folder_(need(TempDir::create())) {
  const lab::Board& board = *lab::find_board(options.board);
  const lab::Identity identity = need(lab::register_device(lab, options.settings.thing_name));
  const auto provisioning = need(lab::provisioning_blob(lab.identities(), identity, options.settings,
                                                        need(lab::load_device_key(products.device_key))));
  flash_ = need(flash_file::FlashFile::create(folder_.file("flash.bin"), flash_file::part_of(board.flash)));
  need(lab::equip(flash_->bytes(), provisioning, {.application = options.image}));

  std::vector<std::uint16_t> ports = lab.device_ports();
  ports.insert(ports.end(), options.more_ports.begin(), options.more_ports.end());
  link_ = need(link::Link::start({.folder = folder_.path().string(),
                                  .allowed_tcp_ports = ports,
                                  .host_names = {lab::kEndpointHost},
                                  .mac = options.settings.mac,
                                  .one_way_delay = options.one_way_delay}));
  board_flash_.emplace(
      board, flash_file::FlashPartFiles{.window_path = flash_->path(), .seed = options.settings.seed},
      lab::BoardFlash::Surroundings{.socket_folder = folder_.path().string(),
                                    .plugin_path = products.flash_plugin,
                                    .events = &lab.log(),
                                    .io = &lab.io()});
  device_ = need(device::Device::create(lab.io(), {.board = std::string(board.name),
                                                   .bootloader_path = products.bootloader_elf,
                                                   .flash = board_flash_->attachment(),
                                                   .watchdog = lab::watchdog_of(board),
                                                   .more_arguments = link_->qemu_arguments(board.nic_model),
                                                   .uart_log_path = folder_.file("uart.log"),
                                                   .run_folder = folder_.path().string(),
                                                   .on_machine_reset =
                                                       [this] {
                                                         flash_->clear_volatile_state();
                                                         return Result<void>{};
                                                       },
                                                   .events = &lab.log()}));
}

void BenchDevice::on_line(std::function<void(std::string_view)> handler) {
  device_->on_console_line(std::move(handler));
}

void BenchDevice::on_exit(std::function<void(const Error&)> handler) {
  device_->on_exit([handler = std::move(handler)](const device::Exit& exit) { handler(exit.error); });
}

void BenchDevice::power_on() {
  need(board_flash_->power_on());
  need(device_->power_on());
}

}  // namespace otasim::bench
