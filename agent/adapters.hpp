#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "agent/arm_folder.hpp"
#include "agent/flows.hpp"
#include "agent/folders.hpp"
#include "base/clock.hpp"
#include "effects/changes/cputune.hpp"
#include "effects/changes/iotune.hpp"
#include "effects/faults/partition.hpp"
#include "effects/holds/backup_job.hpp"
#include "effects/holds/mirror_port.hpp"
#include "effects/timer_dead_man.hpp"
#include "hypervisor/libvirt/backup.hpp"
#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/libvirt/inventory.hpp"
#include "hypervisor/libvirt/shadows.hpp"
#include "hypervisor/libvirt/tuning.hpp"
#include "hypervisor/nbd/nbd_source.hpp"
#include "hypervisor/replica_folder.hpp"
#include "journal/lock.hpp"
#include "journal/posix_directory.hpp"
#include "netisolate/netlink/netlink_links.hpp"
#include "netisolate/ovs/ovs_switch.hpp"
#include "systemd/bus_unit_control.hpp"

namespace penumbra::agent {

/// Everything real the flows work with; where an adapter is thread-bound there is one a lane. Holds the journal's lock:
/// no other agent, and no reverter, writes meanwhile. Outlives the flows and their lanes.
class Adapters {
 public:
    [[nodiscard]] static Result<std::unique_ptr<Adapters>> open(const Folders& folders, const Clock& clock);
    Adapters(const Adapters&) = delete;
    Adapters& operator=(const Adapters&) = delete;
    Adapters(Adapters&&) = delete;
    Adapters& operator=(Adapters&&) = delete;
    ~Adapters() = default;

    /// `policy`: root's file.
    [[nodiscard]] Flows::Ports ports(const std::filesystem::path& policy);
    [[nodiscard]] journal::Directory& commands() noexcept { return *commands_; }
    [[nodiscard]] const std::string& boot_id() const noexcept { return boot_id_; }

 private:
    struct Disk {
        journal::Lock lock;
        std::unique_ptr<journal::PosixDirectory> journal;
        std::unique_ptr<journal::PosixDirectory> commands;
        std::unique_ptr<journal::PosixDirectory> shadows;
        std::string boot_id;
    };
    Adapters(Folders folders, const Clock& clock, Disk disk);
    [[nodiscard]] Result<void> remove_replicas() const;

    const Folders folders_;
    const Clock& clock_;
    journal::Lock lock_;
    std::unique_ptr<journal::PosixDirectory> journal_folder_;
    std::unique_ptr<journal::PosixDirectory> commands_;
    std::unique_ptr<journal::PosixDirectory> shadows_;
    const std::string boot_id_;

    hypervisor::libvirt::Connection libvirt_;
    hypervisor::libvirt::LibvirtInventory inventory_{libvirt_};
    hypervisor::libvirt::LibvirtBackup backup_{libvirt_};
    hypervisor::libvirt::LibvirtShadows domains_{libvirt_};
    hypervisor::libvirt::LibvirtTuning tuning_{libvirt_};
    hypervisor::nbd::NbdSources sources_;
    hypervisor::ReplicaFolder target_;         // of the replicate lane
    hypervisor::ReplicaFolder arms_replicas_;  // of the shadow lane
    ArmFolder arms_;

    netisolate::OvsSwitch inventory_switch_;
    netisolate::OvsSwitch shadows_switch_;
    netisolate::OvsSwitch watch_switch_;
    netisolate::OvsSwitch effects_switch_;
    netisolate::NetlinkLinks shadows_links_;
    netisolate::NetlinkLinks watch_links_;
    netisolate::NetlinkLinks effects_links_;
    systemd::BusUnitControl shadows_units_;
    systemd::BusUnitControl captures_units_;
    systemd::BusUnitControl effects_units_;

    journal::Journal journal_{*journal_folder_};
    BackupDesk desk_;
    effects::IoTuneChange iotune_{tuning_};
    effects::CpuTuneChange cputune_{tuning_};
    effects::PartitionFault partition_{effects_switch_};
    effects::BackupJobHold backup_hold_;
    effects::MirrorPortHold mirror_hold_{effects_switch_, effects_links_};
    effects::Catalogue catalogue_{iotune_, cputune_, partition_, backup_hold_, mirror_hold_};
    effects::TimerDeadMan dead_man_;
    effects::Engine engine_;
};

}  // namespace penumbra::agent
