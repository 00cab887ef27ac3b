#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::libvirt {

/// BackupControl over libvirt: virDomainBackupBegin(3) in pull mode behind a UNIX socket, virDomainCheckpoint*.
/// A call that would wait 30 s for libvirt's lock on the domain is not made: what holds it is asked first.
/// Thread-safe; `connection` outlives it.
class LibvirtBackup final : public BackupControl {
 public:
    explicit LibvirtBackup(Connection& connection) : connection_(connection) {}

    [[nodiscard]] Result<std::vector<CheckpointFacts>> checkpoints(const VmId& vm) override;
    [[nodiscard]] Result<BackupJob> begin_backup(const BackupRequest& request) override;
    [[nodiscard]] Result<std::optional<BackupStatus>> backup_status(const VmId& vm) override;
    [[nodiscard]] Result<void> end_backup(const VmId& vm, const std::filesystem::path& socket) override;
    [[nodiscard]] Result<void> set_checkpoint_aside(const VmId& vm, const CheckpointId& checkpoint) override;
    [[nodiscard]] Result<CheckpointFacts> recall_checkpoint(const VmId& vm, const CheckpointFacts& known) override;
    [[nodiscard]] Result<void> delete_checkpoint(const VmId& vm, const CheckpointId& checkpoint) override;

 private:
    Connection& connection_;
};

}  // namespace penumbra::hypervisor::libvirt
