#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/units.hpp"

namespace penumbra::model {

/// What root of a host lets us do at most, in /etc/penumbra/policy.toml; each rung includes those before it.
enum class Ceiling : unsigned char { kObserve, kReplicate, kShadow, kChange };
[[nodiscard]] std::string_view to_string(Ceiling ceiling) noexcept;

struct DiskFacts {
    std::string target;  ///< "vda"
    std::string source;  ///< path or name of the volume; empty: no medium
    std::string format;  ///< "qcow2", "raw", ...
    Bytes virtual_size;
    bool incremental = false;  ///< keeps dirty bitmaps: qcow2 compat 1.1
    bool encrypted = false;    ///< by the host (LUKS): its guest, and a copy of it, read it in plain
    friend bool operator==(const DiskFacts&, const DiskFacts&) = default;
};

struct NicFacts {
    std::string target;  ///< tap name, when running
    std::string mac;
    std::string network;  ///< bridge or libvirt network it is plugged into
    std::string model;
    friend bool operator==(const NicFacts&, const NicFacts&) = default;
};

struct VmFacts {
    VmId vm;  ///< libvirt UUID
    std::string name;
    bool running = false;
    std::uint32_t vcpus = 0;
    Bytes memory;
    std::vector<DiskFacts> disks;
    std::vector<NicFacts> nics;
    bool cloneable = false;
    std::vector<std::string> reasons;  ///< one sentence each: why not, or what the shadow will lack
    std::string managed_by;            ///< "OpenStack Nova": who else owns its configuration; empty: nobody
    friend bool operator==(const VmFacts&, const VmFacts&) = default;
};

struct HostFacts {
    std::string hypervisor_version;
    std::string switch_version;
    std::uint32_t cpus = 0;
    Bytes memory;
    Bytes memory_available;  ///< what may be taken without swapping, page cache included
    Ceiling ceiling = Ceiling::kObserve;
    bool may_run_shadows = false;
    std::vector<VmFacts> vms;
    friend bool operator==(const HostFacts&, const HostFacts&) = default;
};

}  // namespace penumbra::model
