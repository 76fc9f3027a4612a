#include "sim/cloud/signing_certificates.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <unordered_set>

#include "sim/base/file_io.h"
#include "sim/cloud/arn.h"
#include "sim/crypto/certificate.h"

namespace otasim::cloud {

namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr std::string_view kSuffix = ".pem";
/// Behind the name of a file that write_file_atomic() has not finished: a dot and six characters.
constexpr std::size_t kTemporarySuffixLength = 7;

struct BignumFree {
  void operator()(BIGNUM* number) const { BN_free(number); }
};

std::int64_t epoch_of(const ASN1_TIME* time) {
  std::tm fields{};
  return ASN1_TIME_to_tm(time, &fields) == 1 ? static_cast<std::int64_t>(::timegm(&fields)) : 0;
}

std::string one_line(const X509_NAME* name) {
  std::array<char, 512> text{};
  X509_NAME_oneline(name, text.data(), static_cast<int>(text.size()));
  return text.data();
}

std::string common_name_of(const X509* certificate) {
  std::array<char, 256> text{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(),
                            static_cast<int>(text.size()));
  return text.data();
}

std::string serial_of(const X509* certificate) {
  const std::unique_ptr<BIGNUM, BignumFree> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : ":", byte);
  return text;
}

/// What AWS Signer asks for: key usage digitalSignature and extended key usage codeSigning.
bool may_sign_code(X509* certificate) {
  const std::uint32_t usage = X509_get_key_usage(certificate);
  const std::uint32_t extended = X509_get_extended_key_usage(certificate);
  return (usage & KU_DIGITAL_SIGNATURE) != 0 && extended != UINT32_MAX && (extended & XKU_CODE_SIGN) != 0;
}

void read_certificate(SigningCertificate& into) {
  const auto certificate = crypto::Certificate::from_pem(into.certificate);
  if (!certificate) return;  // it was one when it was imported
  const X509* const x509 = certificate->get();
  into.common_name = common_name_of(x509);
  into.subject = one_line(X509_get_subject_name(x509));
  into.issuer = one_line(X509_get_issuer_name(x509));
  into.serial = serial_of(x509);
  into.not_before = epoch_of(X509_get0_notBefore(x509));
  into.not_after = epoch_of(X509_get0_notAfter(x509));
  const EVP_PKEY* const key = X509_get0_pubkey(x509);
  into.key_bits = EVP_PKEY_get_bits(key);
  into.key = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? crypto::KeyKind::kRsa : crypto::KeyKind::kP256;
}

SigningCertificate read_row(const Row& row) {
  SigningCertificate certificate{row.text(0), row.text(1), row.text(2), row.integer(3)};
  read_certificate(certificate);
  return certificate;
}

/// Names that imports give, whole and while they write: those of users' own key files are others.
bool is_key_file_name(std::string_view name) {
  if (!is_uuid(name.substr(0, kUuidLength))) return false;
  const std::string_view rest = name.substr(kUuidLength);
  if (!rest.starts_with(kSuffix)) return false;
  const std::string_view temporary = rest.substr(kSuffix.size());
  return temporary.empty() || (temporary.size() == kTemporarySuffixLength && temporary.front() == '.');
}

tl::unexpected<ServiceError> no_such_certificate(const std::string& arn) {
  return refuse(ErrorCode::kResourceNotFound, fmt::format("Could not find certificate {}.", arn));
}

ServiceResult<void> check_import(const CertificateImport& import) {
  const auto certificate = crypto::Certificate::from_pem(import.certificate);
  if (!certificate) {
    return refuse(ErrorCode::kInvalidRequest,
                  "The certificate field contains more than one certificate or "
                  "none in PEM form.");
  }
  const auto key = crypto::SigningKey::from_pem(import.private_key);
  if (!key) return refuse(ErrorCode::kInvalidRequest, key.error().message + ".");
  if (!key->belongs_to(certificate->get())) {
    return refuse(ErrorCode::kInvalidRequest, "The private key does not belong to the certificate.");
  }
  if (!may_sign_code(certificate->get())) {
    return refuse(ErrorCode::kInvalidRequest,
                  "The certificate must have key usage digitalSignature and extended key usage codeSigning.");
  }
  return {};
}

}  // namespace

SigningCertificates::SigningCertificates(Database& database, const Clock& clock, UuidSource uuid,
                                         std::string folder)
    : database_(database), clock_(clock), uuid_(std::move(uuid)), folder_(std::move(folder)) {
  remove_orphans();
}

std::string SigningCertificates::path_of(const std::string& key_file) const {
  return folder_ + "/" + key_file;
}

/// Files that an import made and the store does not name; those of users' own stay.
void SigningCertificates::remove_orphans() {
  static_cast<void>(database_.transaction([this]() -> Result<void> {
    std::unordered_set<std::string> named;
    auto read = database_.query("SELECT key_file FROM signing_certificates", {},
                                [&named](const Row& row) { named.insert(row.text(0)); });
    if (!read) return read;
    std::error_code error;
    std::vector<std::filesystem::path> orphans;
    for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end;
         at.increment(error)) {
      const std::string name = at->path().filename().string();
      if (is_key_file_name(name) && !named.contains(name)) orphans.push_back(at->path());
    }
    for (const auto& path : orphans) std::filesystem::remove(path, error);
    return {};
  }));
}

void SigningCertificates::forget(const std::string& key_file) {
  database_.after_commit([path = path_of(key_file)] {
    std::error_code error;  // what cannot be removed now is an orphan for the next opening
    std::filesystem::remove(path, error);
  });
}

ServiceResult<std::optional<std::string>> SigningCertificates::key_file_of(const std::string& arn) {
  std::optional<std::string> file;
  const auto read = database_.query("SELECT key_file FROM signing_certificates WHERE arn = ?", {arn},
                                    [&file](const Row& row) { file = row.text(0); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  return file;
}

ServiceResult<std::string> SigningCertificates::import(const CertificateImport& import,
                                                       const std::string& arn) {
  if (const auto valid = check_import(import); !valid) return tl::unexpected(valid.error());
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    return refuse(ErrorCode::kInternalError, fmt::format("cannot make {}: {}", folder_, error.message()));
  }
  return database_.transaction([&]() -> ServiceResult<std::string> {
    const auto before = key_file_of(arn);
    if (!before) return tl::unexpected(before.error());
    if (!arn.empty() && !*before) return no_such_certificate(arn);
    const std::string id = uuid_();
    const std::string key_file = id + std::string(kSuffix);
    const std::string name =
        arn.empty() ? fmt::format("arn:aws:acm:{}:{}:certificate/{}", kRegion, kAccount, id) : arn;
    if (const auto written = write_file_atomic(path_of(key_file), import.private_key, kOwnerOnly); !written) {
      return tl::unexpected(ServiceError(written.error()));
    }
    const auto kept = database_.execute("INSERT OR REPLACE INTO signing_certificates VALUES (?, ?, ?, ?, ?)",
                                        {name, import.certificate, import.chain, clock_.now(), key_file});
    if (!kept) {
      std::filesystem::remove(path_of(key_file), error);
      return tl::unexpected(ServiceError(kept.error()));
    }
    if (*before) forget(**before);
    return name;
  });
}

ServiceResult<SigningCertificate> SigningCertificates::describe(const std::string& arn) {
  std::optional<SigningCertificate> certificate;
  const auto read =
      database_.query("SELECT arn, certificate, chain, imported_at FROM signing_certificates WHERE arn = ?",
                      {arn}, [&certificate](const Row& row) { certificate = read_row(row); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  if (!certificate) return no_such_certificate(arn);
  return *std::move(certificate);
}

ServiceResult<crypto::SigningKey> SigningCertificates::key_of(const std::string& arn) {
  const auto file = key_file_of(arn);
  if (!file) return tl::unexpected(file.error());
  if (!*file) return no_such_certificate(arn);
  const auto pem = read_file(path_of(**file));
  if (!pem) return tl::unexpected(ServiceError(pem.error()));
  auto key = crypto::SigningKey::from_pem({reinterpret_cast<const char*>(pem->data()), pem->size()});
  if (!key)
    return refuse(ErrorCode::kInternalError, fmt::format("{}: {}", path_of(**file), key.error().message));
  return *std::move(key);
}

ServiceResult<Page<SigningCertificate>> SigningCertificates::list(const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  std::vector<SigningCertificate> all;
  const auto read = database_.query(
      "SELECT arn, certificate, chain, imported_at FROM signing_certificates WHERE arn > ? ORDER BY arn "
      "LIMIT ?",
      {start->after, start->limit}, [&all](const Row& row) { all.push_back(read_row(row)); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  return make_page(std::move(all), *start, [](const SigningCertificate& one) { return one.arn; });
}

ServiceResult<void> SigningCertificates::remove(const std::string& arn) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto file = key_file_of(arn);
    if (!file) return tl::unexpected(file.error());
    if (!*file) return no_such_certificate(arn);
    const auto gone = database_.execute("DELETE FROM signing_certificates WHERE arn = ?", {arn});
    if (!gone) return tl::unexpected(ServiceError(gone.error()));
    forget(**file);
    return {};
  });
}

}  // namespace otasim::cloud
