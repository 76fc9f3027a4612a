// Stores into devices that belong to the secure world alone (boards with TrustZone).
//
// QEMU's debugger reaches devices by physical addresses, but those behind a processor's own security controls
// have none. So the processor makes the stores itself: it is stepped through the gateway into the secure
// world, over a store instruction that it finds in the ROM there, once for each word, and back. Then it has
// the registers that it had. Interrupts wait meanwhile, as at any step of the debugger's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/device/cmsdk_watchdog.h"

namespace otasim::device {

class SecureStores : public std::enable_shared_from_this<SecureStores> {
 public:
  struct Word {
    std::uint32_t address = 0;
    std::uint32_t value = 0;
  };
  /// What a debugger can do while the processor stands still.
  struct Tools {
    std::function<void(std::string question, std::function<void(std::string_view answer)>)> ask;
    /// Runs one instruction.
    std::function<void(std::function<void()> then)> step;
    std::function<void(std::string what)> fail;
  };

  SecureStores(Tools tools, SecureWorld world, std::vector<Word> words)
      : tools_(std::move(tools)), world_(world), words_(words.begin(), words.end()) {}

  /// Call once, the object being shared. `then` is called when all is as it was but for the stores.
  void run(std::function<void()> then);

 private:
  using Next = std::function<void()>;

  void save_registers(std::size_t n);
  void enter();
  void find_instructions(std::uint32_t offset);
  void look_through(std::string_view memory, std::uint32_t address);
  void store_next();
  void leave();
  void restore_registers(std::size_t n);
  void set_register(unsigned number, std::uint32_t value, Next then);
  void step_from(std::uint32_t address, Next then);
  [[nodiscard]] std::uint32_t saved(unsigned number) const;
  [[nodiscard]] bool was_secure() const;

  Tools tools_;
  SecureWorld world_;
  std::deque<Word> words_;
  Next then_;
  std::vector<std::uint32_t> saved_;
  std::uint32_t store_instruction_ = 0;
  std::uint32_t return_instruction_ = 0;
};

}  // namespace otasim::device
