// The part of QEMU's TCG plugin interface, version 1, that the flash plugin uses.
//
// QEMU exports these functions from its own executable and resolves them when it loads the plugin. They are
// declared here because distributions ship a QEMU that loads plugins but not the header that describes them.
// The interface is plain C; names and types are QEMU's.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

using qemu_plugin_id_t = std::uint64_t;

struct qemu_plugin_tb;    ///< a block of guest instructions while it is translated
struct qemu_plugin_insn;  ///< one of them

struct qemu_info_t {
  const char* target_name;
  struct {
    int min;
    int cur;
  } version;  ///< plugin interface versions this QEMU accepts
  bool system_emulation;
  struct {
    int smp_vcpus;
    int max_vcpus;
  } system;
};

/// What a callback does with CPU registers.
enum qemu_plugin_cb_flags {
  QEMU_PLUGIN_CB_NO_REGS,
  QEMU_PLUGIN_CB_R_REGS,
  QEMU_PLUGIN_CB_RW_REGS,
};

using qemu_plugin_vcpu_tb_trans_cb_t = void (*)(qemu_plugin_id_t id, qemu_plugin_tb* tb);
using qemu_plugin_vcpu_udata_cb_t = void (*)(unsigned int vcpu_index, void* userdata);

/// Which accesses a callback is for. One for stores also comes for loads: ask qemu_plugin_mem_is_store().
enum qemu_plugin_mem_rw {
  QEMU_PLUGIN_MEM_R = 1,
  QEMU_PLUGIN_MEM_W,
  QEMU_PLUGIN_MEM_RW,
};

using qemu_plugin_meminfo_t = std::uint32_t;
using qemu_plugin_vcpu_mem_cb_t = void (*)(unsigned int vcpu_index, qemu_plugin_meminfo_t info,
                                           std::uint64_t vaddr, void* userdata);

bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
/// The access has 1 << shift bytes.
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);

/// Calls back after each access that this instruction has made.
void qemu_plugin_register_vcpu_mem_cb(qemu_plugin_insn* insn, qemu_plugin_vcpu_mem_cb_t cb,
                                      qemu_plugin_cb_flags flags, qemu_plugin_mem_rw rw, void* userdata);

/// Calls back each time this block is about to run.
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb* tb, qemu_plugin_vcpu_udata_cb_t cb,
                                          qemu_plugin_cb_flags flags, void* userdata);

/// The instruction's virtual address.
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn* insn);

/// Calls back each time guest code is translated, before it runs.
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb);

std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* tb);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb* tb, std::size_t idx);

/// The instruction's bytes as they stand in guest memory, and how many there are.
const void* qemu_plugin_insn_data(const qemu_plugin_insn* insn);
std::size_t qemu_plugin_insn_size(const qemu_plugin_insn* insn);

/// Calls back each time this instruction is about to run.
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn* insn, qemu_plugin_vcpu_udata_cb_t cb,
                                            qemu_plugin_cb_flags flags, void* userdata);

}  // extern "C"
