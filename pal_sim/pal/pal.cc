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

constexpr std::size_t kHashChunk = 512;
constexpr boot::image::LoadRegion kLoadRegion{0x0010'0000, flash::kSlotSize};

/// Recorded when a file is received without a job, as qualification tests do.
constexpr std::string_view kNoJobName = "no-job";

OtaPalStatus_t status_of(OtaPalMainStatus_t main) {
  return OTA_PAL_COMBINE_ERR(main, 0);
}

OtaPalStatus_t status_of(OtaPalMainStatus_t main, flash::Status flash) {
  return OTA_PAL_COMBINE_ERR(main, static_cast<std::uint32_t>(flash));
}

/// Text of a context's buffer; empty if there is none. Looks no further than the buffer.
std::string_view text_of(const std::uint8_t* text, std::size_t max_size) {
  if (text == nullptr) return {};
  const auto* characters = reinterpret_cast<const char*>(text);
  return {characters, strnlen(characters, max_size)};
}

/// A job's name as boot control keeps it. AWS's limit is the record's; longer ones are cut, here and in
/// comparisons.
std::string_view recorded_name(std::string_view job_id) {
  return job_id.substr(0, boot::kMaxJobId);
}

std::uint32_t round_up_to_sector(std::uint32_t size) {
  return (size + flash::kSectorSize - 1) / flash::kSectorSize * flash::kSectorSize;
}

}  // namespace

OtaPalStatus_t Pal::abort(OtaFileContext_t* file) {
  if (file == nullptr) return status_of(OtaPalNullFileContext);
  file->pFile = nullptr;
  return status_of(OtaPalSuccess);
}

OtaPalStatus_t Pal::create_file(OtaFileContext_t* file) {
  if (file == nullptr) return status_of(OtaPalNullFileContext);
  file->pFile = nullptr;
  if (file->fileSize > flash::kSlotSize) return status_of(OtaPalRxFileTooLarge);
  if (file->fileSize == 0) return status_of(OtaPalRxFileCreateFailed);
  if (is_running_accepted() && boot_info_.is_trial != 0) {
    // The bootloader commits the running image at the next boot; only then is the other slot free. The job is
    // offered again after it.
    reset();
    return status_of(OtaPalRxFileCreateFailed);
  }
  const boot::Slot slot = boot::receive_slot(boot_control_.state());
  if (slot == boot_info_.slot) return status_of(OtaPalRxFileCreateFailed);
  const OtaPalStatus_t opened = open(slot, *file);
  if (opened == status_of(OtaPalSuccess)) file->pFile = &handle_;
  return opened;
}

/// The record comes before the first erase: it takes back whatever was staged there.
OtaPalStatus_t Pal::open(boot::Slot slot, const OtaFileContext_t& file) {
  const flash::Partition* partition = boot::slot_partition(slot);
  std::string_view job = recorded_name(text_of(file.pJobName, file.jobNameMaxSize));
  if (job.empty()) job = kNoJobName;
  const auto receiving = boot::begin_receive(boot_control_.state(), job, slot);
  if (!receiving || partition == nullptr) return status_of(OtaPalRxFileCreateFailed);
  flash::Status status = boot_control_.append(*receiving);
  if (status != flash::Status::kOk) return status_of(OtaPalBootInfoCreateFailed, status);

  // Sectors that read blank are erased too: an erase that power cut short may not hold.
  status = flash::erase_range(flash_, partition->offset, round_up_to_sector(file.fileSize));
  if (status != flash::Status::kOk) return status_of(OtaPalRxFileCreateFailed, status);
  slot_offset_ = partition->offset;
  file_size_ = file.fileSize;
  return status_of(OtaPalSuccess);
}

std::int16_t Pal::write_block(OtaFileContext_t* file, std::uint32_t offset,
                              std::span<const std::uint8_t> data) {
  constexpr std::size_t kMaxBlock = std::numeric_limits<std::int16_t>::max();
  if (file == nullptr || !is_open(file) || data.size() > kMaxBlock) return -1;
  if (offset > file_size_ || data.size() > file_size_ - offset) return -1;
  if (flash::program_range(flash_, slot_offset_ + offset, data) != flash::Status::kOk) return -1;
  return static_cast<std::int16_t>(data.size());
}

OtaPalStatus_t Pal::close_file(OtaFileContext_t* file) {
  if (file == nullptr) return status_of(OtaPalNullFileContext);
  if (!is_open(file)) return status_of(OtaPalFileClose);
  OtaPalStatus_t result = check_signature(*file);
  if (result == status_of(OtaPalSuccess)) result = stage(*file);
  if (result != status_of(OtaPalSuccess)) {
    // The result says what is wrong with the file; a rejection that cannot be recorded changes nothing about
    // it, because the file is not recorded as verified either.
    static_cast<void>(reject(OtaPalRejectFailed));
  }
  file->pFile = nullptr;
  return result;
}

OtaPalStatus_t Pal::check_signature(const OtaFileContext_t& file) {
  const auto key = code_signing_key(certificate(text_of(file.pCertFilepath, file.certFilePathMaxSize)));
  if (!key) return status_of(OtaPalBadSignerCert);
  if (!is_open(&file)) return status_of(OtaPalFileClose);
  if (file.pSignature == nullptr || file.pSignature->size == 0 ||
      file.pSignature->size > kOTA_MaxSignatureSize) {
    return status_of(OtaPalSignatureCheckFailed);
  }
  crypto::Sha256Digest digest;
  const flash::Status status = hash_file(file_size_, digest);
  if (status != flash::Status::kOk) return status_of(OtaPalFileClose, status);
  const std::span<const std::uint8_t> signature{file.pSignature->data, file.pSignature->size};
  const bool is_genuine = crypto::ecdsa_p256_verify(*key, digest, signature) == crypto::Verdict::kYes;
  return status_of(is_genuine ? OtaPalSuccess : OtaPalSignatureCheckFailed);
}

flash::Status Pal::hash_file(std::uint32_t size, crypto::Sha256Digest& digest) {
  crypto::Sha256 hash;
  std::array<std::uint8_t, kHashChunk> chunk;
  for (std::uint32_t at = 0; at < size;) {
    const auto part = std::span(chunk).first(std::min<std::size_t>(chunk.size(), size - at));
    const flash::Status status = flash_.read(slot_offset_ + at, part);
    if (status != flash::Status::kOk) return status;
    hash.update(part);
    at += static_cast<std::uint32_t>(part.size());
  }
  digest = hash.finish();
  return flash::Status::kOk;
}

/// Records an image as verified, so that the next boot tries it. A genuine file that is no image stays a
/// received file: it never boots, and activate() says why.
OtaPalStatus_t Pal::stage(const OtaFileContext_t& file) {
  if (file.fileType != configOTA_FIRMWARE_UPDATE_FILE_TYPE_ID) return status_of(OtaPalSuccess);
  boot::image::Info info;
  const auto parsed = boot::image::peek(flash_, boot_control_.state().staged_slot, kLoadRegion, info);
  if (parsed == boot::image::VerifyStatus::kFlashError) return status_of(OtaPalFileClose);
  if (parsed != boot::image::VerifyStatus::kOk || info.total_size > file_size_)
    return status_of(OtaPalSuccess);
  const boot::ImageIdentity identity{.version = info.version,
                                     .security_counter = info.security_counter,
                                     .size = info.total_size,
                                     .digest = info.digest,
                                     .job_id = {}};
  const auto verified = boot::mark_verified(boot_control_.state(), identity);
  if (!verified) return status_of(OtaPalFileClose);
  const flash::Status status = boot_control_.append(*verified);
  return status == flash::Status::kOk ? status_of(OtaPalSuccess) : status_of(OtaPalFileClose, status);
}

OtaPalStatus_t Pal::activate() {
  if (boot_control_.state().staged_state == boot::StagedState::kVerified) return reset();
  boot::image::Info info;
  const auto reason = boot::image::peek(flash_, boot::receive_slot(boot_control_.state()), kLoadRegion, info);
  return OTA_PAL_COMBINE_ERR(OtaPalActivateFailed, static_cast<std::uint32_t>(reason));
}

OtaPalStatus_t Pal::reset() {
  if (reset_.function != nullptr) reset_.function(reset_.context);
  return status_of(OtaPalSuccess);
}

OtaPalStatus_t Pal::set_image_state(OtaFileContext_t* file, OtaImageState_t state) {
  switch (state) {
    case OtaImageStateTesting:
      return status_of(OtaPalSuccess);  // the bootloader recorded the trial
    case OtaImageStateAccepted:
      return accept();
    case OtaImageStateRejected:
      return reject(OtaPalRejectFailed);
    case OtaImageStateAborted:
      if (file != nullptr) file->pFile = nullptr;
      return reject(OtaPalAbortFailed);
    default:
      return status_of(OtaPalBadImageState);
  }
}

/// Makes the acceptance durable. The running image must be the one on trial.
OtaPalStatus_t Pal::accept() {
  if (is_running_accepted()) return status_of(OtaPalSuccess);
  const boot::BootState& state = boot_control_.state();
  const bool is_on_trial = boot_info_.is_trial != 0 && boot_info_.slot == state.staged_slot;
  const auto accepted = boot::accept(state);
  if (!is_on_trial || !accepted) return status_of(OtaPalCommitFailed);
  const flash::Status status = boot_control_.append(*accepted);
  return status == flash::Status::kOk ? status_of(OtaPalSuccess) : status_of(OtaPalCommitFailed, status);
}

/// Rejects what is staged, if anything is. An accepted image is beyond rejection.
OtaPalStatus_t Pal::reject(OtaPalMainStatus_t failure) {
  const boot::BootState& state = boot_control_.state();
  if (state.staged_state == boot::StagedState::kEmpty) return status_of(OtaPalSuccess);
  const auto rejected = boot::reject(state, boot::RejectReason::kRefused);
  if (!rejected) return status_of(failure);
  const flash::Status status = boot_control_.append(*rejected);
  return status == flash::Status::kOk ? status_of(OtaPalSuccess) : status_of(failure, status);
}

OtaPalImageState_t Pal::image_state() const {
  const boot::BootState& state = boot_control_.state();
  if (state.staged_state == boot::StagedState::kRejected) return OtaPalImageStateInvalid;
  const bool is_on_trial = state.staged_state == boot::StagedState::kTrial && boot_info_.is_trial != 0 &&
                           state.staged_slot == boot_info_.slot;
  return is_on_trial ? OtaPalImageStatePendingCommit : OtaPalImageStateValid;
}

bool Pal::is_running_accepted() const {
  const boot::BootState& state = boot_control_.state();
  return state.staged_state == boot::StagedState::kAccepted && state.staged_slot == boot_info_.slot;
}

bool Pal::is_committed_job(std::string_view job_id) const {
  const boot::BootState& state = boot_control_.state();
  if (job_id.empty()) return false;
  if (is_running_accepted()) return state.staged.job_id.view() == recorded_name(job_id);
  return state.committed_slot == boot_info_.slot && state.committed.job_id.view() == recorded_name(job_id);
}

}  // namespace pal
