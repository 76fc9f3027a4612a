# Writes OUT, a C++ file that holds the bytes of FILES (a comma between them), by their names:
#   cmake -DOUT=files.cc -DFILES=a.css,b.js -P EmbedFiles.cmake
# With -DHEADER=path and -DNAMESPACE=name for another folder's embedded_file().
if(NOT HEADER)
  set(HEADER sim/report/html/embedded_files.h)
  set(NAMESPACE otasim::report::html)
endif()
string(REPLACE "," ";" files "${FILES}")
set(arrays)
set(entries)
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER ${name} identifier)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND arrays "constexpr unsigned char ${identifier}[] = {${bytes}};\n")
  string(APPEND entries
    "  if (name == \"${name}\") return {reinterpret_cast<const char*>(${identifier}), sizeof(${identifier})};\n")
endforeach()
file(WRITE ${OUT} "// Made by EmbedFiles.cmake.
#include \"${HEADER}\"

namespace ${NAMESPACE} {
namespace {

${arrays}
}  // namespace

std::string_view embedded_file(std::string_view name) {
${entries}  return {};
}

}  // namespace ${NAMESPACE}
")
