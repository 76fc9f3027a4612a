// The examples below every command's help: lines that can be pasted. RUN stands for a run's folder.
//
// tests/sim/cli/command_line_test.cc fails for a command without examples, and for one that does not parse.
#include <fmt/format.h>

#include <span>
#include <stdexcept>
#include <string_view>

#include "sim/cli/command_line.h"

namespace otasim::cli {
namespace {

struct CommandExamples {
  const char* path;
  std::initializer_list<const char*> lines;
};

const CommandExamples kExamples[] = {
    {"demo",
     {"otasim demo", "otasim demo --board mps2-an505 --protocol http",
      "otasim demo --elf app.elf --to 1.2.0 --json"}},
    {"image sign",
     {"otasim image sign --elf app.elf --version 1.2.0 --out app-1.2.0.img",
      "otasim image sign --bin app.bin --board emcraft-sf2 --version 2.0.0 --security-counter 3 --encrypt "
      "--out app.img"}},
    {"image info", {"otasim image info app-1.2.0.img"}},
    {"image verify",
     {"otasim image verify app-1.2.0.img", "otasim image verify app-1.2.0.img --key public.pem --json"}},
    {"flash show", {"otasim flash show RUN", "otasim flash show otasim-lab/devices/thing-1 --json"}},
    {"flash diff", {"otasim flash diff RUN/devices/thing-1/factory.bin RUN/devices/thing-1/flash.bin"}},
    {"flash dump",
     {"otasim flash dump RUN --partition boot-control-0 --length 256",
      "otasim flash dump flash.bin --partition slot-a --out slot-a.bin"}},
    {"flash at", {"otasim flash at 123 RUN", "otasim flash at RUN 123 --out at-123.bin"}},
    {"flash corrupt",
     {"otasim flash corrupt flash.bin --partition slot-a --rot 3 --seed 7",
      "otasim flash corrupt flash.bin --partition boot-control-1 --length 256 --destroy zeros"}},
    {"pal-test", {"otasim pal-test", "otasim pal-test --board emcraft-sf2 --junit pal.xml"}},
    {"run",
     {"otasim run OTAE2EDisconnectResume", "otasim run my-case.jsonc --board mps2-an505 --data http",
      "otasim run OTAE2EGreaterVersion --fault link.loss,probability=0.05 --seed 7",
      "otasim run OTAE2EGreaterVersion --junit results.xml --json",
      "otasim run OTAE2EGreaterVersion --keylog"}},
    {"matrix",
     {"otasim matrix --class aws",
      "otasim matrix --boards mps2-an385,emcraft-sf2 --no-slow --junit results.xml",
      "otasim matrix --shard 1/4 --out matrix-1"}},
    {"sweep power-cut",
     {"otasim sweep power-cut", "otasim sweep power-cut --board native --cuts 2",
      "otasim sweep power-cut --recording RUN --complete"}},
    {"report build", {"otasim report build RUN", "otasim report build RUN --out page.html"}},
    {"report open", {"otasim report open RUN"}},
    {"report capture",
     {"otasim report capture RUN", "otasim report capture RUN --device thing-1 --out thing-1.pcapng"}},
    {"report trace", {"otasim report trace RUN"}},
    {"events",
     {"otasim events RUN", "otasim events RUN --source cloud,boot --device thing-1",
      "otasim events otasim-lab --follow --json"}},
    {"debug",
     {"otasim debug OTAE2EGreaterVersion", "otasim debug OTAE2EImageCrashed --at boot.start:slot=B",
      "otasim debug OTAE2EGreaterVersion --at op:12 --board mps2-an505",
      "otasim debug my-case.jsonc --vscode"}},
    {"scenario list", {"otasim scenario list", "otasim scenario list --json"}},
    {"scenario check", {"otasim scenario check my-case.jsonc"}},
    {"scenario new", {"otasim scenario new my-case.jsonc"}},
    {"scenario schema", {"otasim scenario schema"}},
    {"up", {"otasim up", "otasim up --lab my-lab --mqtt-port 8883", "otasim up --detach --web"}},
    {"status", {"otasim status", "otasim status --lab my-lab --json"}},
    {"web", {"otasim web", "otasim web --lab my-lab"}},
    {"down", {"otasim down", "otasim down --lab my-lab"}},
    {"device add",
     {"otasim device add thing-1",
      "otasim device add thing-2 --board emcraft-sf2 --version 0.9.0 --group plant"}},
    {"device list", {"otasim device list", "otasim device list --json"}},
    {"device start", {"otasim device start thing-1"}},
    {"device stop", {"otasim device stop thing-1"}},
    {"device cut", {"otasim device cut thing-1"}},
    {"device reset", {"otasim device reset thing-1"}},
    {"device console", {"otasim device console thing-1", "otasim device console thing-1 --follow"}},
    {"device reprovision", {"otasim device reprovision thing-1"}},
    {"device remove", {"otasim device remove thing-1"}},
    {"group create", {"otasim group create plant", "otasim group create hall-1 --parent plant"}},
    {"group list", {"otasim group list", "otasim group list --json"}},
    {"group add", {"otasim group add plant thing-1 thing-2"}},
    {"group remove", {"otasim group remove plant thing-1"}},
    {"group delete", {"otasim group delete plant"}},
    {"job create",
     {"otasim job create u1 --version 1.1.0 --target thing-1",
      "otasim job create u2 --elf app.elf --version 1.2.0 --target group:plant --continuous --protocol HTTP",
      "otasim job create u3 --version 1.1.0 --variant crash --target thing-1"}},
    {"job list", {"otasim job list", "otasim job list --status IN_PROGRESS"}},
    {"job show", {"otasim job show AFR_OTA-u1"}},
    {"job watch", {"otasim job watch AFR_OTA-u1"}},
    {"job cancel", {"otasim job cancel AFR_OTA-u1", "otasim job cancel AFR_OTA-u1 --force"}},
    {"job delete", {"otasim job delete AFR_OTA-u1", "otasim job delete AFR_OTA-u1 --force"}},
    {"boot",
     {"otasim boot --until connected --limit 60",
      "otasim boot --board mps2-an500 --app app.elf --version 1.2.0",
      "otasim boot --bootloader my-bootloader.elf --image app.img"}},
    {"boards", {"otasim boards", "otasim boards --json"}},
    {"record",
     {"otasim record demo", "otasim record PowerCutDuringDownload --out cut.svg",
      "otasim record --run RUN --speed 2 --idle-limit 0.5 --out fast.cast",
      "otasim record demo --width 80 --height 24 --out gif-ready"}},
    {"replay",
     {"otasim replay RUN", "otasim replay RUN --boot 2 --gdb",
      "otasim replay RUN --gdb --ex 'break boot::start' --ex continue --ex reverse-stepi"}},
    {"explain",
     {"otasim explain 'rejected: 0x00000010'", "otasim explain OtaPalSignatureCheckFailed",
      "otasim explain 'boot: reject slot=B reason=trial-failed back-to=A'",
      "otasim explain --topic image-verdict", "otasim explain --run RUN"}},
    {"doctor", {"otasim doctor", "otasim doctor --json"}},
    {"completion", {"otasim completion bash > ~/.local/share/bash-completion/completions/otasim"}},
    {"man", {"otasim man | man -l -", "otasim man --markdown"}},
};

CLI::App* find_command(CLI::App& app, std::string_view path) {
  CLI::App* at = &app;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(' '), path.size());
    at = at->get_subcommand(std::string(path.substr(0, end)));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return at;
}

}  // namespace

void add_all_examples(CLI::App& app) {
  for (const CommandExamples& one : kExamples) examples(find_command(app, one.path), one.lines);
}

}  // namespace otasim::cli
