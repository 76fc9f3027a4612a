// The agent's HTTP interface over the application's client. No call waits: requests are queued, and their
// blocks arrive as events.
#pragma once

#include "agent/app/http_client.h"
#include "agent/include/ota_http_interface.h"

namespace app::ota_http_port {

/// `client` must outlive the agent. Call once.
[[nodiscard]] OtaHttpInterface_t bind(http::Client& client);

}  // namespace app::ota_http_port
