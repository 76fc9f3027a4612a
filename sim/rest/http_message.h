// What a request begins with, and what it is answered with, as handlers and sessions pass them on.
//
// Nothing in a request is trusted: names, values and the target are whatever bytes HTTP allows. A header that
// decides something is read with single(), which gives nothing for one that is given twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/unique_fd.h"

namespace otasim::rest {

/// Names and values, in order.
using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// Whether two names of header fields are the same: they know no case.
[[nodiscard]] bool same_field(std::string_view a, std::string_view b);

/// When a certificate holds, in seconds since 1970, both ends included.
struct CertificateValidity {
  std::int64_t from = 0;
  std::int64_t until = -1;  ///< none: never

  [[nodiscard]] bool holds_at(std::int64_t now) const { return from <= now && now <= until; }
};

struct HttpRequestHead {
  std::string method = {};
  std::string target = {};                   ///< as it came
  HeaderFields headers = {};                 ///< in order, those of one name together
  std::string peer = {};                     ///< address and port of the connection's other end
  std::string client_certificate = {};       ///< SHA-256 of its DER in lower-case hex; empty if there is none
  CertificateValidity client_validity = {};  ///< the client certificate's
  bool has_body = false;                     ///< one byte at least follows
  std::optional<std::uint64_t> content_length = {};  ///< nothing: chunked, or no body
  std::int64_t received_at = 0;                      ///< steady, in nanoseconds: when the header was complete

  /// How often a header is given.
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// The value of a header that is given exactly once; otherwise nothing is.
  [[nodiscard]] std::optional<std::string_view> single(std::string_view name) const;
  /// The same, with an empty text for nothing.
  [[nodiscard]] std::string text(std::string_view name) const;
};

/// A part of a file as an answer's body.
struct FilePiece {
  UniqueFd file = {};
  std::int64_t first_byte = 0;
  std::int64_t length = 0;
};

/// What goes wrong on purpose with one answer. Positions count bytes of the body that is sent.
struct TransferFaults {
  /// Ends the answer early.
  struct Cut {
    std::int64_t at = 0;  ///< bytes sent before; negative: not even the header
    bool reset = false;   ///< by RST, else in order
  };
  std::chrono::milliseconds delay{0};           ///< the answer begins later
  std::int64_t bytes_per_second = 0;            ///< 0: as fast as the client reads
  std::optional<Cut> cut = {};                  ///< the connection ends there
  std::optional<std::int64_t> corrupt_at = {};  ///< this byte is inverted
};

struct HttpResponse {
  int status = 200;
  HeaderFields headers = {};  ///< without Content-Length and Connection; values have no line breaks
  std::string body = {};      ///< unless there is a piece of a file
  std::optional<FilePiece> piece = {};
  bool head_only = false;         ///< Content-Length tells of the body, which is not sent; so with any HEAD
  bool close_connection = false;  ///< after this answer
  TransferFaults faults = {};
  /// Called once the answer is over, unless the server's end cuts it off. `bytes` of the body were handed to
  /// the connection; `failure` tells why it is not whole, empty if it is, or was cut by a fault.
  std::function<void(std::int64_t bytes, const std::string& failure)> on_sent = {};

  [[nodiscard]] std::int64_t content_length() const;
  /// How much is sent, apart from faults.
  [[nodiscard]] std::int64_t body_length() const { return head_only ? 0 : content_length(); }
};

/// `Not Found` for 404; empty for a status that HTTP does not know.
[[nodiscard]] std::string_view reason_phrase(int status);

/// The status line, the fields and the empty line.
[[nodiscard]] std::string render_head(int status, const HeaderFields& fields);

}  // namespace otasim::rest
