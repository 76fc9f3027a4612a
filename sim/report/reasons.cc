#include "sim/report/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace otasim::report {
namespace {

struct KnownCode {
  std::uint32_t code;
  CodeWords words;
};

constexpr std::uint32_t kPalShift = 24;

constexpr std::array kErrors{
    KnownCode{0, {"OtaErrNone", "no error", ""}},
    KnownCode{1, {"OtaErrUninitialized", "nothing has set an error yet", "the agent's start"}},
    KnownCode{2, {"OtaErrPanic", "the agent met what must not happen", "the console before it"}},
    KnownCode{3, {"OtaErrInvalidArg", "a call had an argument that cannot be", "the caller"}},
    KnownCode{4, {"OtaErrAgentStopped", "the agent was not running", "who stopped it"}},
    KnownCode{
        5, {"OtaErrSignalEventFailed", "an event found no place in the agent's queue", "the queue's length"}},
    KnownCode{6, {"OtaErrRequestJobFailed", "asking for a job failed", "the link and the broker"}},
    KnownCode{
        7,
        {"OtaErrInitFileTransferFailed", "the transfer could not begin", "subscriptions, the presigned URL"}},
    KnownCode{8,
              {"OtaErrRequestFileBlockFailed", "a block could not be asked for", "the link and the broker"}},
    KnownCode{9, {"OtaErrCleanupControlFailed", "the control side could not be cleaned up", "the link"}},
    KnownCode{10, {"OtaErrCleanupDataFailed", "the data side could not be cleaned up", "the link"}},
    KnownCode{11, {"OtaErrUpdateJobStatusFailed", "the job's status could not be reported", "the link"}},
    KnownCode{12, {"OtaErrJobParserError", "the job document is not understood", "the job's document"}},
    KnownCode{13,
              {"OtaErrInvalidDataProtocol", "the job offers no protocol that the agent has enabled",
               "the update's protocols, the device's provisioning"}},
    KnownCode{14,
              {"OtaErrMomentumAbort", "too many requests stayed without an answer",
               "dropped messages, faults of stream or object, the link"}},
    KnownCode{15,
              {"OtaErrDowngradeNotAllowed", "the new image is older than the one that fetched it",
               "the versions of both images"}},
    KnownCode{
        16,
        {"OtaErrSameFirmwareVersion",
         "the image that runs is the one that fetched the update: it fell back, or has the same version",
         "whether the new image was started, and why it was left: boot.reject, watchdog"}},
    KnownCode{17,
              {"OtaErrImageStateMismatch", "the job is in self test, but the platform is not",
               "boot control: whether the trial was ended"}},
    KnownCode{18, {"OtaErrNoActiveJob", "there is no job", ""}},
    KnownCode{19, {"OtaErrUserAbort", "the application gave the update up", "the application"}},
    KnownCode{20, {"OtaErrFailedToEncodeCbor", "a block request could not be encoded", "buffer sizes"}},
    KnownCode{
        21, {"OtaErrFailedToDecodeCbor", "a block's message is not understood", "corrupted stream messages"}},
    KnownCode{22,
              {"OtaErrActivateFailed", "the new image could not be started", "the platform's activation"}},
    KnownCode{23,
              {"OtaErrFileSizeOverflow", "the file is larger than the agent can track", "the file's size"}},
    KnownCode{24, {"OtaErrEmptyJobDocument", "the job has no document", "the job"}},
};

constexpr std::array kPalStatuses{
    KnownCode{0xe0, {"OtaPalUninitialized", "the platform gave no result", "the PAL"}},
    KnownCode{0xe1, {"OtaPalOutOfMemory", "the platform had no memory left", "the PAL's buffers"}},
    KnownCode{0xe2, {"OtaPalNullFileContext", "the platform was called without a file", "the agent's state"}},
    KnownCode{
        0xe3,
        {"OtaPalSignatureCheckFailed", "the file's signature does not fit its bytes and the signer",
         "corrupted blocks, the signer's certificate, whether the image was signed by this build's key"}},
    KnownCode{
        0xe4,
        {"OtaPalRxFileCreateFailed", "the receiving slot could not be prepared", "erase failures, locks"}},
    KnownCode{0xe5, {"OtaPalRxFileTooLarge", "the file does not fit into the slot", "the file's size"}},
    KnownCode{
        0xe6,
        {"OtaPalBootInfoCreateFailed", "boot control could not be written", "faults in boot-control-*"}},
    KnownCode{0xe7,
              {"OtaPalBadSignerCert", "the signer's certificate is unknown, unreadable or not for code",
               "the job's certfile, the provisioning"}},
    KnownCode{0xe8, {"OtaPalBadImageState", "the image state is none that can be set", "the caller"}},
    KnownCode{0xe9, {"OtaPalAbortFailed", "the transfer could not be given up", "boot control"}},
    KnownCode{0xea, {"OtaPalRejectFailed", "the image could not be rejected", "boot control"}},
    KnownCode{0xeb, {"OtaPalCommitFailed", "the image could not be committed", "boot control, OTP"}},
    KnownCode{0xec, {"OtaPalActivateFailed", "the platform could not start the new image", "boot control"}},
    KnownCode{0xed, {"OtaPalFileAbort", "the file could not be given up", "flash faults"}},
    KnownCode{0xee, {"OtaPalFileClose", "the file could not be closed", "flash faults, missing blocks"}},
};

constexpr std::uint32_t kJobParserError = 12;
constexpr std::array kJobErrors{
    KnownCode{1, {"OtaJobParseErrNullJob", "the job is none", "the job's document"}},
    KnownCode{2, {"OtaJobParseErrUpdateCurrentJob", "it is the job that runs already", ""}},
    KnownCode{3, {"OtaJobParseErrZeroFileSize", "the file has no bytes", "the job's filesize"}},
    KnownCode{
        4, {"OtaJobParseErrNonConformingJobDoc", "the document is not an OTA job's", "the job's document"}},
    KnownCode{5, {"OtaJobParseErrBadModelInitParams", "the parser was set up wrongly", "the agent"}},
    KnownCode{6, {"OtaJobParseErrNoContextAvailable", "there is no place for another file", "the agent"}},
    KnownCode{7, {"OtaJobParseErrNoActiveJobs", "there is no job", ""}},
};

template <std::size_t N>
CodeWords find(const std::array<KnownCode, N>& codes, std::uint32_t code) {
  const auto found = std::ranges::find(codes, code, &KnownCode::code);
  return found == codes.end() ? CodeWords{} : found->words;
}

std::optional<std::uint32_t> parse_code(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  text.remove_prefix(2);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return code;
}

std::string code_text(std::uint32_t code, const CodeWords& words) {
  if (words.name.empty()) return fmt::format("code {:#x}, which has no name", code);
  std::string text = fmt::format("{}: {}", words.name, words.meaning);
  if (!words.look_at.empty()) text += fmt::format(" (look at: {})", words.look_at);
  return text;
}

}  // namespace

CodeWords explain_code(std::uint32_t code) {
  const std::uint32_t main = code >> kPalShift;
  return main != 0 ? find(kPalStatuses, main) : find(kErrors, code);
}

std::string explain_reason(std::string_view reason) {
  if (reason.starts_with("accepted")) return "the image passed its self test and is committed";
  for (const std::string_view word : {"rejected", "aborted"}) {
    if (!reason.starts_with(word) || !reason.substr(word.size()).starts_with(": ")) continue;
    const auto code = parse_code(reason.substr(word.size() + 2));
    return code ? fmt::format("{}; {}", word, code_text(*code, explain_code(*code))) : std::string();
  }
  const std::size_t colon = reason.find(": ");
  if (colon == std::string_view::npos) return {};
  const auto first = parse_code(reason.substr(0, colon));
  const auto second = parse_code(reason.substr(colon + 2));
  if (!first || !second) return {};
  std::string text = "failed; " + code_text(*first, explain_code(*first));
  const bool is_of_job = *first == kJobParserError;
  if (*second != 0)
    text += "; further " + code_text(*second, is_of_job ? find(kJobErrors, *second) : explain_code(*second));
  return text;
}

}  // namespace otasim::report
