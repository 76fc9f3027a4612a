// What a page, or somebody in its place, sends: any bytes are a message or none, and a message has what its
// kind needs. The same bytes as a Cookie header: what is found stands in it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/web/gate.h"
#include "sim/web/message.h"
#include "tests/fuzzing/claim.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otasim;
  using testing::claim;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = web::parse_message(text);
  if (message) {
    claim(size <= web::kMaxMessageBytes, "a message has its limit");
    if (const auto* command = std::get_if<web::CommandMessage>(&*message))
      claim(command->request.arguments.is_object(), "a command's arguments are an object");
    // What is passed on can be written again.
    if (const auto* command = std::get_if<web::CommandMessage>(&*message))
      (void)control::to_line(command->request.arguments);
  }
  (void)web::any_cookie(text, "otasim_1234", [&](std::string_view value) {
    claim(value.empty() || (value.data() >= text.data() && value.data() + value.size() <= text.data() + size),
          "a cookie's value lies in its header");
    return false;
  });
  return 0;
}
