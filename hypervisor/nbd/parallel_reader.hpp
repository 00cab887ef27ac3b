#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hypervisor/nbd/connection.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::nbd {

/// Keeps several reads in flight on several connections and hands each to a sink as it completes. Memory: connections *
/// limits::kRequestsPerConnection * limits::kReadChunkBytesMax. Thread-bound; for one run.
class ParallelReader {
 public:
    ParallelReader(std::vector<Handle> connections, const Endpoint& endpoint);

    /// Ends at the first error of a read or of the sink; reads still in flight are then dropped with their connections.
    /// kDeadlineExceeded when no read completes within the endpoint's patience.
    [[nodiscard]] Result<void> run(const std::function<std::optional<Extent>()>& next, const ChunkSink& sink,
                                   const std::stop_token& stop);

 private:
    struct Slot {
        std::vector<std::byte> buffer;
        Extent extent;
        bool busy = false;
        bool finished = false;
        int error = 0;
    };
    struct Lane {
        std::vector<Slot> slots;  // before the connection that writes into them, so that they outlive it
        Handle connection;
    };

    static int on_complete(void* user, int* error) noexcept;
    [[nodiscard]] Result<void> issue(Lane& lane, Slot& slot, Extent extent) const;
    [[nodiscard]] Result<void> refill(const std::function<std::optional<Extent>()>& next);
    [[nodiscard]] Result<void> wait_and_notify();
    [[nodiscard]] Result<void> notify(nbd_handle* handle, short events) const;
    [[nodiscard]] Result<bool> hand_over(const ChunkSink& sink);
    [[nodiscard]] bool any_busy() const;

    std::string reading_;  // begins every error
    std::chrono::milliseconds stall_max_;
    std::deque<Lane> lanes_;
    bool exhausted_ = false;
};

}  // namespace penumbra::hypervisor::nbd
