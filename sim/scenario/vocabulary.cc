// The words of a scenario file. What each fault takes is in fault_catalog*.cc.
#include "sim/lab/boards.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {
namespace {

constexpr double kMaxSeconds = 86'400;

Member text(std::string_view name, std::string_view doc, bool is_required = false) {
  return {.name = name, .kind = Kind::kText, .doc = doc, .is_required = is_required};
}
Member choice(std::string_view name, std::vector<std::string_view> values, std::string_view doc,
              bool is_required = false) {
  return {
      .name = name, .kind = Kind::kText, .doc = doc, .is_required = is_required, .values = std::move(values)};
}
Member flag(std::string_view name, std::string_view doc) {
  return {.name = name, .kind = Kind::kFlag, .doc = doc};
}
Member texts(std::string_view name, std::string_view doc, std::vector<std::string_view> values = {}) {
  return {.name = name, .kind = Kind::kTexts, .doc = doc, .values = std::move(values)};
}
Member integer(std::string_view name, double min, double max, std::string_view doc,
               bool is_required = false) {
  return {
      .name = name, .kind = Kind::kInteger, .doc = doc, .is_required = is_required, .min = min, .max = max};
}
Member number(std::string_view name, double min, double max, std::string_view doc) {
  return {.name = name, .kind = Kind::kNumber, .doc = doc, .min = min, .max = max};
}
Member object(std::string_view name, const Shape& shape, std::string_view doc, bool is_required = false) {
  return {.name = name, .kind = Kind::kObject, .doc = doc, .shape = &shape, .is_required = is_required};
}
Member list(std::string_view name, const Shape& shape, std::string_view doc, bool is_required = false) {
  return {.name = name, .kind = Kind::kList, .doc = doc, .shape = &shape, .is_required = is_required};
}
Member map(std::string_view name, const Shape& shape, std::string_view doc) {
  return {.name = name, .kind = Kind::kMap, .doc = doc, .shape = &shape};
}
Member any(std::string_view name, std::string_view doc, bool is_required = false) {
  return {.name = name, .kind = Kind::kAny, .doc = doc, .is_required = is_required};
}

const Shape kOnly{.name = "only",
                  .doc = "Where this counts; elsewhere it is passed over.",
                  .members = {texts("boards", "On these boards"),
                              choice("data", {"mqtt", "http"}, "Over this data protocol")}};

const Member kOnlyMember = object("only", kOnly, "Where this counts (default: everywhere)");

const Shape kPattern{
    .name = "pattern",
    .doc = "A pattern of events: every further member must be in the event and match.",
    .members = {text("event", "Source and name as in docs/events.md: \"cloud.job_execution\"", true),
                kOnlyMember},
    .is_open = true};

const Shape kImageDamage{
    .name = "damage",
    .doc = "Bytes of the image that are inverted after it was signed, so that its own signature fails.",
    .members = {integer("offset", 0, 16'777'216, "First byte, from the image's start", true),
                integer("bytes", 1, 16'777'216, "How many (default: 1)")}};

const Shape kImage{
    .name = "image",
    .doc = "A firmware image: a build of the demo application, signed, unless 'bytes' says otherwise.",
    .members = {
        text("version", "MAJOR.MINOR.REVISION of the image's header"),
        text("variant", "Which build of the application: a variant of docs/application.md (default: demo)"),
        integer("security_counter", 0, 4'294'967'295.0, "Security counter in the image (default: 1)"),
        choice("boot_signer", {"boot", "spare", "foreign"},
               "Whose key signs the image for the bootloader; the ROM does not know the foreign one "
               "(default: boot)"),
        choice("kind", {"application", "recovery"}, "Kind in the image's header (default: application)"),
        flag("encrypted", "The payload is encrypted for the boot ROM's key"),
        flag("fills_slot", "Padded so that the whole image is exactly as long as a slot"),
        integer("extra_bytes", 1, 16'777'216, "Random bytes behind the application, signed with it"),
        text("bytes", "Instead of an application: these bytes, hexadecimal; no image at all"),
        text("elf", "Instead of the demo application: this one, as linked, of one's own"),
        text("file", "Instead of all this: the signed image in this file, as it is"),
        object("damage", kImageDamage, "What is broken after signing")}};

const Shape kTransfer{
    .name = "transfer",
    .doc = "How the device's agent transfers; what is missing is the application's default.",
    .members = {
        choice("protocol", {"mqtt", "http"}, "Preferred for a job that offers both"),
        integer("block_size", 256, 4096, "Bytes a block"),
        integer("blocks_per_request", 1, 512, "Blocks asked for in one request"),
        integer("blocks_in_flight", 1, 1024, "Blocks on their way at a time"),
        choice("stream_format", {"cbor", "json"}, "Encoding of stream messages"),
        flag("start_next", "Asks for jobs with StartNextPendingJobExecution"),
        integer("max_request_momentum", 1, 4'294'967'295.0, "Requests without an answer before it gives up"),
        integer("status_frequency", 1, 4'294'967'295.0, "Blocks between two progress reports")}};

const Shape kDevice{
    .name = "device",
    .doc = "A device: a board with its flash, its identity, its link.",
    .members = {
        text("name", "Its thing's name, 1 to 64 characters", true),
        text("image", "Name of the image it leaves the factory with", true),
        flag("recovery", "Its recovery slot holds the build's recovery image (default: true)"),
        flag("on", "It is switched on when the run begins (default: true)"),
        texts("groups", "Thing groups it is in"), object("transfer", kTransfer, "How its agent transfers"),
        integer("request_wait_ms", 10, 600'000, "How long its agent waits for a block (default: 10000)"),
        integer("self_test_ms", 100, 600'000,
                "How long a new image may take to accept itself (default: 16000)"),
        integer("keep_alive_s", 5, 1200, "MQTT keep-alive (default: 60)")}};

const Shape kGroup{.name = "group", .doc = "A thing group.", .members = {text("parent", "Its parent group")}};

const Shape kSigning{
    .name = "signing",
    .doc = "How an update is signed; the default is the lab's signer.",
    .members = {
        choice("by", {"lab", "untrusted", "none", "custom"},
               "lab: the code signer that devices know; untrusted: another key under the same name; none: no "
               "signature; custom: as given here",
               true),
        text("signature", "custom: the signature's bytes as text"),
        text("certificate", "custom: name of the certificate on the device"),
        choice("hash", {"SHA1", "SHA256"}, "custom: hash algorithm (default: SHA256)"),
        choice("algorithm", {"RSA", "ECDSA"}, "custom: signature algorithm (default: ECDSA)"),
        flag("damaged", "One byte of the signature is inverted"),
        flag("image_damaged_after", "One byte of the image is inverted after it was signed")}};

const Shape kUpdate{
    .name = "update",
    .doc = "Creates an OTA update; its job is AFR_OTA-<id>.",
    .members = {
        text("id", "Its id", true), text("image", "Name of the image", true),
        texts("to", "Devices, or \"group:NAME\" (default: all devices)"),
        texts("protocols", "What the job offers (default: the run's data protocol)", {"mqtt", "http"}),
        object("signing", kSigning, "How it is signed"),
        text("file_name", "Path of the file on the device (default: /update.img)"),
        integer("url_expires_s", 60, 3600, "How long a presigned URL is good (default: 1800)"),
        integer("timeout_minutes", 1, 10'080, "In-progress timeout of the job"),
        flag("continuous", "Things that join a target group later get the job, too"),
        text("expect_error", "The update must fail with this error code of AWS")}};

const Shape kJob{.name = "job",
                 .doc = "Creates a job with a document of your own.",
                 .members = {text("id", "Its id", true),
                             any("document", "The document, any JSON, or a text as it is", true),
                             texts("to", "Devices, or \"group:NAME\" (default: all devices)")}};

const Shape kWait{
    .name = "wait",
    .doc = "Waits for an event since the step before; the run fails at the limit.",
    .members = {object("for", kPattern, "The event"),
                list("for_all", kPattern, "Several events, in any order"),
                list("for_any", kPattern, "The first of several events"),
                list("unless", kPattern, "Any of these ends the wait, too, without what it waits for"),
                integer("times", 1, 1'000'000, "'for' must match so many events (default: 1)"),
                number("limit_s", 0.001, kMaxSeconds, "Give up after so many seconds (default: 20)")}};

const Shape kCancel{
    .name = "cancel",
    .doc = "Cancels a job, or one device's execution of it.",
    .members = {text("job", "The job's id", true), text("device", "Only this device's execution"),
                flag("force", "Also if it is in progress")}};

const Shape kDelete{
    .name = "delete",
    .doc = "Deletes a job.",
    .members = {text("job", "The job's id", true), flag("force", "Also if it is in progress")}};

const Shape kPower{.name = "power",
                   .doc = "Switches a device's power, or resets it.",
                   .members = {text("device", "Its name", true),
                               choice("to", {"on", "off", "cut", "reset"},
                                      "off: in order, between two operations of its flash; cut: now", true)}};

const Shape kClock{.name = "clock",
                   .doc = "Sets the cloud's clock forward or back.",
                   .members = {number("jump_s", -1e9, 1e9, "By so many seconds")}};

const Shape kClear{
    .name = "clear", .doc = "Ends a fault.", .members = {text("id", "The fault's 'id'", true)}};

const Shape kSecondClient{
    .name = "second_client",
    .doc = "Another client connects with the device's id and certificate, and disconnects.",
    .members = {text("device", "Whose", true),
                integer("hold_ms", 0, 600'000, "Stays connected so long (default: 0)")}};

const Shape kCertificate{
    .name = "certificate",
    .doc = "Changes the endpoint's TLS certificate and restarts the broker with it.",
    .members = {choice("becomes", {"valid", "expired", "not_yet_valid", "wrong_name", "other_authority"},
                       "What is wrong with it", true)}};

const Shape kKillSimulator{.name = "kill_simulator",
                           .doc =
                               "Kills the simulator (SIGKILL), and with it broker, cloud and devices; starts "
                               "it again in the same folder.",
                           .members = {}};

const Shape kSay{.name = "say", .doc = "Says something in the log.", .members = {text("text", "What", true)}};

const Shape kStep{
    .name = "step",
    .doc = "One thing that is done, or waited for.",
    .members = {object("update", kUpdate, kUpdate.doc), object("job", kJob, kJob.doc),
                object("wait", kWait, kWait.doc), object("cancel", kCancel, kCancel.doc),
                object("delete", kDelete, kDelete.doc), object("power", kPower, kPower.doc),
                object("clock", kClock, kClock.doc), object("fault", fault_shape(), fault_shape().doc),
                object("clear", kClear, kClear.doc),
                object("second_client", kSecondClient, kSecondClient.doc),
                object("certificate", kCertificate, kCertificate.doc),
                object("kill_simulator", kKillSimulator, kKillSimulator.doc), object("say", kSay, kSay.doc)},
    .is_choice = true,
    .common = {kOnlyMember}};

const Shape kExpectedJob{
    .name = "expected_job",
    .doc = "How a device's execution of a job ends.",
    .members = {text("job", "The job's id", true), text("device", "The device (default: the first)"),
                choice("status",
                       {"QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "CANCELED", "TIMED_OUT",
                        "REMOVED"},
                       "Its status", true),
                any("reason", "statusDetails.reason: a text, or an operator like {\"matches\": REGEX}")}};

const Shape kExpectedDevice{
    .name = "expected_device",
    .doc = "What a device is at the end, as the host reads its flash and what its bootloader started last.",
    .members = {text("device", "The device (default: the first)"),
                text("image", "The flash approves exactly this image"),
                text("running", "Version its bootloader started last"),
                choice("standing", {"committed", "accepted", "recovery", "none"},
                       "What the flash says of the image that starts next; none: the device halts"),
                choice("slot", {"A", "B", "recovery"}, "Where the image that starts next stands")}};

const Shape kExpect{
    .name = "expect",
    .doc = "What must be true when the steps are done.",
    .members = {list("jobs", kExpectedJob, "Each execution's status and reason"),
                list("devices", kExpectedDevice, "Each device's image"),
                texts("refused_by", "Who refused the update, by the evidence of events",
                      {"pal", "agent", "bootloader", "tls", "cloud"}),
                list("trace", kPattern, "These events happened in this order; others may stand between them"),
                list("never", kPattern, "None of these happened"),
                texts("invariants_waived", "Invariants that this case breaks on purpose",
                      {"S1", "S2", "S3", "S4", "S5", "S6", "L2"})}};

const Shape kScenario{
    .name = "scenario",
    .doc = "An otasim scenario.",
    .members = {
        text("$schema", "For editors"),
        text("name", "Its name, which is its file's", true),
        text("title", "One line for people", true),
        text("source", "Where the case comes from"),
        choice("class", {"aws", "aws-retired", "own"},
               "Which part of the matrix it belongs to (default: own)"),
        flag("slow", "May take longer than a few seconds"),
        texts("boards", "Boards it runs on (default: all)"),
        texts("data", "Data protocols it runs over (default: both)", {"mqtt", "http"}),
        texts("needs", "Capabilities its board must have",
              {lab::board_capabilities().begin(), lab::board_capabilities().end()}),
        texts("include",
              "Files whose images, devices, groups, parameters and first steps this one takes over"),
        {.name = "parameters",
         .kind = Kind::kScalars,
         .doc = "Values that '${NAME}' stands for; --set replaces them"},
        number("limit_s", 0.1, kMaxSeconds, "The whole run's limit in seconds (default: 60)"),
        integer("mqtt_port", 0, 65'535, "Port for MQTT over TLS on 127.0.0.1; 0: any free one (default: 0)"),
        map("images", kImage, "Images by name"),
        list("devices", kDevice, "The devices (default: thing-1 with the image 'factory')"),
        map("groups", kGroup, "Thing groups by name"),
        list("faults", fault_shape(), "Faults that are armed before the first step"),
        list("steps", kStep, "What happens, in order", true),
        object("expect", kExpect, "What must come of it", true)}};

}  // namespace

const Shape& scenario_shape() {
  return kScenario;
}

Result<void> check_fault(const nlohmann::json& fault, const std::string& where) {
  return check_value(fault, where, fault_shape());
}

}  // namespace otasim::scenario
