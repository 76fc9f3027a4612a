// The images of a scenario, made from a linked application and keys: what each member of the table does to
// them.
#include "sim/scenario/images.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/key.h"
#include "sim/image/image.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kCodeBytes = 3000;

/// An application as the linker leaves it: one segment of `code`.
std::string elf_of(std::uint32_t address, const Bytes& code) {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_ARM;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf32_Phdr);
  header.e_phnum = 1;
  Elf32_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_paddr = address;
  segment.p_filesz = static_cast<Elf32_Word>(code.size());
  std::string file(sizeof header + sizeof segment + code.size(), '\0');
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, &segment, sizeof segment);
  std::memcpy(file.data() + segment.p_offset, code.data(), code.size());
  return file;
}

class Images : public testing::Test {
 protected:
  Images() {
    const std::uint32_t base = board.load_address + boot::image::kDefaultHeaderSize;
    write(products.application_elf = folder.file("app.elf"), elf_of(base, Bytes(kCodeBytes, 0xA1)));
    write(products.recovery_elf = folder.file("recovery.elf"), elf_of(base, Bytes(kCodeBytes, 0xB2)));
    write(products.boot_signing_key = folder.file("boot.pem"), key.private_pem());
  }
  static void write(const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(write_file_atomic(path, bytes).has_value());
  }
  Result<Bytes> make(const json& spec, std::uint64_t seed = 1) {
    return make_image(spec, board, products, seed);
  }
  Bytes good(const json& spec, std::uint64_t seed = 1) {
    auto image = make(spec, seed);
    EXPECT_TRUE(image.has_value()) << (image ? "" : image.error().message);
    return image.value_or(Bytes{});
  }
  std::string problem(const json& spec) {
    const auto image = make(spec);
    if (image) return "none";
    EXPECT_EQ(image.error().code, ExitCode::kUsage);
    return image.error().message;
  }
  [[nodiscard]] std::string verified(const Bytes& image) const {
    const auto info = image::verify(image, key);
    return info ? image::to_string(info->version) : info.error().message;
  }

  TempDir folder = TempDir::create().value();
  const lab::Board& board = lab::boards().front();
  crypto::P256Key key = crypto::P256Key::generate().value();
  lab::BuildProducts products;
};

TEST_F(Images, AnImageIsTheApplicationSignedAsItsVersion) {
  const Bytes image = good({{"version", "1.2.3"}});
  const auto info = image::verify(image, key);
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(image::to_string(info->version), "1.2.3");
  EXPECT_EQ(info->security_counter, 1U);
  EXPECT_EQ(info->load_address, board.load_address);
  EXPECT_EQ(info->payload_size, kCodeBytes);
  EXPECT_EQ(image[info->header_size], 0xA1);
  EXPECT_EQ(info->kind.value_or(0), static_cast<std::uint32_t>(boot::image::Kind::kApplication));
}

TEST_F(Images, CounterAndKindAreAsGiven) {
  const auto info =
      image::verify(good({{"version", "1.0.0"}, {"security_counter", 77}, {"kind", "recovery"}}), key);
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info->security_counter, 77U);
  EXPECT_EQ(info->kind, static_cast<std::uint32_t>(boot::image::Kind::kRecovery));
}

TEST_F(Images, ARecoveryImageHasTheRecoveryProgram) {
  const Bytes image = good({{"version", "1.0.0"}, {"kind", "recovery"}});
  EXPECT_EQ(image[boot::image::kDefaultHeaderSize], 0xB2);
}

TEST_F(Images, AnApplicationOfOnesOwnIsSignedAsItsVersion) {
  const std::string own = folder.file("own.elf");
  const std::uint32_t base = board.load_address + boot::image::kDefaultHeaderSize;
  Bytes code(kCodeBytes, 0xC3);
  const std::uint32_t stack = 0x20010000;  // in its RAM
  const std::uint32_t reset = base + 0x101;
  std::memcpy(code.data(), &stack, sizeof stack);
  std::memcpy(code.data() + sizeof stack, &reset, sizeof reset);
  write(own, elf_of(base, code));
  const Bytes image = good({{"version", "3.2.1"}, {"elf", own}});
  ASSERT_EQ(verified(image), "3.2.1");
  EXPECT_EQ(image[boot::image::kDefaultHeaderSize + 100], 0xC3);
  write(own, "this is not firmware");
  EXPECT_THAT(problem({{"version", "3.2.1"}, {"elf", own}}), HasSubstr("no ELF header"));
  EXPECT_THAT(problem({{"version", "3.2.1"}, {"elf", "/nonexistent"}}), HasSubstr("/nonexistent"));
}

TEST_F(Images, ASignedImageIsTakenAsItIs) {
  const std::string file = folder.file("own.img");
  const Bytes foreign = good({{"version", "5.0.0"}, {"boot_signer", "foreign"}});
  write(file, std::string(foreign.begin(), foreign.end()));
  EXPECT_EQ(good({{"version", "1.0.0"}, {"file", file}}), foreign) << "whoever signed it";
  write(file, "this is not firmware");
  EXPECT_THAT(problem({{"file", file}}), HasSubstr("not an image"));
  EXPECT_THAT(problem({{"file", "/nonexistent"}}), HasSubstr("/nonexistent"));
}

TEST_F(Images, AForeignSignersImageDoesNotVerify) {
  EXPECT_EQ(verified(good({{"version", "1.0.0"}, {"boot_signer", "boot"}})), "1.0.0");
  EXPECT_THAT(verified(good({{"version", "1.0.0"}, {"boot_signer", "foreign"}})), HasSubstr("key"));
}

TEST_F(Images, RandomBytesAreTheSeeds) {
  const auto payload = [this](std::uint64_t seed) {
    const Bytes image = good({{"version", "1.0.0"}, {"extra_bytes", 64}}, seed);
    EXPECT_EQ(verified(image), "1.0.0");
    const auto begin = image.begin() + boot::image::kDefaultHeaderSize;
    return Bytes(begin, begin + kCodeBytes + 64);
  };
  EXPECT_EQ(payload(5), payload(5));
  EXPECT_NE(payload(5), payload(6));
  EXPECT_EQ(image::parse(good({{"version", "1.0.0"}, {"extra_bytes", 64}}))->payload_size, kCodeBytes + 64);
}

TEST_F(Images, OneMayFillItsSlotExactly) {
  const Bytes image = good({{"version", "1.0.0"}, {"fills_slot", true}});
  EXPECT_EQ(image.size(), flash::kSlotSize);
  EXPECT_EQ(verified(image), "1.0.0");
}

TEST_F(Images, DamageIsDoneToTheSignedImage) {
  const Bytes whole = good({{"version", "1.0.0"}});
  for (const std::size_t offset : {std::size_t{1000}, whole.size() - 200}) {
    const Bytes damaged = good({{"version", "1.0.0"}, {"damage", {{"offset", offset}}}});
    EXPECT_NE(verified(damaged), "1.0.0") << offset;
  }
  const Bytes damaged = good({{"version", "1.0.0"}, {"damage", {{"offset", 1000}, {"bytes", 3}}}});
  int changed = 0;
  for (std::size_t i = 0; i < boot::image::kDefaultHeaderSize + kCodeBytes; ++i) {
    if (damaged[i] == whole[i]) continue;
    EXPECT_EQ(damaged[i], 0xFF ^ whole[i]) << i;
    ++changed;
  }
  EXPECT_EQ(changed, 3);
}

TEST_F(Images, DamageBeyondTheImageIsRefused) {
  EXPECT_THAT(problem({{"version", "1.0.0"}, {"damage", {{"offset", 16'777'216}}}}),
              StartsWith("the damage is outside of the image of "));
  EXPECT_THAT(problem({{"version", "1.0.0"}, {"damage", {{"offset", 0}, {"bytes", 16'777'216}}}}),
              StartsWith("the damage is outside"));
}

TEST_F(Images, BytesAreTakenAsTheyAre) {
  EXPECT_EQ(good({{"bytes", "00fF10"}}), (Bytes{0x00, 0xFF, 0x10}));
  EXPECT_EQ(good({{"bytes", ""}}), Bytes{});
  EXPECT_EQ(problem({{"bytes", "0"}}), "'0' is not hexadecimal");
  EXPECT_EQ(problem({{"bytes", "0g"}}), "'0g' is not hexadecimal");
  EXPECT_EQ(problem({{"bytes", "+1"}}), "'+1' is not hexadecimal");
}

TEST_F(Images, AVersionIsNeededAndMustBeOne) {
  EXPECT_NE(problem(json::object()), "none");
  EXPECT_THAT(problem({{"version", "1.0"}}), HasSubstr("1.0"));
  EXPECT_THAT(problem({{"version", "1.0.99999999"}}), HasSubstr("99999999"));
}

TEST_F(Images, OneMayBeLargerThanASlot) {
  const Bytes image = good({{"version", "1.0.0"}, {"extra_bytes", flash::kSlotSize}});
  EXPECT_GT(image.size(), flash::kSlotSize);
  EXPECT_EQ(verified(image), "1.0.0");
}

TEST_F(Images, AMissingProgramIsSaid) {
  products.application_elf = folder.file("none.elf");
  const auto image = make({{"version", "1.0.0"}});
  ASSERT_FALSE(image.has_value());
  EXPECT_EQ(image.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(image.error().message, HasSubstr("none.elf"));
}

TEST_F(Images, OfSeveralTheWrongOneIsNamed) {
  const auto images =
      make_images({{"a", {{"version", "1.0.0"}}}, {"b", {{"bytes", "00"}}}}, board, products, 1);
  ASSERT_TRUE(images.has_value());
  EXPECT_EQ(images->size(), 2U);
  const auto wrong =
      make_images({{"a", {{"version", "1.0.0"}}}, {"b", {{"bytes", "0"}}}}, board, products, 1);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().message, "cannot make the image 'b': '0' is not hexadecimal");
}

}  // namespace
}  // namespace otasim::scenario
