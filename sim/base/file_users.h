// Who else works on a file: the processes that have it mapped into their memory.
//
// It is what can be told from /proc: processes of other users are not seen, nor one that will map the file a
// moment later.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace otasim {

struct FileUser {
  pid_t pid = 0;
  std::string name;  ///< of its program
};

/// The processes, this one apart, that have `path` mapped.
[[nodiscard]] std::vector<FileUser> processes_that_map(const std::string& path);

}  // namespace otasim
