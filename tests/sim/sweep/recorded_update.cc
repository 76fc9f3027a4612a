#include "tests/sim/sweep/recorded_update.h"

#include <algorithm>

#include "agent/boot/local_update_service.h"
#include "pal_sim/flash/nor_model.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/flash/flash_history.h"
#include "sim/lab/factory.h"
#include "sim/lab/firmware.h"

namespace otasim::sweep {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::uint32_t kLoadSize = flash::kSlotSize;

/// The agent's side, over a copy of the machine's flash.
class Agent : public flash::OpObserver {
 public:
  Agent(std::span<const std::uint8_t> window, const flash::Geometry& part,
        std::vector<flash::LoggedOperation>& operations)
      : flash_(kSeed, part), operations_(operations) {
    std::ranges::copy(window, flash_.window().begin());
    flash::clear_volatile_state(flash_.window());
    flash_.model().set_observer(this);
  }

  void on_operation(const flash::Operation& operation) override {
    operations_.push_back({.sequence = operation.sequence,
                           .kind = operation.kind,
                           .offset = operation.offset,
                           .length = operation.length,
                           .applied = operation.applied,
                           .status = operation.status,
                           .data = {operation.data.begin(), operation.data.end()},
                           .source = operation.source,
                           .time_us = operation.time_us});
  }

  [[nodiscard]] bool receive(const Bytes& image, std::uint32_t load_address) {
    boot::LocalUpdateService service(flash_);
    if (service.start() != flash::Status::kOk) return false;
    if (!service.begin_receive("update-1", boot::Slot::kB).is_done()) return false;
    const std::uint32_t sector = flash_.geometry().sector_size;
    const auto size = static_cast<std::uint32_t>((image.size() + sector - 1) / sector * sector);
    if (flash::erase_range(flash_, flash::kSlotB.offset, size) != flash::Status::kOk) return false;
    if (flash::program_range(flash_, flash::kSlotB.offset, image) != flash::Status::kOk) return false;
    boot::image::Info info;
    const auto seen = boot::image::peek(flash_, boot::Slot::kB, {load_address, kLoadSize}, info);
    return seen == boot::image::VerifyStatus::kOk && service.finish(info).is_done();
  }
  [[nodiscard]] bool accept() {
    boot::LocalUpdateService service(flash_);
    return service.start() == flash::Status::kOk && service.accept().is_done();
  }

  [[nodiscard]] std::span<const std::uint8_t> window() { return flash_.window(); }

 private:
  native::NativeFlash flash_;
  std::vector<flash::LoggedOperation>& operations_;
};

}  // namespace

/// What leads from the factory to the end.
class RecordedUpdate::Recorder {
 public:
  Recorder(RecordedUpdate& update, BootMachine& machine, const lab::Board& board)
      : update_(update), machine_(machine), board_(board), part_(*flash::part_of(machine.window())) {}

  Result<void> boot() {
    update_.boots_begin_.push_back(update_.operations_.size());
    auto boot = machine_.boot(cells_, kSeed);
    if (!boot) return tl::unexpected(boot.error());
    update_.operations_.insert(update_.operations_.end(), boot->operations.begin(), boot->operations.end());
    update_.boots_.push_back(std::move(*boot));
    return {};
  }

  Result<void> receive(const Bytes& image) {
    return act("receive the image", [&](Agent& agent) { return agent.receive(image, board_.load_address); });
  }
  Result<void> accept() {
    return act("accept the image", [](Agent& agent) { return agent.accept(); });
  }

 private:
  template <typename Deed>
  Result<void> act(const char* what, Deed deed) {
    Agent agent(machine_.window(), part_, update_.operations_);
    const bool done = deed(agent);
    std::ranges::copy(agent.window(), machine_.window().begin());
    if (!done) return fail(ExitCode::kFailed, std::string("the agent's side cannot ") + what);
    return {};
  }

  RecordedUpdate& update_;
  BootMachine& machine_;
  const lab::Board& board_;
  flash::Geometry part_;
  flash::CellState cells_;
};

Result<RecordedUpdate> RecordedUpdate::record_trial(BootMachine& machine, const lab::Board& board,
                                                    const lab::BuildProducts& products,
                                                    const Bytes& new_image) {
  const auto old_image = lab::make_firmware({.version = "1.0.0"}, board, products);
  if (!old_image) return tl::unexpected(old_image.error());
  const auto recovery = lab::make_recovery_image(board, products);
  if (!recovery) return tl::unexpected(recovery.error());
  if (auto equipped = lab::equip(machine.window(), {}, {*old_image, *recovery}); !equipped)
    return tl::unexpected(equipped.error());

  RecordedUpdate update;
  update.factory_.assign(machine.window().begin(), machine.window().end());
  Recorder recorder(update, machine, board);
  Result<void> done = recorder.boot();
  if (done) done = recorder.receive(new_image);
  if (done) done = recorder.boot();
  if (!done) return tl::unexpected(done.error());
  return update;
}

Result<RecordedUpdate> RecordedUpdate::record(BootMachine& machine, const lab::Board& board,
                                              const lab::BuildProducts& products) {
  const auto image = lab::make_firmware({.version = "1.1.0", .security_counter = 2}, board, products);
  if (!image) return tl::unexpected(image.error());
  auto update = record_trial(machine, board, products, *image);
  if (!update) return update;
  Recorder recorder(*update, machine, board);
  Result<void> done = recorder.accept();
  if (done) done = recorder.boot();
  if (!done) return tl::unexpected(done.error());
  return update;
}

Flash RecordedUpdate::before(std::size_t operation) const {
  Flash flash{.window = factory_};
  for (const auto& done : std::span(operations_).first(operation)) {
    flash_file::apply_logged(done, flash.window);
    flash::write_register(flash.window, flash::controller::kRegSequence, done.sequence);
  }
  return flash;
}

Flash RecordedUpdate::cut(std::size_t operation, std::uint32_t bytes, std::uint32_t marginal_bytes) const {
  Flash flash = before(operation);
  flash::NorModel part(flash.window, kSeed, *flash::part_of(flash.window));
  part.cut_power_at({.operation = part.sequence() + 1, .bytes = bytes, .marginal_bytes = marginal_bytes});
  const flash::LoggedOperation& cut = operations_.at(operation);
  (void)part.execute({cut.kind, cut.offset, cut.length, cut.data});
  flash.cells = part.cell_state();
  return flash;
}

}  // namespace otasim::sweep
