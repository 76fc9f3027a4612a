// The first bytes of a connection to the port for all protocols: any bytes are read within their bounds, and
// what was not whole may become so, but what was refused stays refused.
#include <cstddef>
#include <cstdint>

#include "sim/rest/client_hello.h"
#include "tests/fuzzing/claim.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using otasim::testing::claim;
  const auto whole = otasim::rest::read_client_hello({data, size});
  const auto part = otasim::rest::read_client_hello({data, size / 2});
  claim(part.has_value() || !whole.has_value(), "more bytes do not make a broken hello whole");
  if (part && *part) {
    claim(whole && *whole && (*whole)->protocols == (*part)->protocols,
          "what follows a hello does not change it");
  }
  return 0;
}
