#include "hypervisor/libvirt/connection.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace penumbra::hypervisor::libvirt {

Result<std::shared_ptr<virConnect>> Connection::get() {
    const std::lock_guard lock(mutex_);
    if (connection_ != nullptr && virConnectIsAlive(connection_.get()) == 1) return connection_;
    connection_ = nullptr;
    ConnectHandle opened(virConnectOpen(uri_.c_str()));
    if (opened == nullptr) {
        const Error reason = fail_libvirt(fmt::format("connecting to libvirt at {}", uri_)).value();
        return fail(ErrorCode::kUnavailable,
                    reason.message + "; see `systemctl status libvirtd virtqemud` on this host");
    }
    // Says 1 where there is nothing to keep alive: a driver inside this process.
    if (virConnectSetKeepAlive(opened.get(), static_cast<int>(keepalive_.interval.count()), keepalive_.missed_max) <
        0) {
        return fail_libvirt("asking libvirtd for keepalives");
    }
    connection_ = std::move(opened);
    return connection_;
}

Result<DomainHandle> Connection::domain(const VmId& vm) {
    const std::shared_ptr<virConnect> connection = TRY(get());
    DomainHandle domain(virDomainLookupByUUIDString(connection.get(), vm.text().c_str()));
    if (domain == nullptr) {
        Error error = fail_libvirt(fmt::format("looking for VM {}", vm.text())).value();
        // A UUID that libvirt cannot even parse names no domain either.
        if (error.code == ErrorCode::kInvalidArgument) error.code = ErrorCode::kNotFound;
        return tl::unexpected(std::move(error));
    }
    return domain;
}

Result<DomainHandle> Connection::domain_named(const std::string& name) {
    const std::shared_ptr<virConnect> connection = TRY(get());
    DomainHandle domain(virDomainLookupByName(connection.get(), name.c_str()));
    if (domain == nullptr) return fail_libvirt(fmt::format("looking for domain {}", name));
    return domain;
}

Result<std::vector<DomainHandle>> Connection::domains() {
    const std::shared_ptr<virConnect> connection = TRY(get());
    virDomainPtr* list = nullptr;
    const int count = virConnectListAllDomains(connection.get(), &list, 0);
    if (count < 0) return fail_libvirt("listing this host's domains");
    std::vector<DomainHandle> domains;
    for (int i = 0; i < count; ++i)
        domains.emplace_back(list[i]);
    std::free(static_cast<void*>(list));
    return domains;
}

namespace {
unsigned flags_of(Configuration which) {
    switch (which) {
        case Configuration::kCurrent:
            return 0;
        case Configuration::kInactive:
            return VIR_DOMAIN_XML_INACTIVE;
        case Configuration::kDefinition:
            break;
    }
    return unsigned{VIR_DOMAIN_XML_INACTIVE} | unsigned{VIR_DOMAIN_XML_SECURE};
}
}  // namespace

Result<std::string> xml_of(virDomainPtr domain, Configuration which) {
    const TextHandle xml(virDomainGetXMLDesc(domain, flags_of(which)));
    if (xml == nullptr) return fail_libvirt(fmt::format("reading the XML of domain {}", virDomainGetName(domain)));
    return std::string(xml.get());
}

Result<bool> is_running(virDomainPtr domain) {
    const int active = virDomainIsActive(domain);
    if (active < 0) return fail_libvirt(fmt::format("asking whether domain {} runs", virDomainGetName(domain)));
    return active == 1;
}

}  // namespace penumbra::hypervisor::libvirt
