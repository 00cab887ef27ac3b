#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "hypervisor/ports.hpp"

/// libvirt's XML of backups and checkpoints (https://libvirt.org/formatbackup.html, formatcheckpoint.html). Pure.
namespace penumbra::hypervisor {

/// <domainbackup mode='pull'> for a request. `domain_disks` are the target names of all disks of the domain: those the
/// request does not name are left out by name, since libvirt's default for them is not the same everywhere.
[[nodiscard]] std::string backup_xml(const BackupRequest& request, const std::vector<std::string>& domain_disks);

/// <domaincheckpoint> that the cut of `request` makes.
[[nodiscard]] std::string checkpoint_xml(const BackupRequest& request, const std::vector<std::string>& domain_disks);

/// <domaincheckpoint> that gives libvirt back what it has lost of a checkpoint: name, time, and the disks whose bitmaps
/// it stands for.
[[nodiscard]] std::string redefined_checkpoint_xml(const CheckpointFacts& checkpoint);

/// What an open job serves. kUnsupported for a push-mode job: it has no server.
struct BackupServer {
    std::filesystem::path socket;  ///< empty: it listens elsewhere than on a UNIX socket
    std::vector<BackupExport> exports;
    std::vector<std::filesystem::path> scratches;
};
[[nodiscard]] Result<BackupServer> backup_server_in(std::string_view xml);

[[nodiscard]] Result<CheckpointFacts> checkpoint_in(std::string_view xml);

}  // namespace penumbra::hypervisor
