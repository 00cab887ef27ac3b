#pragma once

#include <string>

#include "systemd/unit_control.hpp"

namespace penumbra::systemd {

/// systemd itself, by org.freedesktop.systemd1 (man org.freedesktop.systemd1). A connection a call: a bus that was
/// restarted since is no trouble, and no signals pile up in between. Needs root, or polkit's consent.
class BusUnitControl final : public UnitControl {
 public:
    /// The system's PID 1; with an address, the manager that is reached there.
    explicit BusUnitControl(std::string address = {}) : address_(std::move(address)) {}

    [[nodiscard]] Result<void> start(std::string_view unit) override;
    [[nodiscard]] Result<void> stop(std::string_view unit) override;
    [[nodiscard]] Result<UnitState> state(std::string_view unit) override;
    [[nodiscard]] Result<void> start_timer(const TransientTimer& timer) override;
    [[nodiscard]] Result<void> stop_timer(std::string_view name) override;

 private:
    std::string address_;
};

}  // namespace penumbra::systemd
