// Requests signed as AWS's clients sign them, for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/rest/request_signature.h"

namespace otasim::rest::test {

struct Signer {
  std::string access_key_id = "AKIDEXAMPLE";
  std::string secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  std::string region = "us-east-1";
  std::string service = "iot";
  std::string date = "20150830T123600Z";

  /// Signs all headers that are there, in the Authorization header.
  /// @param payload_hash  empty: that of no body
  void sign(HttpRequestHead& head, std::string_view payload_hash = {}) const;
  /// Signs all headers that are there, in the query.
  /// @param expires_in  seconds, as X-Amz-Expires says them; nothing: it does not say
  void presign(HttpRequestHead& head, std::string_view payload_hash,
               const std::optional<std::string>& expires_in) const;
};

[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace otasim::rest::test
