// What a running lab does when it is told to: the commands of the control protocol, over fleet and cloud.
//
//   CommandTable table;
//   add_lab_commands(table, lab, fleet);
//   Server::listen(io, path, [&](const Request& r, const ReplyPtr& reply) { table.handle(r, reply); });
//
// Files are named by path and must be regular ones; all else comes in the arguments. `docs/lab.md` lists the
// commands, their arguments and results.
#pragma once

#include "sim/base/json.h"
#include "sim/control/command_table.h"
#include "sim/lab/fleet.h"
#include "sim/lab/running_lab.h"

namespace otasim::control {

/// All of them. Lab and fleet must outlive the table.
void add_lab_commands(CommandTable& table, lab::RunningLab& lab, lab::Fleet& fleet);

void add_device_commands(CommandTable& table, lab::RunningLab& lab, lab::Fleet& fleet);
void add_group_commands(CommandTable& table, cloud::Cloud& cloud);
void add_job_commands(CommandTable& table, cloud::Cloud& cloud, lab::Fleet& fleet);
void add_fault_commands(CommandTable& table, lab::Fleet& fleet);

/// What people and programs need to know of the lab: endpoints, ports, files, and how many devices it has.
[[nodiscard]] nlohmann::json describe_lab(lab::RunningLab& lab, const lab::Fleet& fleet);

}  // namespace otasim::control
