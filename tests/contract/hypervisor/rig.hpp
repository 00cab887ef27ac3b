#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::contract {

/// One running VM "t1" with a blank, incremental disk "vda" of kDiskBytes, and hands that act as its guest. The same
/// suite is linked with a rig over the fake and with one over libvirt and QEMU.
class Rig {
 public:
    static constexpr std::uint64_t kDiskBytes = 16ULL << 20U;

    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    Rig(Rig&&) = delete;
    Rig& operator=(Rig&&) = delete;
    virtual ~Rig() = default;

    virtual VmInventory& inventory() = 0;
    virtual BackupControl& backup() = 0;
    virtual ShadowDomains& shadows() = 0;
    virtual DomainTuning& tuning() = 0;
    virtual BlockSources& sources() = 0;
    virtual VmId vm() = 0;
    /// Where sockets and scratch files may stand.
    virtual std::filesystem::path run_directory() = 0;
    /// Whether the host lets live CPU scheduling be read (a cgroup controller is there).
    virtual bool has_live_scheduler() = 0;

    virtual void guest_write(std::uint64_t offset, std::uint64_t bytes, std::uint8_t pattern) = 0;
    virtual void guest_zero(std::uint64_t offset, std::uint64_t bytes) = 0;
    /// The VM's process dies at once and the VM is started again.
    virtual void crash() = 0;
    /// The VM's persistent XML, passwords included.
    virtual std::string definition() = 0;
    /// Another manager marks the VM as its own: an element of this namespace in its <metadata>.
    virtual void mark_as_managed(const std::string& name_space) = 0;
    /// The VM is switched off, and on again. Its disks are closed in order.
    virtual void power_off() = 0;
    virtual void power_on() = 0;
    /// Somebody makes the hypervisor forget a checkpoint; its bitmaps stay.
    virtual void lose_checkpoint(const CheckpointId& checkpoint) = 0;
    /// Whether an operator may undefine the VM, which is off, without a word about checkpoints; it is defined again.
    virtual bool can_be_undefined() = 0;
    /// What another tool finds in the disks of a VM that is off, in order of the name.
    virtual std::vector<std::string> stored_bitmaps() = 0;
    /// XML of a shadow named so that this hypervisor can define and start.
    virtual std::string shadow_xml(const std::string& name) = 0;
};

/// Given by whichever rig is linked.
std::unique_ptr<Rig> make_rig();

}  // namespace penumbra::hypervisor::contract
