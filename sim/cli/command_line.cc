#include "sim/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "agent/boot/key_revocation.h"
#include "sim/base/install_root.h"
#include "sim/base/result.h"
#include "sim/cli/command.h"
#include "sim/cli/completion.h"
#include "sim/cli/demo.h"
#include "sim/cli/image_commands.h"
#include "sim/cli/pal_test.h"
#include "sim/cli/variant_option.h"
#include "sim/lab/boards.h"

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok; 1 the update or a test failed; 2 wrong command line or input file; 3 something on "
    "this machine\n"
    "is missing or broke; 4 a bug in otasim; 130 interrupted.";

using otasim::cli::Command;

void add_demo(CLI::App& app, Command& command) {
  static otasim::cli::DemoOptions options;
  CLI::App* demo = app.add_subcommand("demo", "Boot a device, update it over the air, and show each step");
  demo->add_option("--board", options.board, "Board to run on")
      ->check(CLI::IsMember(otasim::lab::board_names()))
      ->capture_default_str();
  demo->add_option("--from", options.from, "Version the device starts with")->capture_default_str();
  demo->add_option("--to", options.to, "Version to update to")->capture_default_str();
  CLI::Option* image = demo->add_option("--image", options.image,
                                        "Update to this signed image instead of the demo application");
  CLI::Option* elf = demo->add_option("--elf", options.elf, "Sign this application as --to and update to it")
                         ->excludes(image);
  otasim::cli::add_variant_option(demo, options.variant)->excludes(image)->excludes(elf);
  options.transfer.add_to(demo, "How the update is offered and fetched (default: mqtt)");
  demo->add_option("--mqtt-port", options.mqtt_port, "Port for MQTT over TLS on 127.0.0.1; 0: any free one")
      ->capture_default_str();
  demo->add_option("--seed", options.seed, "Seed of the device's entropy")->capture_default_str();
  demo->add_flag("--no-recovery", options.no_recovery, "Leave the device's recovery slot empty");
  demo->add_option("--limit", options.limit_seconds, "Give up after this many seconds")
      ->check(CLI::Range(1U, 86400U))
      ->capture_default_str();
  demo->add_option("--out", options.out,
                   "Run folder to make (default: otasim-runs/TIME-Demo-BOARD-PROTOCOL)");
  demo->add_flag("--keylog", options.keylog,
                 "Log the lab's TLS secrets, so that the capture can be read (docs/trace.md)");
  demo->add_flag("--json", options.json, "Print one JSON object with the result on stdout");
  demo->add_flag("--quiet", options.quiet, "Show the result only");
  demo->callback([&command] { command = [] { return otasim::cli::demo(options); }; });
}

void add_image(CLI::App& app, Command& command) {
  static otasim::cli::ImageSignOptions sign;
  static otasim::cli::ImageReadOptions read;
  CLI::App* image = app.add_subcommand("image", "Make, read and check firmware images (MCUboot's format)");
  image->require_subcommand(1);

  CLI::App* sign_command = image->add_subcommand("sign", "Make a signed image from an application");
  CLI::Option* elf = sign_command->add_option("--elf", sign.elf, "Application as linked (ELF)");
  CLI::Option* bin =
      sign_command->add_option("--bin", sign.bin, "Application as raw bytes, vector table first");
  elf->excludes(bin);
  sign_command->add_option("--board", sign.board, "Board that the application is for")
      ->check(CLI::IsMember(otasim::lab::board_names()))
      ->capture_default_str();
  sign_command->add_option("--version", sign.version, "Its version: MAJOR.MINOR.REVISION[+BUILD]")
      ->required();
  sign_command->add_option("--security-counter", sign.security_counter, "Its security counter")
      ->capture_default_str();
  sign_command->add_option("--key", sign.key, "P-256 private key, PEM (default: the lab's)");
  sign_command->add_flag("--recovery", sign.is_recovery,
                         "Make a recovery image: it starts from the recovery slot only");
  sign_command
      ->add_option(
          "--revoke-key", sign.revoked_keys,
          "Number of a signer in the boot ROM that is revoked when this image is committed (repeatable)")
      ->check(CLI::Range(0U, boot::kMaxSigners - 1));
  sign_command->add_flag("--encrypt", sign.encrypt, "Encrypt the payload (ECIES-P256, AES-128-CTR)");
  sign_command
      ->add_option("--encryption-key", sign.encryption_key,
                   "P-256 public or private key to encrypt to, PEM (default: the lab's)")
      ->needs("--encrypt");
  sign_command->add_option("--out", sign.out, "Image file to write")->required();
  sign_command->add_flag("--json", sign.json, "Describe the image as JSON");
  sign_command->callback([&command, elf, bin] {
    if (elf->empty() && bin->empty())
      throw CLI::ValidationError("image sign", "give --elf FILE or --bin FILE");
    command = [] { return otasim::cli::image_sign(sign); };
  });

  CLI::App* info_command = image->add_subcommand("info", "Tell what an image says of itself");
  info_command->add_option("FILE", read.file, "Image file")->required();
  info_command->add_flag("--json", read.json, "As JSON");
  info_command->callback([&command] { command = [] { return otasim::cli::image_info(read); }; });

  CLI::App* verify_command = image->add_subcommand("verify", "Check an image's hash and signature");
  verify_command->add_option("FILE", read.file, "Image file")->required();
  verify_command->add_option("--key", read.key, "P-256 public or private key, PEM (default: the lab's)");
  verify_command->add_option("--decryption-key", read.decryption_key,
                             "P-256 private key that opens an encrypted image, PEM (default: the lab's)");
  verify_command->add_flag("--json", read.json, "As JSON");
  verify_command->callback([&command] { command = [] { return otasim::cli::image_verify(read); }; });
}

void add_pal_test(CLI::App& app, Command& command) {
  static otasim::cli::PalTestOptions options;
  CLI::App* test =
      app.add_subcommand("pal-test", "Run the PAL's qualification group Full_OTA_PAL on a board");
  test->add_option("--board", options.board, "Board to run on")
      ->check(CLI::IsMember(otasim::lab::board_names()))
      ->capture_default_str();
  test->add_option("--junit", options.junit, "Write the results to this file as JUnit XML");
  test->add_flag("--json", options.json, "Print one JSON object with the results on stdout");
  test->add_option("--elf", options.elf, "Run this program instead; it prints its results in Unity's format");
  test->add_option("--signer", options.signer,
                   "Provision this certificate (PEM) instead of the one that signed the samples");
  test->add_option("--limit,--timeout", options.timeout_seconds, "Give up after this many seconds")
      ->check(CLI::Range(1U, 86400U))
      ->capture_default_str();
  test->callback([&command] { command = [] { return otasim::cli::pal_test(options); }; });
}

}  // namespace

namespace otasim::cli {

void build_command_line(CLI::App& app, Command& command, const std::string& program) {
  app.name("otasim");
  app.description("otasim: prove that a firmware update survives, on a laptop, offline.");
  app.set_version_flag("--version", "otasim " OTASIM_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  ::add_demo(app, command);
  ::add_image(app, command);
  add_flash(app, command);
  ::add_pal_test(app, command);
  add_run(app, command, program);
  add_debug(app, command);
  add_matrix(app, command, program);
  add_sweep(app, command, program);
  add_report(app, command);
  add_events(app, command);
  add_record(app, command, program);
  add_replay(app, command);
  add_scenario(app, command);
  add_up(app, command, program);
  add_status(app, command);
  add_down(app, command);
  add_web(app, command);
  add_device(app, command);
  add_group(app, command);
  add_job(app, command);
  add_boot(app, command);
  add_boards(app, command);
  add_explain(app, command);
  add_doctor(app, command, program);
  add_completion(app, command);
  add_man(app, command);
  add_all_examples(app);
}

int exit_with(const Error& error) {
  // Without a message, whoever failed has told why itself.
  std::string said = error.message.empty() ? "" : fmt::format("otasim: {}\n", error.message);
  std::size_t start = 0;
  while (start < error.hint.size()) {
    const std::size_t end = std::min(error.hint.find('\n', start), error.hint.size());
    said += fmt::format("  {}\n", error.hint.substr(start, end - start));
    start = end + 1;
  }
  std::fputs(said.c_str(), stderr);  // which may be full or closed: the exit code says it, too
  return static_cast<int>(error.code);
}

int run_command_line(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == kCompleteWord)
    return complete_words({argv + 2, argv + argc}, argv[0]);
  CLI::App app;
  Command command;
  const auto program = running_program();
  build_command_line(app, command, program ? program->string() : argv[0]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help and version on stdout and complaints on stderr.
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  const Result<void> result = command();
  return result ? 0 : exit_with(result.error());
}

}  // namespace otasim::cli
