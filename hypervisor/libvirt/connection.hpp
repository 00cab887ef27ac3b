#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/limits/libvirt.hpp"
#include "base/result.hpp"
#include "hypervisor/libvirt/event_thread.hpp"
#include "hypervisor/libvirt/handle.hpp"

namespace penumbra::hypervisor::libvirt {

/// How long libvirtd may be silent while a call is in progress, before that call ends with an error.
struct Keepalive {
    std::chrono::seconds interval = limits::kLibvirtKeepaliveInterval;
    unsigned missed_max = limits::kLibvirtKeepalivesMissedMax;
};

/// The connection to one libvirtd, opened when it is first needed and again after it was lost. Thread-safe; libvirt's
/// own calls on one connection are as well. Calls block, for as long as Keepalive says when libvirtd stops answering;
/// only opening a connection has no deadline (libvirt begins keepalives after it). kUnavailable, with what to do,
/// while libvirtd does not answer.
class Connection {
 public:
    /// `uri`: "qemu:///system".
    explicit Connection(std::string uri, Keepalive keepalive = {}) : uri_(std::move(uri)), keepalive_(keepalive) {}

    /// Shared, so that a call in progress outlives a reopening.
    [[nodiscard]] Result<std::shared_ptr<virConnect>> get();
    /// kNotFound when this host has no such domain.
    [[nodiscard]] Result<DomainHandle> domain(const VmId& vm);
    [[nodiscard]] Result<DomainHandle> domain_named(const std::string& name);
    /// Every domain, running or not.
    [[nodiscard]] Result<std::vector<DomainHandle>> domains();

 private:
    const std::shared_ptr<EventThread> events_ = EventThread::share();
    std::mutex mutex_;
    std::string uri_;
    Keepalive keepalive_;
    std::shared_ptr<virConnect> connection_;
};

enum class Configuration : unsigned char {
    kCurrent,     ///< what runs, or the persistent one of a domain that is off
    kInactive,    ///< the persistent one
    kDefinition,  ///< the persistent one with its passwords: for edit_definition() only
};

/// The domain's XML.
[[nodiscard]] Result<std::string> xml_of(virDomainPtr domain, Configuration which);

[[nodiscard]] Result<bool> is_running(virDomainPtr domain);

}  // namespace penumbra::hypervisor::libvirt
