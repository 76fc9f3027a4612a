#include "sim/cli/key_log.h"

#include <fmt/format.h>

#include <cstdio>

#include "sim/report/capture/link_capture.h"
#include "sim/scenario/library.h"

namespace otasim::cli {

std::string key_log_of(const std::string& folder) {
  return folder + '/' + report::capture::kKeyLogFile;
}

void tell_key_log(const std::string& folder) {
  fmt::print(stderr,
             "otasim: --keylog: the TLS secrets of this lab's ports are in {}.\n"
             "  They open this lab's connections and nothing else. otasim report capture {} puts them and\n"
             "  the frames into one file for Wireshark.\n",
             key_log_of(folder), scenario::shell_word(folder));
}

}  // namespace otasim::cli
