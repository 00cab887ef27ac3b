#include "hypervisor/libvirt/shadows.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits/libvirt.hpp"
#include "hypervisor/domain_xml.hpp"

namespace penumbra::hypervisor::libvirt {

namespace {

Result<void> check_shadow(virDomainPtr domain) {
    if (TRY(is_shadow(TRY(xml_of(domain, Configuration::kCurrent))))) return {};
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("domain {} is not a shadow of ours", virDomainGetName(domain)));
}

/// Refuses what would replace a domain that is not ours, or one of ours that runs. One that is not there is fine.
Result<void> check_replaceable(const Result<DomainHandle>& domain) {
    if (!domain.has_value()) {
        if (domain.error().code == ErrorCode::kNotFound) return {};
        return tl::unexpected(domain.error());
    }
    TRY(check_shadow(domain->get()));
    if (!TRY(is_running(domain->get()))) return {};
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("shadow {} is running: remove it first", virDomainGetName(domain->get())));
}

}  // namespace

Result<DomainHandle> LibvirtShadows::find_shadow(const std::string& name) {
    DomainHandle domain = TRY(connection_.domain_named(name));
    TRY(check_shadow(domain.get()));
    return domain;
}

Result<std::vector<ShadowDomainFacts>> LibvirtShadows::list_shadows() {
    std::vector<ShadowDomainFacts> shadows;
    const std::vector<DomainHandle> domains = TRY(connection_.domains());
    for (const DomainHandle& domain : domains) {
        const Result<std::string> xml = xml_of(domain.get(), Configuration::kCurrent);
        if (!xml.has_value() && xml.error().code == ErrorCode::kNotFound) continue;  // it went away meanwhile
        if (!xml.has_value()) return tl::unexpected(xml.error());
        if (!TRY(is_shadow(*xml))) continue;
        const model::VmFacts facts = TRY(facts_in(*xml));
        ShadowDomainFacts shadow{
            .name = facts.name, .vm = facts.vm, .running = TRY(is_running(domain.get())), .taps = {}};
        for (const model::NicFacts& nic : facts.nics)
            if (shadow.running && !nic.target.empty()) shadow.taps.push_back(nic.target);
        shadows.push_back(std::move(shadow));
    }
    std::ranges::sort(shadows, {}, &ShadowDomainFacts::name);
    return shadows;
}

Result<void> LibvirtShadows::define(const std::string& xml) {
    const model::VmFacts facts = TRY(facts_in(xml));
    if (!TRY(is_shadow(xml)))
        return fail(ErrorCode::kPermissionDenied, fmt::format("domain {} does not carry our mark", facts.name));
    TRY(check_replaceable(connection_.domain_named(facts.name)));
    TRY(check_replaceable(connection_.domain(facts.vm)));
    const std::shared_ptr<virConnect> connection = TRY(connection_.get());
    const DomainHandle domain(virDomainDefineXMLFlags(connection.get(), xml.c_str(), VIR_DOMAIN_DEFINE_VALIDATE));
    if (domain == nullptr) return fail_libvirt(fmt::format("defining shadow {}", facts.name));
    return {};
}

Result<void> LibvirtShadows::start(const std::string& name) {
    const DomainHandle domain = TRY(find_shadow(name));
    if (TRY(is_running(domain.get()))) return {};
    if (virDomainCreate(domain.get()) < 0) return fail_libvirt(fmt::format("starting shadow {}", name));
    return {};
}

Result<void> LibvirtShadows::remove(const std::string& name) {
    const Result<DomainHandle> domain = find_shadow(name);
    if (!domain.has_value()) {
        if (domain.error().code == ErrorCode::kNotFound) return {};
        return tl::unexpected(domain.error());
    }
    if (TRY(is_running(domain->get())) && virDomainDestroy(domain->get()) < 0 &&
        !failed_with(VIR_ERR_OPERATION_INVALID)) {
        return fail_libvirt(fmt::format("powering shadow {} off", name));
    }
    constexpr unsigned kWhole = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                                VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;
    if (virDomainUndefineFlags(domain->get(), kWhole) < 0 && !failed_with(VIR_ERR_NO_DOMAIN))
        return fail_libvirt(fmt::format("undefining shadow {}", name));
    return {};
}

Result<bool> LibvirtShadows::agent_answers(const std::string& name) {
    const DomainHandle domain = TRY(find_shadow(name));
    if (virDomainAgentSetResponseTimeout(domain.get(), static_cast<int>(limits::kGuestAgentWait.count()), 0) < 0)
        return fail_libvirt(fmt::format("setting the patience with the agent of shadow {}", name));
    long long seconds = 0;
    unsigned nanoseconds = 0;
    if (virDomainGetTime(domain.get(), &seconds, &nanoseconds, 0) == 0) return true;
    // It is off, or its agent is not there yet: that is the answer.
    if (failed_with(VIR_ERR_AGENT_UNRESPONSIVE) || failed_with(VIR_ERR_OPERATION_INVALID)) return false;
    return fail_libvirt(fmt::format("asking the agent of shadow {}", name));
}

}  // namespace penumbra::hypervisor::libvirt
