#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "hypervisor/copy_pace.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::agent {

/// Blocks for so long, or until it is stopped.
using Pause = std::function<void(std::chrono::nanoseconds, const std::stop_token&)>;
void pause(std::chrono::nanoseconds time, const std::stop_token& stop);

/// Holds a copy back as its VM needs it: looks at the VM's counters and waits as CopyPace says. A VM that cannot be
/// looked at is copied at the least rate, and the sentence says so. Thread-bound; blocks.
class GuestPace {
 public:
    struct Parts {  ///< borrowed
        hypervisor::VmInventory& inventory;
        const Clock& clock;
        Pause pause;
    };
    /// Looks at the VM for the first time: what it does until begin() is what it does without a copy.
    GuestPace(Parts parts, VmId vm, std::stop_token stop);

    /// Before anything of ours is at work on it: the cut, too. Waits for limits::kPaceCalm, to have seen enough.
    void begin();
    /// Before so much is read; after begin().
    void wait(Bytes size);
    /// "32 MiB/s", and what holds it back; empty before begin().
    [[nodiscard]] std::string sentence() const;

 private:
    [[nodiscard]] std::optional<hypervisor::GuestIo> look() const;

    Parts parts_;
    VmId vm_;
    std::stop_token stop_;
    std::optional<hypervisor::GuestIo> first_;
    std::optional<hypervisor::CopyPace> pace_;
};

}  // namespace penumbra::agent
