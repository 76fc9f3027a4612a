"""OTA simulator commands and pretty-printers for GDB.

`otasim debug` and `otasim replay --gdb` source this file and call otasim_begin(). In GDB:

  otasim state          the OTA agent: state, job, file, blocks
  otasim records        the device's flash, decoded: boot records, slots, images
  otasim where          the last event of the run, and the console's last lines
  otasim at PLACE       stop once at an event, op:N or line:TEXT
  otasim until PLACE    the same, and continue
  otasim pal CODE       an OtaPalStatus_t in words

where, at and until need a run that goes on: `otasim debug`.

Values of the agent's and the bootloader's types are printed in words by `print`, `info locals` and so on.
"""

import os
import subprocess

import gdb


class Session:
    program = ""
    flash = ""
    is_live = False  # a run that goes on, and not a replay of one
    application = ""  # whose symbols are loaded


def otasim_begin(program, flash, application, is_live):
    Session.program, Session.flash, Session.is_live = program, flash, is_live
    load_application(application)
    if is_live:
        gdb.events.stop.connect(lambda event: follow_image())


def load_application(path):
    if path == Session.application or not os.path.exists(path):
        return
    if Session.application:
        remove_symbols(Session.application)
    gdb.execute('add-symbol-file "%s"' % path, to_string=True)
    Session.application = path


def remove_symbols(path):
    objfile = gdb.lookup_objfile(os.path.basename(path))
    address = text_address(path)
    if objfile is not None and address is not None:
        gdb.execute("remove-symbol-file -a 0x%x" % address, to_string=True)


def text_address(path):
    """Where the program's .text stands."""
    with open(path, "rb") as file:
        data = file.read()
    table = int.from_bytes(data[32:36], "little")
    size = int.from_bytes(data[46:48], "little")
    count = int.from_bytes(data[48:50], "little")
    executable = 4
    for index in range(count):
        header = data[table + index * size : table + (index + 1) * size]
        if int.from_bytes(header[8:12], "little") & executable:
            return int.from_bytes(header[12:16], "little")
    return None


def follow_image():
    """Symbols of the image that runs: variants of the application are programs of their own."""
    path = monitor("symbols").strip()
    if path:
        load_application(path)


def monitor(words):
    try:
        return gdb.execute("monitor otasim " + words, to_string=True)
    except gdb.error:
        return ""


def ask_run(words):
    if not Session.is_live:
        raise gdb.GdbError("there is no run that goes on: this command needs `otasim debug`")
    return gdb.execute("monitor otasim " + words, to_string=True)


# ---- values


def text(array):
    """A C string in a byte array, or behind a pointer."""
    if array.type.code == gdb.TYPE_CODE_PTR:
        if int(array) == 0:
            return "(none)"
        return array.cast(gdb.lookup_type("char").pointer()).string(errors="replace")
    return bytes_of(array).split(b"\0")[0].decode(errors="replace")


def elements(array):
    """std::array or a C array."""
    if array.type.strip_typedefs().code == gdb.TYPE_CODE_ARRAY:
        low, high = array.type.strip_typedefs().range()
        return [array[i] for i in range(low, high + 1)]
    return elements(array["_M_elems"])


def bytes_of(array):
    return bytes(int(element) & 0xFF for element in elements(array))


def enum_name(value):
    return str(value).split("::")[-1]


def atomic(value):
    """std::atomic of a plain type."""
    for member in ("_M_i", "_M_base"):
        try:
            inner = value[member]
        except gdb.error:
            continue
        return inner if member == "_M_i" else atomic(inner)
    return value


def version(value):
    return "%d.%d.%d" % (int(value["major"]), int(value["minor"]), int(value["revision"]))


def pal_status(code):
    main = code >> 24
    try:
        names = {f.enumval: f.name for f in gdb.lookup_type("OtaPalMainStatus_t").strip_typedefs().fields()}
    except gdb.error:
        names = {}
    name = names.get(main, "unknown")
    return "%s (0x%02x), sub-code 0x%06x" % (name, main, code & 0xFFFFFF)


# ---- printers


class VersionPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return version(self.value)


class JobIdPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return job_id(self.value)


def job_id(value):
    return text(value["characters"]) or "(none)"


class ImageIdentityPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "%s counter %d, %d bytes, sha256 %s, job %s" % (
            version(self.value["version"]),
            int(self.value["security_counter"]),
            int(self.value["size"]),
            bytes_of(self.value["digest"]).hex()[:16],
            job_id(self.value["job_id"]),
        )


class BootStatePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        v = self.value
        return "committed %s [%s], staged %s %s after %d attempts (%s) [%s]" % (
            enum_name(v["committed_slot"]),
            v["committed"],
            enum_name(v["staged_slot"]),
            enum_name(v["staged_state"]),
            int(v["attempts"]),
            enum_name(v["reject_reason"]),
            v["staged"],
        )


class BootRecordPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        role = self.value["role"].cast(gdb.lookup_type("boot::RecordRole"))
        return "record %d, %s: %s" % (int(self.value["sequence"]), enum_name(role), self.value["state"])


PRINTERS = {
    "boot::image::Version": VersionPrinter,
    "boot::JobId": JobIdPrinter,
    "boot::ImageIdentity": ImageIdentityPrinter,
    "boot::BootState": BootStatePrinter,
    "boot::BootRecord": BootRecordPrinter,
}


class PalStatusPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return pal_status(int(self.value))


def find_printer(value):
    if value.type.name == "OtaPalStatus_t":
        return PalStatusPrinter(value)
    plain = value.type.unqualified().strip_typedefs()
    printer = PRINTERS.get(plain.name or "")
    return printer(value) if printer else None


gdb.pretty_printers.append(find_printer)


# ---- commands


class OtasimCommand(gdb.Command):
    """otasim's commands: state, records, where, at, until, pal."""

    def __init__(self):
        super().__init__("otasim", gdb.COMMAND_USER, gdb.COMPLETE_NONE, True)


class StateCommand(gdb.Command):
    """otasim state: the OTA agent's state, its job and the file in hand.

Before the application has started, what is shown is what its memory held."""

    def __init__(self):
        super().__init__("otasim state", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        agent = find_agent()
        print("state    %s" % enum_name(atomic(agent["state_"])))
        print("image    %s" % enum_name(atomic(agent["image_state_"])))
        print("thing    %s" % text(agent["thing_name_"]))
        print("job      %s" % (text(agent["job_id_"]) or "(none)"))
        if text(agent["last_job_id_"]):
            print("last job %s" % text(agent["last_job_id_"]))
        if not text(agent["job_id_"]):
            return
        file = agent["file_"]
        protocol = {1: "MQTT", 2: "HTTP"}.get(int(agent["protocol_"]), "none yet")
        print("file     %s, %d bytes, %d blocks to come, over %s" % (
            text(file["pFilePath"]), int(file["fileSize"]), int(file["blocksRemaining"]), protocol))
        window = agent["window_"]
        print("window   %d blocks, %d in flight, %d wanted; %d requests without progress" % (
            int(window["window_"]), int(window["in_flight_count_"]), int(window["wanted_count_"]),
            int(agent["momentum_"])))


def find_agent():
    # Link-time optimisation leaves a declaration without an address beside the object.
    for symbol in gdb.lookup_static_symbols("(anonymous namespace)::instance"):
        if symbol.addr_class == gdb.SYMBOL_LOC_STATIC:
            return symbol.value()["agent"]
    raise gdb.GdbError("the program whose symbols are loaded has no OTA agent: %s" % Session.application)


class RecordsCommand(gdb.Command):
    """otasim records: the device's flash as it is now, decoded: boot records, slots and images."""

    def __init__(self):
        super().__init__("otasim records", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        if not Session.flash:
            raise gdb.GdbError("no device is known: otasim_begin() was not called")
        command = [Session.program, "flash", "show", Session.flash]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise gdb.GdbError(done.stderr.strip())
        print(done.stdout.rstrip())


class WhereCommand(gdb.Command):
    """otasim where: the last event of the run, and the console's last lines."""

    def __init__(self):
        super().__init__("otasim where", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        print(ask_run("where").rstrip())


class AtCommand(gdb.Command):
    """otasim at PLACE: stop once at an event (boot.verify, cloud.job_execution:SUCCEEDED), op:N or line:TEXT."""

    def __init__(self, name="otasim at"):
        super().__init__(name, gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        answer = ask_run("at " + argument).rstrip()
        if not answer.startswith("stops once at "):
            raise gdb.GdbError(answer)
        print(answer)


class UntilCommand(AtCommand):
    """otasim until PLACE: `otasim at PLACE`, then continue."""

    def __init__(self):
        super().__init__("otasim until")

    def invoke(self, argument, from_tty):
        super().invoke(argument, from_tty)
        gdb.execute("continue")


class PalCommand(gdb.Command):
    """otasim pal CODE: an OtaPalStatus_t in words."""

    def __init__(self):
        super().__init__("otasim pal", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        print(pal_status(int(gdb.parse_and_eval(argument)) & 0xFFFFFFFF))


for command in (OtasimCommand, StateCommand, RecordsCommand, WhereCommand, AtCommand, UntilCommand, PalCommand):
    command()
