#include "sim/debug/gdb_script.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/install_root.h"
#include "sim/base/json.h"

namespace otasim::debug {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// As one word of GDB's command language, and as a literal of Python's.
std::string in_quotes(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

Result<json> existing_configuration(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return json{{"version", "0.2.0"}, {"configurations", json::array()}};
  const auto bytes = read_file(path.string());
  if (!bytes) return tl::unexpected(bytes.error());
  json file = json::parse(bytes->begin(), bytes->end(), nullptr, false);
  if (file.is_object() && file.value("configurations", json::array()).is_array()) return file;
  return fail(ExitCode::kUsage,
              fmt::format("{} is not plain JSON with a list of configurations", path.string()),
              "Its comments would be lost. Give another folder with --vscode=FOLDER.");
}

}  // namespace

Result<GdbSetUp> installed_set_up() {
  const auto program = running_program();
  if (!program) return tl::unexpected(program.error());
  const auto root = install_root();
  if (!root) return tl::unexpected(root.error());
  GdbSetUp set_up;
  set_up.extension = (*root / "gdb" / "otasim_gdb.py").string();
  set_up.program = program->string();
  // Programs name their sources relative to the folders that they were built in.
  std::error_code error;
  for (fs::directory_iterator entry(*root / "firmware", error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) set_up.source_folders.push_back(entry->path().string());
  }
  return set_up;
}

std::string set_up_script(const GdbSetUp& set_up) {
  std::string text =
      "# Made by otasim.\n"
      "set pagination off\n"
      "set confirm off\n"
      "set remotetimeout 60\n"
      "set print pretty on\n"
      "set auto-load no\n";  // programs are data: nothing in them is run here
  for (const std::string& folder : set_up.source_folders)
    text += fmt::format("directory {}\n", in_quotes(folder));
  text += fmt::format("file {}\n", in_quotes(set_up.bootloader));
  for (const std::string& elf : set_up.symbols) text += fmt::format("add-symbol-file {}\n", in_quotes(elf));
  text += fmt::format("source {}\n", set_up.extension);
  text += fmt::format("python otasim_begin(program={}, flash={}, application={}, is_live={})\n",
                      in_quotes(set_up.program), in_quotes(set_up.flash), in_quotes(set_up.application),
                      set_up.is_live ? "True" : "False");
  return text;
}

std::string attach_script(const std::string& set_up_path, const std::string& address, bool goes_on) {
  return fmt::format("source {}\ntarget remote {}\n{}", set_up_path, address, goes_on ? "continue\n" : "");
}

Result<std::string> write_launch_configuration(const std::string& folder, const std::string& name,
                                               const std::string& program, const std::string& set_up_path,
                                               const std::string& address) {
  const fs::path path = fs::absolute(folder) / ".vscode" / "launch.json";
  auto file = existing_configuration(path);
  if (!file) return tl::unexpected(file.error());
  const json configuration{
      {"name", name},
      {"type", "cppdbg"},
      {"request", "launch"},
      {"program", program},
      {"cwd", "${workspaceFolder}"},
      {"MIMode", "gdb"},
      {"miDebuggerPath", "gdb-multiarch"},
      {"miDebuggerServerAddress", address},
      {"stopAtConnect", true},
      {"setupCommands",
       json::array({{{"text", fmt::format("source {}", set_up_path)}, {"description", "otasim"}}})}};
  json& configurations = (*file)["configurations"];
  for (std::size_t i = configurations.size(); i-- > 0;) {
    if (configurations[i].is_object() && configurations[i].value("name", json()) == json(name))
      configurations.erase(i);
  }
  configurations.push_back(configuration);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error)
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot make {}: {}", path.parent_path().string(), error.message()));
  if (auto written = write_file_atomic(path.string(), file->dump(2) + "\n"); !written)
    return tl::unexpected(written.error());
  return path.string();
}

}  // namespace otasim::debug
