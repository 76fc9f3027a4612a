// The options that say how a device's agent transfers; `demo` and `device add` have them alike.
//
//   TransferOptions transfer;
//   transfer.add_to(command);
//   transfer.values()             // of those that were given, as sim/lab/transfer_settings reads them
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "sim/base/json.h"

namespace otasim::cli {

class TransferOptions {
 public:
  /// @param protocol_help  what `--protocol` means to the command
  void add_to(CLI::App* command, const char* protocol_help);

  [[nodiscard]] nlohmann::json values() const;
  [[nodiscard]] const std::optional<std::string>& protocol() const { return protocol_; }

 private:
  std::optional<std::string> protocol_;
  std::optional<std::uint32_t> block_size_;
  std::optional<std::uint32_t> blocks_in_flight_;
  std::optional<std::uint32_t> blocks_per_request_;
  std::optional<std::string> stream_format_;
  bool start_next_ = false;
};

}  // namespace otasim::cli
