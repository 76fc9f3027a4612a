#include <array>

#include "sim/report/glossary/parts.h"

namespace otasim::report {
namespace {

constexpr std::string_view kShowFlash = "otasim flash show RUN";

constexpr std::array kImageVerdicts{
    Term{"ok", "the image may start"},
    Term{"flash-error", "the slot or OTP cannot be read", "a fault of the flash part",
         "boot: failure on the console", 1},
    Term{"no-image", "the slot does not begin with an image's magic",
         "nothing was received, the download was cut, or a commit has erased the old image's first sector",
         kShowFlash, 2},
    Term{"bad-header", "the image's header is not sound",
         "damaged flash, or an image of another tool's settings", "otasim image info FILE", 3},
    Term{"not-ram-load", "the header lacks the RAM-load flag", "imgtool without --load-addr",
         "otasim image info FILE\ndocs/boot.md, \"What an image must be\"", 4},
    Term{"wrong-load-address", "it is linked or signed for another address", "an image of another board",
         "--board and --load-addr\notasim image info FILE", 5},
    Term{"bad-size", "its sizes do not fit into the slot or into each other",
         "damaged flash, or a truncated file", "otasim image info FILE", 6},
    Term{"bad-tlv", "an entry of the TLV area is malformed", "damaged flash, or another tool",
         "otasim image info FILE", 7},
    Term{"duplicate-tlv", "an entry stands twice in the TLV area", "another tool, or an attack",
         "otasim image info FILE", 8},
    Term{"unexpected-tlv", "an unprotected entry is none of those that may stand there",
         "another tool, or an attack", "otasim image info FILE", 9},
    Term{"missing-tlv", "a required entry is not there: hash, key, signature or security counter",
         "an image that was not signed, or without --security-counter", "otasim image info FILE", 10},
    Term{"hash-mismatch", "the image's bytes are not those that were hashed",
         "flash changed after signing: bit rot, a torn or dropped program, an attack",
         "otasim flash diff A B\notasim flash show RUN", 11},
    Term{"unknown-key", "no signer in ROM has the key that signed it", "signed with a key of another build",
         "otasim image verify FILE", 12},
    Term{"bad-signature", "the signature does not hold", "a damaged or forged image",
         "otasim image verify FILE", 13},
    Term{"wrong-kind", "an application stands in the recovery slot, or the other way",
         "an update with a recovery image", "otasim image info FILE", 14},
    Term{"counter-too-low", "its security counter is below the floor in OTP", "an old image: a rollback",
         "the security counters: otasim image info FILE\notasim flash show RUN", 15},
    Term{"counter-too-high", "its security counter is beyond what OTP can hold", "a counter above 960",
         "--security-counter", 16},
    Term{"not-on-record", "a sound image, but not the one boot control speaks of",
         "the slot was written past the update's way", kShowFlash, 17},
    Term{"revoked-key", "the signer's key is revoked in OTP", "an image signed before the key was given up",
         "sign it with the spare key; docs/boot.md, \"Keys\"", 18},
    Term{"bad-encryption", "the payload's key was not made for this ROM", "encrypted for another build",
         "otasim image info FILE", 19},
};

constexpr std::array kStages{
    Term{"reset", "the bootloader starts; reason tells why", {}, "otasim explain --topic reset-reason"},
    Term{"control", "what boot control has on record", {}, "otasim explain --topic staged-state"},
    Term{"verify", "an image was loaded and checked", {}, "otasim explain --topic image-verdict"},
    Term{"reject", "the staged image is given up", {}, "otasim explain --topic reject-reason"},
    Term{"commit", "the accepted image is made the committed one, or that is put off", {}, kShowFlash},
    Term{"failure", "a step failed for the flash part's sake", {}, "otasim explain --topic boot-step"},
    Term{"unlocked", "the part has no locks: an application can write what it should not",
         "the board's flash chip (emcraft-sf2)", "docs/threat-model.md"},
    Term{"start", "the bootloader jumps into an image", {}, "otasim explain --topic boot-state"},
    Term{"refused", "the second verification came to another result than the first; the device resets",
         "a skipped instruction, or memory that changed in between",
         "docs/decisions/0009-second-verification.md"},
    Term{"halt",
         "nothing can be started; the device sleeps until its power is cut",
         {},
         "otasim explain --topic halt-reason"},
};

constexpr std::array kSteps{
    Term{"read-control", "boot control could not be read", "a fault of the flash part", kShowFlash},
    Term{"settle-control", "the state in force could not be written anew",
         "a fault of the flash part: the device goes on with what it read", kShowFlash},
    Term{"burn-recovery-counter", "OTP could not be burned to the recovery image's counter", "a fault of OTP",
         kShowFlash},
    Term{"burn-counter", "OTP could not be burned to the image's counter; tried again at the next boot",
         "a fault of OTP, or of the flash part", kShowFlash},
    Term{"erase-old-image", "the old image's first sector could not be erased; the commit goes on",
         "a fault of the flash part", kShowFlash},
    Term{"record-trial", "the attempt could not be recorded, so the image is not started",
         "a fault in boot-control-*", kShowFlash},
    Term{"record-commit", "the commit could not be recorded; tried again at the next boot",
         "a fault in boot-control-*", kShowFlash},
    Term{"record-rejection", "the rejection could not be recorded; tried again at the next boot",
         "a fault in boot-control-*", kShowFlash},
    Term{"record-first-image", "the first image of a new device could not be recorded",
         "a fault in boot-control-*", kShowFlash},
    Term{"record-fall-back", "the return to the previous image could not be recorded",
         "a fault in boot-control-*", kShowFlash},
    Term{"lock", "what the application must not write could not be locked", "a fault of the flash controller",
         kShowFlash},
};

constexpr std::array kStagedStates{
    Term{"empty", "no image is staged", {}, {}, 0},
    Term{"receiving", "a download is under way, or was given up in the middle", {}, {}, 1},
    Term{"verified", "the image is complete and verified; the next boot tries it", {}, {}, 2},
    Term{"trial", "the image was started and has not accepted itself yet",
         "if it stands there at a reset: it crashed, hung, or was too slow", "the reset's reason", 3},
    Term{"accepted", "the image has accepted itself; the next boot commits it", {}, {}, 4},
    Term{"rejected", "the image will not be started again", {}, "otasim explain --topic reject-reason", 5},
};

constexpr std::array kBootStates{
    Term{"committed", "the image that the device falls back to", {}, {}, 0},
    Term{"trial", "a new image's one attempt; a deadline in ROM runs", {}, {}, 1},
    Term{"accepted", "accepted, but the commit could not be finished yet", "a fault of flash or OTP",
         "boot: failure on the console", 2},
    Term{"recovery", "no application may start: the recovery image runs, which can only update the device",
         "both slots are damaged or below the floor", kShowFlash, 3},
};

constexpr std::array kRejectReasons{
    Term{"none", "nothing was rejected", {}, {}, 0},
    Term{"bad-image", "the bootloader refused the staged image", "see boot: verify before it",
         "otasim explain --topic image-verdict", 1},
    Term{"trial-failed", "it was started and did not accept itself",
         "it crashed, hung, never connected within its deadline, or power failed during the trial",
         "the reset's reason and the console before it\notasim run SCENARIO --record, then otasim replay RUN "
         "--gdb",
         2},
    Term{"refused", "the image itself, or the application that received it, rejected it",
         "the self test failed, or the job was given up",
         "app: self test failed on the console, the job's reason", 3},
};

constexpr std::array kResetReasons{
    Term{"power-on", "power came, or the processor could not note another reason", {}, {}, 0},
    Term{
        "software", "the software asked for it: a restart into a new image, or after a rejection", {}, {}, 1},
    Term{"watchdog", "the watchdog bit",
         "a crash, a hang, or an image on trial that did not accept itself in time",
         "the console before it\notasim debug SCENARIO", 2},
};

constexpr std::array kHaltReasons{
    Term{"flash-does-not-answer", "the flash part cannot be read",
         "a broken part, or firmware of another board", kShowFlash},
    Term{"no-image-may-start", "neither slot nor recovery holds an image that verifies",
         "flash was damaged, and there is no recovery image", kShowFlash},
    Term{"application-would-run-unlocked", "the locks could not be set, so nothing is started",
         "a fault of the flash controller", "boot: failure step=lock on the console"},
};

constexpr std::array kOtherReasons{
    Term{"acceptance-not-durable",
         "the commit is put off: the record of the acceptance may read differently "
         "at the next boot",
         "power failed while it was written", kShowFlash},
    Term{"part-has-no-locks", "the flash chip has no locks", "emcraft-sf2's chip", "docs/threat-model.md"},
    Term{"second-verification-differs", "the image verified once, and not again; the device resets",
         "a skipped instruction, or memory that changed", "docs/decisions/0009-second-verification.md"},
};

constexpr std::array kTopics{
    Topic{topic::kImageVerdict, "what the bootloader finds wrong with an image",
          "boot: verify result=...; the low bits of \"rejected: 0xec00000f\"", "", kImageVerdicts},
    Topic{topic::kBootStage, "lines of the boot report", "boot: STAGE ... on the console", "", kStages},
    Topic{"boot-step", "steps of the bootloader that can fail", "boot: failure step=...", "", kSteps},
    Topic{"staged-state", "the staged image's life", "boot: control state=...", "", kStagedStates},
    Topic{"boot-state", "what a started image is to the device", "boot: start state=...", "", kBootStates},
    Topic{"reject-reason", "why a staged image is given up", "boot: reject reason=...", "", kRejectReasons},
    Topic{"reset-reason", "why the device was reset", "boot: reset reason=...", "", kResetReasons},
    Topic{"halt-reason", "why nothing is started", "boot: halt reason=...", "", kHaltReasons},
    Topic{"boot-reason", "other reasons of the boot report", "boot: commit, boot: unlocked, boot: refused",
          "", kOtherReasons},
};

}  // namespace

std::span<const Topic> boot_topics() {
  return kTopics;
}

}  // namespace otasim::report
