#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

/// Open vSwitch of this host through libopenvswitch: OVSDB (RFC 7047), OpenFlow 1.5, unixctl. Thread-bound, blocking,
/// with deadlines; a connection a call, so a restarted daemon needs no care. libopenvswitch ends the process when
/// memory runs out, and installs handlers for fatal signals that are not blocked: give it a thread, block signals
/// first.
class OvsSwitch final : public SwitchControl {
 public:
    /// `run_dir` holds db.sock, ovs-vswitchd.pid and the bridges' sockets.
    explicit OvsSwitch(std::filesystem::path run_dir = "/run/openvswitch") : run_dir_(std::move(run_dir)) {}

    [[nodiscard]] Result<std::string> version() override;
    [[nodiscard]] Result<std::vector<Bridge>> bridges() override;
    [[nodiscard]] Result<void> transact(std::span<const SwitchChange> changes) override;
    [[nodiscard]] Result<std::vector<Flow>> flows(std::string_view bridge) override;
    [[nodiscard]] Result<void> apply(std::string_view bridge, const FlowBundle& bundle) override;
    [[nodiscard]] Result<std::vector<DatapathFlow>> datapath_flows() override;
    [[nodiscard]] Result<void> settle() override;

 private:
    [[nodiscard]] Result<std::string> database(const std::string& params) const;
    [[nodiscard]] Result<std::string> daemon(const std::string& command, const std::string& params) const;
    [[nodiscard]] Result<void> commit(std::span<const SwitchChange> changes) const;
    [[nodiscard]] Result<void> check_ports(std::span<const SwitchChange> changes) const;
    [[nodiscard]] Result<std::string> socket_of(std::string_view bridge) const;

    std::filesystem::path run_dir_;
};

}  // namespace penumbra::netisolate
