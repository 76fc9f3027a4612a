// The words and codes that a device, its bootloader, the cloud and otasim's oracle use, in plain sentences:
// what each means, what is behind it most often, and what to look at. `otasim explain` and the HTML report
// read this one table.
//
//   for (const Topic& topic : topics())                  everything there is
//   find("trial-failed"), find("SAME_FIRMWARE")          by name, however it is written
//   find_code(code)                                      "0x10", "0xe3000000"
//   nearest("trail-failed")                              what may have been meant
//
// The names are not ours to choose: they stand in agent/include, agent/boot, pal_sim and sim/broker.
// tests/sim/report/glossary_test.cc asks those for every value they have and fails for one that is not here.
//
// In `look_at`, one hint a line; RUN stands for a run's folder. A line that begins with "otasim " is a
// command.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otasim::report {

struct Term {
  std::string_view name;
  std::string_view meaning;
  std::string_view cause = {};    ///< what is behind it most often; may be empty
  std::string_view look_at = {};  ///< may be empty
  std::optional<std::int64_t> code = {};
};

struct Topic {
  std::string_view name;    ///< "agent-error"
  std::string_view title;   ///< what it lists
  std::string_view where;   ///< where one meets it
  std::string_view prefix;  ///< of the names, which may be left out: "OtaErr"
  std::span<const Term> terms;
  bool is_hex = false;  ///< its codes are told in hexadecimal digits
};

[[nodiscard]] std::span<const Topic> topics();
/// @returns null for a name that is none
[[nodiscard]] const Topic* find_topic(std::string_view name);
/// A topic's term of a name, as it is written there, or of a code. @returns null if it has none
[[nodiscard]] const Term* find_in(const Topic& topic, std::string_view name);
[[nodiscard]] const Term* find_in(const Topic& topic, std::int64_t code);

struct Found {
  const Topic* topic = nullptr;
  const Term* term = nullptr;
};

/// All terms of a name; capitals, blanks, '-', '_' and '.' do not count, and a topic's prefix may be left
/// out. One name may mean something in several topics.
[[nodiscard]] std::vector<Found> find(std::string_view name);

/// Terms whose names are like it or have it within them, the likeliest first, at most `limit`.
[[nodiscard]] std::vector<Found> nearest(std::string_view name, std::size_t limit = 5);

// The topics that others look into by code.
namespace topic {
inline constexpr std::string_view kAgentError = "agent-error";
inline constexpr std::string_view kJobParseError = "job-parse-error";
inline constexpr std::string_view kPalStatus = "pal-status";
inline constexpr std::string_view kPalReason = "pal-reason";
inline constexpr std::string_view kSigner = "signer-status";
inline constexpr std::string_view kFlashStatus = "flash-status";
inline constexpr std::string_view kImageVerdict = "image-verdict";
inline constexpr std::string_view kOldAgentError = "old-agent-error";
inline constexpr std::string_view kOsStatus = "os-status";
inline constexpr std::string_view kMqttStatus = "mqtt-status";
inline constexpr std::string_view kHttpStatus = "http-status";
inline constexpr std::string_view kVerdict = "verdict";
inline constexpr std::string_view kBootStage = "boot-stage";
}  // namespace topic

}  // namespace otasim::report
