// What the agent tells a log beside its events. name_of() in names.h has the words.
#pragma once

#include <cstdint>

namespace ota {

enum class Note : std::uint8_t {
  kDocumentMalformed,    ///< a job document could not be parsed and is ignored
  kAnswerStale,          ///< an answer to an earlier job request is ignored
  kJobDropped,           ///< the job in hand is no longer offered and is dropped
  kJobRefused,           ///< a job is refused: its document does not conform
  kFileTooLarge,         ///< a job is refused: its file has more blocks than the bitmap
  kCommitReportedAgain,  ///< the running image was already committed for this job
  kBlocksLate,           ///< no block arrived in time; asking again
  kTransferGivenUp,      ///< no block arrived in spite of repeated requests; the job is aborted
  kUrlsRefused,          ///< every new URL is refused; the job is aborted
  kBlockMalformed,       ///< a stream message could not be decoded
  kBlockMisfit,          ///< a block has the wrong size, or lies beyond the file
};

}  // namespace ota
