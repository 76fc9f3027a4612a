// The commands a server knows, by name.
//
//   CommandTable table;
//   table.add("device.cut", [&](Arguments& arguments, const ReplyPtr& reply) -> Answer { ... });
//   table.handle(request, reply);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/control/arguments.h"
#include "sim/control/protocol.h"
#include "sim/control/server.h"

namespace otasim::control {

using ReplyPtr = std::shared_ptr<Reply>;

/// A command's result; nothing, if it has kept the reply and answers by itself; or why it failed.
using Answer = Result<std::optional<nlohmann::json>>;

class CommandTable {
 public:
  using Command = std::function<Answer(Arguments& arguments, const ReplyPtr& reply)>;

  void add(std::string name, Command command) { commands_[std::move(name)] = std::move(command); }

  /// Runs the request's command and sends its answer; kUsage for one that is unknown.
  void handle(const Request& request, const ReplyPtr& reply) const;

 private:
  std::map<std::string, Command> commands_;
};

}  // namespace otasim::control
