#pragma once

#include <memory>
#include <source_location>
#include <string_view>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/c_handle.hpp"
#include "base/result.hpp"

/// Owners of libvirt's objects, and its errors in our words.
namespace penumbra::hypervisor::libvirt {

using ConnectHandle = CHandle<virConnect, virConnectClose>;
using DomainHandle = CHandle<virDomain, virDomainFree>;
using CheckpointHandle = CHandle<virDomainCheckpoint, virDomainCheckpointFree>;

/// Frees what libvirt gave as malloc'ed text.
struct TextDeleter {
    void operator()(char* text) const noexcept;
};
using TextHandle = std::unique_ptr<char, TextDeleter>;

/// libvirt's last error on this thread with what was being done in front of it.
[[nodiscard]] tl::unexpected<Error> fail_libvirt(std::string_view context,
                                                 std::source_location where = std::source_location::current());

/// Whether libvirt's last error on this thread is this one (VIR_ERR_NO_DOMAIN_BACKUP, ...).
[[nodiscard]] bool failed_with(virErrorNumber code) noexcept;

}  // namespace penumbra::hypervisor::libvirt
