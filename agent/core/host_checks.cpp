#include "agent/core/host_checks.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/core/ceiling.hpp"
#include "base/limits/flows.hpp"
#include "base/limits/shadow.hpp"

namespace penumbra::agent {

namespace {

using model::Ceiling;

constexpr const char* kPolicy = "/etc/penumbra/policy.toml";

std::string in_mebibytes(Bytes bytes) {
    return fmt::format("{} MiB", bytes.count() >> 20U);
}

Bytes size_of(const model::VmFacts& vm) {
    Bytes size;
    for (const model::DiskFacts& disk : vm.disks)
        size += disk.virtual_size;
    return size;
}

/// An error from the ceiling on that needs it, below it a hint.
Severity from(Ceiling ceiling, const model::Policy& policy) {
    return policy.ceiling >= ceiling ? Severity::kError : Severity::kHint;
}

struct Looking {
    const model::Policy& policy;
    const model::HostFacts& facts;
    const std::vector<const model::VmFacts*> taking_part;
    const HostSight& sight;
    std::vector<Check> found;

    void add(Severity severity, std::string sentence, std::string remedy) {
        found.push_back({severity, std::move(sentence), std::move(remedy)});
    }

    void at_services() {
        if (!sight.reverter_missing.empty()) {
            add(Severity::kError,
                fmt::format("no effect can be undone when its lease ends, so none is made: {}", sight.reverter_missing),
                "install penumbra again");
        }
        if (!sight.switch_silent.empty()) {
            add(from(Ceiling::kShadow, policy),
                fmt::format("Open vSwitch does not answer, so no traffic is copied and no sandbox is made: {}",
                            sight.switch_silent),
                "systemctl start openvswitch-switch");
        }
        if (sight.apparmor_confines && !sight.apparmor_allows_backups) {
            add(from(Ceiling::kReplicate, policy),
                "AppArmor keeps QEMU from making the socket that a copy is read through",
                "write `/run/penumbra/backup/* rwk,` into /etc/apparmor.d/local/abstractions/libvirt-qemu, and "
                "`systemctl reload apparmor`");
        }
    }

    void at_policy() {
        if (policy.vms.empty()) {
            add(Severity::kHint, "no VM may take part",
                fmt::format("write the line `vms = [\"{}\"]` into {}",
                            facts.vms.empty() ? "NAME" : facts.vms.front().name, kPolicy));
        }
        if (policy.effect_kinds.empty()) {
            add(Severity::kHint, "no kind of effect is allowed: no fault, no change",
                fmt::format("write the line `effects = [\"domain.iotune\", \"ovs.partition\"]` into {}", kPolicy));
        }
    }

    void at_served(const std::set<std::string>& served) {
        std::vector<std::string> without;
        for (const model::VmFacts* vm : taking_part)
            if (!served.contains(vm->name) && !served.contains(vm->vm.text())) without.push_back(vm->name);
        if (without.empty()) return;
        const std::size_t more = without.size() - std::min(without.size(), limits::kVmsNamedMax);
        without.resize(without.size() - more);
        add(Severity::kHint,
            fmt::format("what these VMs serve is not known, so they are neither measured nor replayed: {}{}",
                        fmt::join(without, ", "), more > 0 ? fmt::format(" and {} more", more) : ""),
            fmt::format(
                "write `[[service]]` with `vm = \"{}\"` and its `servers` into /etc/penumbra/services.toml, and "
                "restart penumbra-agent",
                without.front()));
    }

    void at_memory() {
        if (facts.memory_available == Bytes() || taking_part.empty() || !policy.may_run_shadows) return;
        Bytes smallest(limits::kShadowMemoryFloorBytes);
        for (const model::VmFacts* vm : taking_part)
            smallest = std::min(smallest, vm->memory);
        const Bytes needed = smallest + limits::kArmMemoryOverhead + limits::kHostMemoryReserve;
        if (facts.memory_available >= needed) return;
        add(Severity::kHint,
            fmt::format("not even the smallest arm of a shadow fits: it needs {} with what is left for the host, and "
                        "{} are available",
                        in_mebibytes(needed), in_mebibytes(facts.memory_available)),
            "destroy a shadow, or free memory (`free -h`)");
    }

    void at_room() {
        if (!sight.room.has_value() || policy.ceiling < Ceiling::kReplicate) return;
        const model::VmFacts* largest = nullptr;
        for (const model::VmFacts* vm : taking_part) {
            if (sight.replicated.contains(vm->vm)) continue;
            if (largest == nullptr || size_of(*vm) > size_of(*largest)) largest = vm;
        }
        if (largest == nullptr || size_of(*largest) <= *sight.room) return;
        add(Severity::kHint,
            fmt::format("a first copy of VM {} may take {}, and {} are free for it where replicas are kept",
                        largest->name, in_mebibytes(size_of(*largest)), in_mebibytes(*sight.room)),
            "make room at /var/lib/penumbra-agent, or mount a larger volume there");
    }
};

std::vector<const model::VmFacts*> taking_part(const model::Policy& policy, const std::vector<model::VmFacts>& vms) {
    std::vector<const model::VmFacts*> part;
    for (const model::VmFacts& vm : vms)
        if (takes_part(policy, vm)) part.push_back(&vm);
    return part;
}

}  // namespace

std::string text_of(const Check& check) {
    return fmt::format("{}: {}", check.sentence, check.remedy);
}

std::vector<Check> checks_of(const model::Policy& policy, const model::HostFacts& facts,
                             const std::set<std::string>& served, const HostSight& sight) {
    Looking looking{
        .policy = policy, .facts = facts, .taking_part = taking_part(policy, facts.vms), .sight = sight, .found = {}};
    looking.at_services();
    looking.at_policy();
    looking.at_served(served);
    looking.at_memory();
    looking.at_room();
    return std::move(looking.found);
}

}  // namespace penumbra::agent
