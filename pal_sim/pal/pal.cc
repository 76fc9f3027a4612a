#include "pal_sim/pal/pal.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "agent/boot/slots.h"
#include "agent/crypto/crypto.h"
#include "pal_sim/pal/code_signer.h"

namespace pal {
namespace {

/// How much of flash is looked at in one piece.
constexpr std::size_t kChunkSize = 512;
using Chunk = std::array<std::uint8_t, kChunkSize>;

/// Recorded when a file is received without a job, as qualification tests do.
constexpr std::string_view kNoJobName = "no-job";

constexpr OtaPalStatus_t kSuccess = OTA_PAL_COMBINE_ERR(OtaPalSuccess, 0);
constexpr OtaPalStatus_t kNullContext = OTA_PAL_COMBINE_ERR(OtaPalNullFileContext, 0);

/// @param sub  a Reason, a flash::Status, a SignerStatus or a VerifyStatus
template <typename Sub>
OtaPalStatus_t status_of(OtaPalMainStatus_t main, Sub sub) {
  return OTA_PAL_COMBINE_ERR(main, static_cast<std::uint32_t>(sub));
}

OtaPalStatus_t success_or(OtaPalMainStatus_t main, flash::Status status) {
  return status == flash::Status::kOk ? kSuccess : status_of(main, status);
}

/// Where a text of a context ends at the latest.
constexpr std::size_t kMaxText = 256;

/// Text of a context's buffer; empty if there is none. Looks no further than the buffer, whose size 0 means
/// that it was not told: AWS's qualification group gives texts without their size.
std::string_view text_of(const std::uint8_t* text, std::size_t max_size) {
  if (text == nullptr) return {};
  const auto* characters = reinterpret_cast<const char*>(text);
  return {characters, strnlen(characters, max_size != 0 ? max_size : kMaxText)};
}

/// A job's name as boot control keeps it. AWS's limit is the record's; longer ones are cut, here and in
/// comparisons.
std::string_view recorded_name(std::string_view job_id) {
  return job_id.substr(0, boot::kMaxJobId);
}

std::uint32_t round_up(std::uint32_t size, std::uint32_t unit) {
  return (size + unit - 1) / unit * unit;
}

}  // namespace

void Pal::close(OtaFileContext_t& file) {
  if (is_open(file)) is_open_ = false;
  file.pFile = nullptr;
}

OtaPalStatus_t Pal::abort(OtaFileContext_t* file) {
  if (file == nullptr) return kNullContext;
  close(*file);
  return kSuccess;
}

OtaPalStatus_t Pal::create_file(OtaFileContext_t* file) {
  if (file == nullptr) return kNullContext;
  file->pFile = nullptr;
  is_open_ = false;
  image_status_ = boot::image::VerifyStatus::kNotOnRecord;
  if (file->fileSize > flash::kSlotSize) return status_of(OtaPalRxFileTooLarge, Reason::kNone);
  if (file->fileSize == 0) return status_of(OtaPalRxFileCreateFailed, Reason::kEmptyFile);
  if (is_commit_due()) {
    // Only once the running image is committed is the other slot free. The job is offered again after it.
    reset();
    return status_of(OtaPalRxFileCreateFailed, Reason::kRestartFirst);
  }
  const boot::Slot slot = boot::receive_slot(state());
  if (slot == platform_.boot_info.slot) return status_of(OtaPalRxFileCreateFailed, Reason::kSlotInUse);
  const OtaPalStatus_t opened = open(slot, *file);
  if (opened != kSuccess) return opened;
  is_open_ = true;
  file->pFile = &handle_;
  return kSuccess;
}

/// The record comes before the first erase: it takes back whatever was staged there.
OtaPalStatus_t Pal::open(boot::Slot slot, const OtaFileContext_t& file) {
  std::string_view job = recorded_name(text_of(file.pJobName, file.jobNameMaxSize));
  if (job.empty()) job = kNoJobName;
  const boot::Transition receiving = platform_.updates.begin_receive(job, slot);
  if (!receiving.is_allowed) return status_of(OtaPalRxFileCreateFailed, Reason::kNotAllowedNow);
  if (!receiving.is_done()) return status_of(OtaPalBootInfoCreateFailed, receiving.status);

  // Sectors that read blank are erased too: an erase that power cut short may not hold.
  slot_offset_ = boot::slot_partition(slot)->offset;  // receive_slot() names application slots only
  file_size_ = file.fileSize;
  return success_or(OtaPalRxFileCreateFailed,
                    flash::erase_range(platform_.flash, slot_offset_,
                                       round_up(file_size_, platform_.flash.geometry().sector_size)));
}

std::int16_t Pal::write_block(OtaFileContext_t* file, std::uint32_t offset,
                              std::span<const std::uint8_t> data) {
  constexpr std::size_t kMaxBlock = std::numeric_limits<std::int16_t>::max();
  if (file == nullptr || !is_open(*file) || data.size() > kMaxBlock) return -1;
  if (offset > file_size_ || data.size() > file_size_ - offset) return -1;
  if (flash::program_range(platform_.flash, slot_offset_ + offset, data) != flash::Status::kOk) return -1;
  return holds(offset, data) ? static_cast<std::int16_t>(data.size()) : std::int16_t{-1};
}

/// Whether the file has `data` at `offset` in flash. Programming only clears bits: a block written over
/// another one is neither of them, and a worn part may keep what it had.
bool Pal::holds(std::uint32_t offset, std::span<const std::uint8_t> data) {
  Chunk chunk;
  for (std::size_t at = 0; at < data.size();) {
    const auto part = std::span(chunk).first(std::min(chunk.size(), data.size() - at));
    const auto from = static_cast<std::uint32_t>(slot_offset_ + offset + at);
    if (platform_.flash.read(from, part) != flash::Status::kOk) return false;
    if (!std::ranges::equal(part, data.subspan(at, part.size()))) return false;
    at += part.size();
  }
  return true;
}

OtaPalStatus_t Pal::close_file(OtaFileContext_t* file) {
  if (file == nullptr) return kNullContext;
  if (!is_open(*file)) return status_of(OtaPalFileClose, Reason::kFileNotOpen);
  OtaPalStatus_t result = check_signature(*file);
  if (result == kSuccess) result = stage(*file);
  if (result != kSuccess) {
    // The result says what is wrong with the file, whether or not the rejection can be recorded. At worst a
    // record of the verified image stands: it is tried once, and finds no job for which to accept itself.
    static_cast<void>(reject(OtaPalRejectFailed));
  }
  close(*file);
  return result;
}

OtaPalStatus_t Pal::check_signature(const OtaFileContext_t& file) {
  if (!is_open(file)) return status_of(OtaPalFileClose, Reason::kFileNotOpen);
  if (file.pSignature == nullptr || file.pSignature->size == 0 ||
      file.pSignature->size > kOTA_MaxSignatureSize) {
    return status_of(OtaPalSignatureCheckFailed, Reason::kNoSignature);
  }
  CodeSigner signer;
  const SignerStatus signer_status = signer.open(
      certificate(text_of(file.pCertFilepath, file.certFilePathMaxSize)), platform_.code_signing_root);
  if (signer_status != SignerStatus::kOk) return status_of(OtaPalBadSignerCert, signer_status);
  crypto::Sha256Digest digest;
  const flash::Status status = hash_file(digest);
  if (status != flash::Status::kOk) return status_of(OtaPalFileClose, status);
  const bool is_genuine = signer.verifies(digest, {file.pSignature->data, file.pSignature->size});
  return is_genuine ? kSuccess : status_of(OtaPalSignatureCheckFailed, Reason::kNone);
}

flash::Status Pal::hash_file(crypto::Sha256Digest& digest) {
  crypto::Sha256 hash;
  Chunk chunk;
  for (std::uint32_t at = 0; at < file_size_;) {
    const auto part = std::span(chunk).first(std::min<std::size_t>(chunk.size(), file_size_ - at));
    const flash::Status status = platform_.flash.read(slot_offset_ + at, part);
    if (status != flash::Status::kOk) return status;
    hash.update(part);
    at += static_cast<std::uint32_t>(part.size());
  }
  digest = hash.finish();
  return flash::Status::kOk;
}

/// What the received file is as an image: kOk if the bootloader could start it, as far as can be said without
/// its keys.
boot::image::VerifyStatus Pal::check_image(boot::image::Info& info) {
  using boot::image::VerifyStatus;
  const boot::Slot slot = state().staged_slot;
  const VerifyStatus parsed = boot::image::peek(platform_.flash, slot, platform_.load_region, info);
  if (parsed != VerifyStatus::kOk) return parsed;
  if (info.total_size > file_size_) return VerifyStatus::kBadSize;
  return platform_.updates.check(slot, info);
}

/// Records an image as verified, so that the next boot tries it. A genuine file that is no image stays a
/// received file: it never boots, and activate() says why.
OtaPalStatus_t Pal::stage(const OtaFileContext_t& file) {
  if (file.fileType != configOTA_FIRMWARE_UPDATE_FILE_TYPE_ID) return kSuccess;
  boot::image::Info info;
  image_status_ = check_image(info);
  if (image_status_ == boot::image::VerifyStatus::kFlashError) {
    return status_of(OtaPalFileClose, Reason::kImageUnreadable);
  }
  if (image_status_ != boot::image::VerifyStatus::kOk) return kSuccess;
  const boot::Transition verified = platform_.updates.finish(info);
  if (!verified.is_allowed) return status_of(OtaPalFileClose, Reason::kNotAllowedNow);
  return success_or(OtaPalFileClose, verified.status);
}

OtaPalStatus_t Pal::activate() {
  if (state().staged_state == boot::StagedState::kVerified) return reset();
  return status_of(OtaPalActivateFailed, image_status_ == boot::image::VerifyStatus::kOk
                                             ? boot::image::VerifyStatus::kNotOnRecord
                                             : image_status_);
}

OtaPalStatus_t Pal::reset() {
  if (platform_.reset.function != nullptr) platform_.reset.function(platform_.reset.context);
  return kSuccess;
}

OtaPalStatus_t Pal::set_image_state(OtaFileContext_t* file, OtaImageState_t state) {
  switch (state) {
    case OtaImageStateTesting:
      return kSuccess;
    case OtaImageStateAccepted:
      return accept();
    case OtaImageStateRejected:
      return reject(OtaPalRejectFailed);
    case OtaImageStateAborted:
      if (file != nullptr) close(*file);
      return reject(OtaPalAbortFailed);
    default:
      return status_of(OtaPalBadImageState, Reason::kNone);
  }
}

/// Makes the acceptance durable. The running image must be the one on trial.
OtaPalStatus_t Pal::accept() {
  if (is_running_accepted()) return kSuccess;
  const bool is_on_trial = was_started_on_trial() && platform_.boot_info.slot == state().staged_slot;
  if (!is_on_trial) return status_of(OtaPalCommitFailed, Reason::kNotOnTrial);
  const boot::Transition accepted = platform_.updates.accept();
  if (!accepted.is_allowed) return status_of(OtaPalCommitFailed, Reason::kNotOnTrial);
  if (accepted.is_done()) return kSuccess;
  take_back_acceptance();
  return status_of(OtaPalCommitFailed, accepted.status);
}

/// A record of the acceptance may stand although it could not be completed, and the next boot would commit
/// what the cloud was told has failed. So the last word in the journal has to be a rejection. If it cannot be
/// had, nobody is told anything: the device restarts, and the next boot goes by what it finds.
void Pal::take_back_acceptance() {
  if (!platform_.updates.reject().is_done()) reset();
}

/// Rejects what is staged, if anything is. An accepted image is beyond rejection.
OtaPalStatus_t Pal::reject(OtaPalMainStatus_t failure) {
  if (state().staged_state == boot::StagedState::kEmpty) return kSuccess;
  const boot::Transition rejected = platform_.updates.reject();
  if (!rejected.is_allowed) return status_of(failure, Reason::kNotAllowedNow);
  return success_or(failure, rejected.status);
}

OtaPalImageState_t Pal::image_state() const {
  if (state().staged_state == boot::StagedState::kRejected) return OtaPalImageStateInvalid;
  const bool is_on_trial = state().staged_state == boot::StagedState::kTrial && was_started_on_trial() &&
                           state().staged_slot == platform_.boot_info.slot;
  return is_on_trial ? OtaPalImageStatePendingCommit : OtaPalImageStateValid;
}

bool Pal::is_running_accepted() const {
  return state().staged_state == boot::StagedState::kAccepted &&
         state().staged_slot == platform_.boot_info.slot;
}

/// Whether a restart may let the bootloader commit the running image: it accepted itself since the last one,
/// or could not be committed at it. If that one was asked for, and did not help, another one would not
/// either.
bool Pal::is_commit_due() const {
  if (!is_running_accepted()) return false;
  if (was_started_on_trial()) return true;
  return platform_.boot_info.reset_reason != boot::ResetReason::kSoftware;
}

bool Pal::is_committed_job(std::string_view job_id) const {
  if (job_id.empty()) return false;
  if (is_running_accepted()) return state().staged.job_id.view() == recorded_name(job_id);
  return state().committed_slot == platform_.boot_info.slot &&
         state().committed.job_id.view() == recorded_name(job_id);
}

}  // namespace pal
