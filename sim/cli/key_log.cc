#include "sim/cli/key_log.h"

#include <fmt/format.h>

#include <cstdio>

#include "sim/report/capture/decode_options.h"
#include "sim/report/capture/link_capture.h"
#include "sim/scenario/library.h"

namespace otasim::cli {

std::string key_log_of(const std::string& folder) {
  return folder + '/' + report::capture::kKeyLogFile;
}

void tell_key_log(const std::string& folder) {
  const std::string options = report::capture::decode_options(folder);
  fmt::print(stderr,
             "otasim: the TLS secrets of this lab's ports are in {}; they open its captures, nothing else.\n"
             "  otasim report capture {} --out capture.pcapng\n"
             "  wireshark {} capture.pcapng\n",
             key_log_of(folder), scenario::shell_word(folder), options);
}

}  // namespace otasim::cli
