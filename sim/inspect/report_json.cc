// The report as JSON: the form that `--json` prints and that two reports are compared in. Members are keyed
// by names, not places, wherever there are names, so that a comparison says what it is about.
#include <fmt/format.h>

#include <cstring>

#include "agent/boot/slots.h"
#include "sim/image/version.h"
#include "sim/inspect/flash_image.h"
#include "sim/inspect/flash_report.h"
#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

using nlohmann::json;

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json hex_or_null(const std::optional<crypto::Bytes>& bytes) {
  return bytes ? json(crypto::hex(*bytes)) : json(nullptr);
}

json time_or_null(const std::optional<std::int64_t>& time) {
  return time ? json(utc(*time)) : json(nullptr);
}

json numbers_of(std::uint32_t bits) {
  json numbers = json::array();
  for (std::uint32_t number = 0; number < 32; ++number) {
    if ((bits & (1U << number)) != 0) numbers.push_back(number);
  }
  return numbers;
}

json identity_json(const boot::ImageIdentity& identity) {
  if (identity == boot::ImageIdentity{}) return nullptr;
  const auto& job = identity.job_id.characters;
  return {{"version", image::to_string(identity.version)},
          {"security_counter", identity.security_counter},
          {"size", identity.size},
          {"digest", crypto::hex(identity.digest)},
          {"job", printable({job.data(), strnlen(job.data(), job.size())})}};
}

std::string kind_name(const std::optional<std::uint32_t>& kind) {
  switch (kind.value_or(0)) {
    case static_cast<std::uint32_t>(boot::image::Kind::kApplication):
      return "application";
    case static_cast<std::uint32_t>(boot::image::Kind::kRecovery):
      return "recovery";
    default:
      return fmt::format("unknown ({})", *kind);
  }
}

json image_json(const SlotContent& slot) {
  const image::Info& info = *slot.image;
  json tlvs = json::array();
  for (const Tlv& tlv : slot.tlvs)
    tlvs.push_back({{"type", tlv_name(tlv.type)}, {"bytes", tlv.length}, {"protected", tlv.is_protected}});
  return {{"version", image::to_string(info.version)},
          {"security_counter", or_null(info.security_counter)},
          {"kind", kind_name(info.kind)},
          {"load_address", fmt::format("{:#010x}", info.load_address)},
          {"header_bytes", info.header_size},
          {"payload_bytes", info.payload_size},
          {"image_bytes", info.total_size},
          {"flags", fmt::format("{:#x}", info.flags)},
          {"encrypted", info.is_encrypted()},
          {"revoked_keys", numbers_of(info.revoked_keys.value_or(0))},
          {"sha256", hex_or_null(info.sha256)},
          {"key_hash", hex_or_null(info.key_hash)},
          {"tlvs", std::move(tlvs)},
          {"verifies", !slot.signer.empty()},
          {"signer", slot.signer.empty() ? json(nullptr) : json(slot.signer)},
          {"problem", slot.verify_problem}};
}

json certificate_json(const CertificateText& certificate) {
  if (!certificate.problem.empty()) return {{"problem", certificate.problem}};
  return {{"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"not_before", time_or_null(certificate.not_before)},
          {"not_after", time_or_null(certificate.not_after)},
          {"fingerprint", certificate.fingerprint}};
}

json transfer_json(const provisioning::TransferSettings& transfer) {
  const auto protocol_names = [](unsigned bits) {
    json names = json::array();
    if ((bits & provisioning::kProtocolMqtt) != 0) names.push_back("mqtt");
    if ((bits & provisioning::kProtocolHttp) != 0) names.push_back("http");
    return names;
  };
  json result = json::object();
  if (transfer.block_size) result["block_size"] = *transfer.block_size;
  if (transfer.blocks_per_request) result["blocks_per_request"] = *transfer.blocks_per_request;
  if (transfer.blocks_in_flight) result["blocks_in_flight"] = *transfer.blocks_in_flight;
  if (transfer.protocols) {
    result["protocols"] = protocol_names(transfer.protocols->enabled);
    result["primary_protocol"] = protocol_names(transfer.protocols->primary).at(0);
  }
  if (transfer.stream_format)
    result["stream_format"] = *transfer.stream_format == provisioning::StreamFormat::kCbor ? "cbor" : "json";
  if (transfer.start_next) result["start_next"] = *transfer.start_next;
  if (transfer.max_request_momentum) result["max_request_momentum"] = *transfer.max_request_momentum;
  if (transfer.status_frequency) result["status_frequency"] = *transfer.status_frequency;
  return result;
}

json copy_json(const ProvisioningCopy& copy, bool is_in_force) {
  json result{{"used_bytes", copy.used_bytes},
              {"problem", copy.problem},
              {"sequence", or_null(copy.sequence)},
              {"body_bytes", copy.body_size},
              {"nonce", copy.nonce},
              {"in_force", is_in_force},
              {"opened", nullptr}};
  if (!copy.opened) return result;
  const OpenedProvisioning& opened = *copy.opened;
  json certificates = json::object();
  for (const CertificateText& one : opened.certificates) certificates[one.role] = certificate_json(one);
  result["opened"] = {{"complete", opened.is_complete},
                      {"thing", opened.thing_name},
                      {"endpoint", opened.endpoint},
                      {"mac", opened.mac},
                      {"keep_alive_s", opened.keep_alive_seconds},
                      {"self_test_ms", opened.self_test_ms},
                      {"request_wait_ms", opened.request_wait_ms},
                      {"has_device_key", opened.has_device_key},
                      {"entropy_seed_bytes", opened.entropy_seed_bytes},
                      {"transfer", transfer_json(opened.transfer)},
                      {"certificates", std::move(certificates)}};
  return result;
}

json counts_json(const PageCounts& counts) {
  return {{"records", counts.records}, {"junk_pages", counts.junk}};
}

json registers_json(const RegisterFile& registers) {
  json locks = json::array();
  for (const Lock& lock : registers.locks)
    locks.push_back(
        {{"range", range_name(lock.offset, lock.length)}, {"offset", lock.offset}, {"length", lock.length}});
  return {{"sequence", registers.sequence},        {"entropy_count", registers.entropy_count},
          {"otp_locked", registers.otp_is_locked}, {"locks", std::move(locks)},
          {"last_status", registers.last_status},  {"problem", registers.problem}};
}

}  // namespace

json to_json(const boot::BootState& state) {
  return {{"committed_slot", boot::slot_name(state.committed_slot)},
          {"committed", identity_json(state.committed)},
          {"staged_slot", boot::slot_name(state.staged_slot)},
          {"staged", identity_json(state.staged)},
          {"staged_state", boot::to_string(state.staged_state)},
          {"attempts", state.attempts},
          {"reject_reason", boot::to_string(state.reject_reason)}};
}

json to_json(const SlotContent& slot) {
  return {{"used_bytes", slot.used_bytes},
          {"erased_pages_inside", slot.erased_pages_inside},
          {"first_sector_erased", slot.first_sector_is_erased},
          {"problem", slot.problem},
          {"image", slot.image ? image_json(slot) : json(nullptr)}};
}

json to_json(const BootJournal& journal) {
  json result{{"settled", journal.is_settled}, {"in_force", nullptr}};
  if (const auto* const record = journal.record_in_force()) {
    result["in_force"] = {{"partition", journal_partition(journal.in_force->sector).name},
                          {"page", journal.in_force->page},
                          {"sequence", record->sequence},
                          {"role", role_name(record->role)}};
    result["in_force"].update(to_json(record->state));
  }
  for (std::uint32_t sector = 0; sector < kJournalSectors; ++sector) {
    json pages = json::object();
    for (std::uint32_t index = 0; index < flash::kJournalPages; ++index) {
      const JournalPage& page = journal.pages[sector][index];
      if (page.is_blank()) continue;
      json& entry = pages[fmt::format("{:02}", index)];
      if (!page.record) {
        entry = {{"problem", page.problem}};
        continue;
      }
      entry = to_json(page.record->state);
      entry["sequence"] = page.record->sequence;
      entry["role"] = role_name(page.record->role);
    }
    result["pages"][std::string(journal_partition(sector).name)] = std::move(pages);
  }
  return result;
}

json to_json(const OtpBank& otp) {
  const auto floor = [](const OtpFloor& one) {
    return json{{"floor", one.steps}, {"unsure_steps", one.unsure_steps}};
  };
  return {{"application", floor(otp.application)},  {"recovery", floor(otp.recovery)},
          {"revoked_signers", otp.revoked_signers}, {"unsure_signers", otp.unsure_signers},
          {"burned_bits", otp.burned_bits},         {"burned_unused_bits", otp.burned_unused_bits}};
}

json to_json(const CellReport& cells) {
  json partitions = json::object();
  for (const PartitionCells& one : cells.partitions) {
    json& entry = partitions[one.partition.empty() ? "none" : one.partition];
    entry = {
        {"erases", one.erases}, {"most_erases", one.most_erases}, {"marginal_bytes", one.marginal_bytes}};
    if (one.marginal_bytes == 0) continue;
    entry["first_marginal"] = one.first_marginal;
    entry["last_marginal"] = one.last_marginal;
  }
  return {{"power_ons", cells.power_ons}, {"partitions", std::move(partitions)}};
}

json to_json(const FlashReport& report) {
  json result{{"part",
               {{"name", part_name(report.part)},
                {"array_bytes", report.part.size},
                {"sector_bytes", report.part.sector_size},
                {"block_bytes", report.part.block_size},
                {"locks", report.part.has_locks},
                {"fuses", report.part.has_fuses},
                {"entropy", report.part.has_entropy}}},
              {"boot_control", to_json(report.boot_control)},
              {"otp", to_json(report.otp)},
              {"registers", registers_json(report.registers)},
              {"strays", report.strays},
              {"cells", report.cells ? to_json(*report.cells) : json(nullptr)}};
  for (std::size_t i = 0; i < kSlots.size(); ++i)
    result["slots"][std::string(kSlots[i].name)] = to_json(report.slots[i]);
  const auto in_force = provisioning_in_force(report);
  const std::array copies{flash::kProvisioning0.name, flash::kProvisioning1.name};
  for (std::size_t i = 0; i < copies.size(); ++i)
    result["provisioning"][std::string(copies[i])] = copy_json(report.provisioning[i], in_force == i);
  result["calendar"] = {{"floor", time_or_null(report.calendar.floor)},
                        {"calendar-0", counts_json(report.calendar.sectors[0])},
                        {"calendar-1", counts_json(report.calendar.sectors[1])}};
  result["seed"] = {{"in_force", or_null(report.seed.in_force)}};
  for (std::size_t i = 0; i < report.seed.sectors.size(); ++i) {
    json& sector = result["seed"][i == 0 ? "seed-0" : "seed-1"];
    sector = counts_json(report.seed.sectors[i].pages);
    sector["sequence"] = report.seed.sectors[i].sequence;
  }
  return result;
}

}  // namespace otasim::inspect
