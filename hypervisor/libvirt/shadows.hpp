#pragma once

#include <string>
#include <vector>

#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::libvirt {

/// ShadowDomains over libvirt. Looks for our mark in what libvirt itself has stored under a name and under a UUID
/// before it touches either. Thread-safe; `connection` outlives it.
class LibvirtShadows final : public ShadowDomains {
 public:
    explicit LibvirtShadows(Connection& connection) : connection_(connection) {}

    [[nodiscard]] Result<std::vector<ShadowDomainFacts>> list_shadows() override;
    [[nodiscard]] Result<void> define(const std::string& xml) override;
    [[nodiscard]] Result<void> start(const std::string& name) override;
    [[nodiscard]] Result<void> remove(const std::string& name) override;
    [[nodiscard]] Result<bool> agent_answers(const std::string& name) override;

 private:
    [[nodiscard]] Result<DomainHandle> find_shadow(const std::string& name);

    Connection& connection_;
};

}  // namespace penumbra::hypervisor::libvirt
