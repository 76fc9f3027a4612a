#include "sim/report/event_names.h"

#include <array>

namespace otasim::report {
namespace {

using namespace std::string_view_literals;

constexpr std::array kNames{
    "lab.ports"sv,
    "run.step"sv,
    "run.do"sv,
    "run.fault"sv,
    "run.fault_over"sv,
    "run.fault_failed"sv,
    "run.failed"sv,
    "run.clean_boot"sv,
    "run.verdict"sv,
    "device.power_on"sv,
    "device.reset"sv,
    "device.power_off"sv,
    "device.exit"sv,
    "device.fault"sv,
    "device.watchdog_line_ignored"sv,
    "uart.line"sv,
    "boot.reset"sv,
    "boot.control"sv,
    "boot.verify"sv,
    "boot.start"sv,
    "boot.commit"sv,
    "boot.reject"sv,
    "boot.refused"sv,
    "boot.failure"sv,
    "boot.halt"sv,
    "flash.fault"sv,
    "flash.strikes_lost"sv,
    "flash.direct_store"sv,
    "flash.write_refused"sv,
    "flash.op_log_ended"sv,
    "link.dhcp_ack"sv,
    "link.dns_query"sv,
    "link.sntp_query"sv,
    "link.blocked"sv,
    "link.fault"sv,
    "link.fault_cleared"sv,
    "link.capture_ended"sv,
    "broker.client_connected"sv,
    "broker.client_disconnected"sv,
    "broker.client_refused"sv,
    "broker.client_denied"sv,
    "broker.up"sv,
    "broker.fault"sv,
    "cloud.job_created"sv,
    "cloud.job_execution"sv,
    "cloud.mqtt_request"sv,
    "cloud.mqtt_answer"sv,
    "cloud.mqtt_message"sv,
    "cloud.stream_request"sv,
    "cloud.object_request"sv,
    "cloud.api_request"sv,
    "cloud.update_refused"sv,
    "cloud.fault"sv,
};

}  // namespace

std::span<const std::string_view> event_names() {
  return kNames;
}

}  // namespace otasim::report
