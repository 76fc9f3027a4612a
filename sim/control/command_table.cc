#include "sim/control/command_table.h"

#include <fmt/format.h>

namespace otasim::control {

void CommandTable::handle(const Request& request, const ReplyPtr& reply) const {
  const auto found = commands_.find(request.command);
  if (found == commands_.end()) {
    return reply->error(
        {ExitCode::kUsage, fmt::format("the lab knows no command '{}'", request.command), {}});
  }
  Arguments arguments(request.arguments);
  Answer answer = found->second(arguments, reply);
  if (!answer) return reply->error(answer.error());
  if (*answer) reply->result(std::move(**answer));
}

}  // namespace otasim::control
