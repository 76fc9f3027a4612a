#include "sim/control/lab_commands.h"

#include <unistd.h>

#include "sim/cloud/arn.h"
#include "sim/lab/aws_profile.h"

namespace otasim::control {

void add_lab_commands(CommandTable& table, lab::RunningLab& lab, lab::Fleet& fleet) {
  table.add("lab.show", [&lab, &fleet](Arguments& arguments, const ReplyPtr&) -> Answer {
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    return describe_lab(lab, fleet);
  });
  add_device_commands(table, lab, fleet);
  add_group_commands(table, lab.cloud());
  add_job_commands(table, lab.cloud(), fleet);
  add_fault_commands(table, fleet);
}

nlohmann::json describe_lab(lab::RunningLab& lab, const lab::Fleet& fleet) {
  const lab::Lab& identities = lab.identities();
  std::int64_t connected = 0;
  const auto devices = fleet.names();
  for (const std::string& name : devices) connected += lab.is_connected(name) ? 1 : 0;
  const std::string endpoint = lab::aws_endpoint(lab.host(), lab.https_port());
  return {{"folder", identities.folder()},
          {"pid", ::getpid()},
          {"endpoint", lab.host()},
          {"aws_endpoint", endpoint},
          {"account", cloud::kAccount},
          {"region", cloud::kRegion},
          {"access_key_id", identities.access_key().id},
          {"credentials", identities.folder() + "/credentials.json"},
          {"environment", identities.folder() + "/env.sh"},
          {"mqtt_port", lab.mqtt_port()},
          {"https_port", lab.https_port()},
          {"jobs_port", lab.jobs_port()},
          {"alpn_port", lab.alpn_port()},
          {"ca", identities.authority().certificate_path},
          {"console_certificate", identities.folder() + "/console.cert.pem"},
          {"console_key", identities.folder() + "/console.key.pem"},
          {"devices", devices.size()},
          {"devices_connected", connected}};
}

}  // namespace otasim::control
