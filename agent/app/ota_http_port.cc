#include "agent/app/ota_http_port.h"

#include <cstring>

#include "agent/app/console.h"

namespace app::ota_http_port {
namespace {

/// The C interface carries no context; bind() names the client it means.
http::Client* bound_client = nullptr;

OtaHttpStatus_t init(char* url) {
  if (url == nullptr) return OtaHttpInitFailed;
  const UrlStatus status = bound_client->begin({url, strnlen(url, kMaxUrlLength + 1)});
  if (status == UrlStatus::kOk) return OtaHttpSuccess;
  console::log("http: the job's URL cannot be used: ", to_string(status));
  return OtaHttpInitFailed;
}

OtaHttpStatus_t request(std::uint32_t first, std::uint32_t last) {
  return bound_client->request(first, last) ? OtaHttpSuccess : OtaHttpRequestFailed;
}

OtaHttpStatus_t deinit() {
  bound_client->end();
  return OtaHttpSuccess;
}

}  // namespace

OtaHttpInterface_t bind(http::Client& client) {
  bound_client = &client;
  return {init, request, deinit};
}

}  // namespace app::ota_http_port
