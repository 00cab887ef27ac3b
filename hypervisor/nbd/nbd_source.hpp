#pragma once

#include "hypervisor/nbd/connection.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::nbd {

/// Opens exports of a pull-mode backup job by libnbd over the job's UNIX socket: connections that ask only for the
/// dirty bitmap, only for base:allocation, and limits::kDataConnections that only read (one where the server does not
/// promise that several see the same). Fails rather than take silence for "nothing changed" when a context is not
/// granted; no call outlives `patience`. Thread-safe; the sources it opens are thread-bound.
class NbdSources final : public BlockSources {
 public:
    explicit NbdSources(Patience patience = {}) : patience_(patience) {}

    [[nodiscard]] Result<std::unique_ptr<BlockSource>> open(const BackupJob& job, const BackupExport& disk) override;

 private:
    Patience patience_;
};

}  // namespace penumbra::hypervisor::nbd
