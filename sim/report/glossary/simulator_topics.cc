#include <array>

#include "sim/report/glossary/parts.h"

namespace otasim::report {
namespace {

constexpr std::string_view kPage = "otasim report open RUN";

constexpr std::array kInvariants{
    Term{"S1", "within three clean boots the device starts an approved image, or is in its fail-safe mode",
         "boot control and slots do not agree, or the device does not boot at all",
         "otasim flash show RUN\nthe console after the last power on"},
    Term{"S2", "no image starts whose bytes in raw flash the host cannot verify",
         "the bootloader took an image it should not have",
         "otasim flash show RUN\notasim image verify FILE"},
    Term{"S3", "no application starts whose security counter is below the highest committed before",
         "a rollback: OTP or the check of its floor is broken",
         "boot: verify and boot: commit on the console\n"
         "otasim flash show RUN"},
    Term{"S4", "a job SUCCEEDED only if its image was approved, and no job FAILED whose image is running",
         "the agent reports before the platform's record is durable, or the other way",
         "cloud.job_execution beside boot: lines: "
         "otasim report open RUN"},
    Term{"S5",
         "nothing is programmed onto cells that are not erased, nothing is written outside the update's "
         "places, "
         "and the erases are bounded",
         "a driver's or PAL's fault", "otasim flash at OPERATION RUN"},
    Term{"S6", "provisioning, recovery slot and OTP change in no other way than by a burn",
         "a lock is missing", "otasim flash diff A B"},
    Term{"L1", "once faults stop, the update completes or is refused with a reason",
         "the agent is stuck, or gave up silently", "otasim explain --run RUN"},
    Term{"L2", "repeated boots converge: two in a row come to the same image and change nothing",
         "a boot undoes what the one before did", "the console of the clean boots\notasim flash show RUN"},
    Term{"L3", "the agent resumes, renews an expired URL, drops a cancelled job and takes the next",
         "judged by the scenarios of these names, not by one check", "otasim scenario list"},
};

constexpr std::array kExitCodes{
    Term{"ok", "it was done, and all that was judged has passed", {}, {}, 0},
    Term{"failed",
         "the update, scenario, test or sweep failed: the device's or the cloud's doing",
         {},
         "otasim explain --run RUN",
         1},
    Term{"usage", "the command line or an input file is wrong", "a misspelt option or a file of another kind",
         "--help of the command", 2},
    Term{"environment", "a tool, port, file or permission is missing, or a helper process died",
         "otasim was not built, or the machine lacks something", "otasim doctor", 3},
    Term{"internal", "a bug in otasim", {}, "please report the command line and the message", 4},
    Term{"interrupted", "Ctrl-C or SIGTERM", {}, {}, 130},
};

constexpr std::array kResults{
    Term{"passed", "all that the scenario expects holds, and every invariant"},
    Term{"failed",
         "something that the scenario expects does not hold, or an invariant is broken",
         {},
         "otasim explain --run RUN"},
    Term{"error", "the scenario could not be played to its end, for this machine's sake",
         "a missing tool, a full disk", "otasim doctor"},
    Term{"interrupted", "it was stopped before its end", "Ctrl-C", {}},
};

constexpr std::array kStandings{
    Term{"committed", "the oracle: flash approves this image, and it is committed"},
    Term{"accepted", "the oracle: the image has accepted itself durably, and the next boot commits it"},
    Term{"recovery", "the oracle: no application may start, the recovery image does"},
    Term{"none", "the oracle: nothing may start", "flash was damaged", "otasim flash show RUN"},
};

constexpr std::array kRefusers{
    Term{"agent", "the OTA agent refused the update: a reason without a platform's code"},
    Term{"pal", "the platform refused the file: signature, signer or size"},
    Term{"bootloader", "the bootloader refused the image"},
    Term{"cloud", "the cloud refused a request"},
    Term{"tls", "the device refused the server's certificate"},
};

/// Beginnings and middles of what the judge says; {} stands for anything.
constexpr std::array kVerdicts{
    Term{"has no execution of the job", "the job never reached the device's queue",
         "the update was refused by the cloud, or targets another thing",
         "cloud.update_refused in the run's events"},
    Term{"the job {} of {} is {}, expected", "the job ended otherwise than the scenario expects",
         "the reason in the brackets", "otasim explain REASON"},
    Term{"the job {} of {} has the reason", "the status is right, the reason is not",
         "another check struck first", "otasim explain REASON"},
    Term{"says that the image which starts next is", "flash approves another image than the scenario expects",
         "the update was not committed, or fell back", "otasim flash show RUN"},
    Term{"starts next from slot", "flash approves another slot than the scenario expects",
         "the update fell back", "otasim flash show RUN"},
    Term{"does not approve the image", "flash approves other bytes than the image's", "the update fell back",
         "otasim flash show RUN"},
    Term{"{} runs {}, expected", "another version was started last", "the update fell back, or never came",
         "boot: lines on the console"},
    Term{"the trace ends before its event", "an event that the scenario expects did not come in its place",
         "the update took another way", kPage},
    Term{"this was never to happen", "an event came that the scenario forbids", {}, kPage},
    Term{"refused by:", "others refused than the scenario expects", "a check struck earlier or later",
         "otasim explain --topic refuser"},
    Term{"did not end within", "a wait or the run was over its limit: what it waited for did not come",
         "the device is stuck, or the machine is very busy", "the console's last line, in the message"},
    Term{"went off by itself", "QEMU ended", "the processor locked up, or QEMU was killed",
         "the console's last lines, otasim doctor"},
};

constexpr std::array kDeviceResets{
    Term{"external", "somebody reset it from outside", "a fault device.reset, or an operator",
         "run.fault in the run's events"},
};

constexpr std::array kTopics{
    Topic{"invariant", "what must hold after every run", "a failure that begins with the name", "",
          kInvariants},
    Topic{"exit-code", "exit codes of otasim", "the shell's $?", "", kExitCodes},
    Topic{"result", "what a run came to", "result.json, matrix.json", "", kResults},
    Topic{"standing", "what the oracle says of the image that starts next", "expect.devices standing", "",
          kStandings},
    Topic{"refuser", "who refused an update", "expect.refused_by", "", kRefusers},
    Topic{topic::kVerdict, "what the judge says", "the failures of a run", "", kVerdicts},
    Topic{"device-reset", "who reset a device, beside software and watchdog", "device.reset cause", "",
          kDeviceResets},
};

}  // namespace

std::span<const Topic> simulator_topics() {
  return kTopics;
}

}  // namespace otasim::report
