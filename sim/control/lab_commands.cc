#include "sim/control/lab_commands.h"

#include <unistd.h>

namespace otasim::control {

void add_lab_commands(CommandTable& table, lab::RunningLab& lab, lab::Fleet& fleet) {
  table.add("lab.show", [&lab](Arguments& arguments, const ReplyPtr&) -> Answer {
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    return describe_lab(lab);
  });
  add_device_commands(table, lab, fleet);
  add_group_commands(table, lab.cloud());
  add_job_commands(table, lab.cloud());
}

nlohmann::json describe_lab(const lab::RunningLab& lab) {
  const lab::Lab& identities = lab.identities();
  return {{"folder", identities.folder()},    {"pid", ::getpid()},
          {"endpoint", lab::kEndpointHost},   {"mqtt_port", lab.mqtt_port()},
          {"object_port", lab.https_port()}, {"ca", identities.authority().certificate_path}};
}

}  // namespace otasim::control
