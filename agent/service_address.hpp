#pragma once

#include <map>
#include <string>
#include <vector>

#include "proto/model/host.hpp"

namespace penumbra::agent {

/// What a VM serves and where it stands in its network: libvirt does not know, root of the host says it in agent.toml.
struct ServiceAddress {
    std::vector<std::string> servers;   ///< "10.20.0.10:80": captured, and replayed to the arms
    std::vector<std::string> gateways;  ///< "10.20.0.1/24": what the clones take for their gateways
};
/// By name or UUID of the VM.
using ServiceAddresses = std::map<std::string, ServiceAddress>;

[[nodiscard]] inline ServiceAddress address_of(const ServiceAddresses& all, const model::VmFacts& vm) {
    const auto found = all.contains(vm.name) ? all.find(vm.name) : all.find(vm.vm.text());
    return found == all.end() ? ServiceAddress{} : found->second;
}

}  // namespace penumbra::agent
