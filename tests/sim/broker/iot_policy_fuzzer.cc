// Policies: whatever document an operator gives, and whatever a client calls itself, is judged in bounded
// time and memory; a denial of everything denies.
//
// Input: a client id and a resource, one a line; the rest is the document.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/broker/iot_policy.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"

namespace {

using namespace otasim;
using otasim::testing::claim;

constexpr std::string_view kDenyAll =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string client_id{otasim::testing::take_line(rest)};
  const std::string resource{otasim::testing::take_line(rest)};
  const auto policy = broker::IotPolicy::parse(rest);
  if (!policy) {
    claim(!policy.error().empty(), "a refusal says why");
    return 0;
  }
  const std::array both{*policy, broker::IotPolicy::parse(kDenyAll).value()};
  for (const char* action :
       {"iot:Connect", "iot:Publish", "iot:Receive", "iot:Subscribe", "iot:RetainPublish"}) {
    const broker::PolicyContext nobody{client_id, ""};
    const broker::PolicyContext thing{client_id, client_id};
    for (const broker::PolicyContext& context : {nobody, thing}) {
      const bool allowed = broker::allows({&*policy, 1}, action, resource, context);
      claim(allowed == broker::allows({&*policy, 1}, action, resource, context), "the same twice");
      claim(!broker::allows(both, action, resource, context), "a denial outweighs");
    }
  }
  return 0;
}
