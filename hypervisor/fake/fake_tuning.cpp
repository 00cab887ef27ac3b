// DomainTuning of the fake hypervisor.
#include <string>
#include <utility>

#include <fmt/format.h>

#include "hypervisor/fake/fake_domain.hpp"

namespace penumbra::hypervisor::fake {

namespace {

/// What libvirt makes of a vector that is written: a total beside its parts is refused, a disk stays in its group until
/// another is named, and leaves it with its last limit.
Result<IoTuneVector> next_iotune(const IoTuneVector& old, IoTuneVector vector) {
    std::erase_if(vector.limits, [](const auto& limit) { return limit.second == 0; });
    for (const std::string category : {"bytes_sec", "iops_sec"}) {
        const auto limited = [&](const char* which) { return vector.limits.contains(which + category); };
        if (limited("total_") && (limited("read_") || limited("write_")))
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("total and read/write of {} cannot be set at the same time", category));
    }
    if (vector.group_name.empty()) vector.group_name = old.group_name;
    if (vector.limits.empty()) vector.group_name.clear();
    return vector;
}

}  // namespace

Result<DomainConfiguration> FakeHypervisor::configuration(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    TRY(before("configuration"));
    const Domain* domain = TRY(find(vm));
    DomainConfiguration configuration{
        .inactive_xml = render_xml(domain->vm, Layer::kPersistent), .scheduler = {}, .iotune = {}};
    if (!domain->vm.running) return configuration;
    configuration.scheduler = domain->vm.live;
    for (const FakeDisk& disk : domain->vm.disks)
        configuration.iotune[disk.target] = disk.live;
    return configuration;
}

Result<IoTuneVector> FakeHypervisor::iotune(const VmId& vm, const std::string& disk, Layer layer) {
    const std::lock_guard lock(mutex_);
    TRY(before("iotune"));
    const Domain* domain = TRY(find(vm));
    const FakeDisk* found = TRY(find_disk(vm, disk));
    if (layer == Layer::kLive && !domain->vm.running)
        return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", domain->vm.name));
    return layer == Layer::kLive ? found->live : found->persistent;
}

Result<void> FakeHypervisor::set_iotune(const VmId& vm, const std::string& disk, const IoTuneVector& vector,
                                        Layer layer) {
    const std::lock_guard lock(mutex_);
    TRY(before("set_iotune"));
    const Domain* domain = TRY(find(vm));
    FakeDisk* found = TRY(find_disk(vm, disk));
    if (layer == Layer::kLive && !domain->vm.running)
        return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", domain->vm.name));
    IoTuneVector& target = layer == Layer::kLive ? found->live : found->persistent;
    target = TRY(next_iotune(target, vector));
    return after("set_iotune");
}

Result<SchedulerVector> FakeHypervisor::scheduler(const VmId& vm, Layer layer) {
    const std::lock_guard lock(mutex_);
    TRY(before("scheduler"));
    const Domain* domain = TRY(find(vm));
    if (layer == Layer::kLive && !domain->vm.running)
        return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", domain->vm.name));
    return layer == Layer::kLive ? domain->vm.live : domain->vm.persistent;
}

Result<void> FakeHypervisor::set_scheduler(const VmId& vm, const SchedulerVector& vector, Layer layer) {
    const std::lock_guard lock(mutex_);
    TRY(before("set_scheduler"));
    Domain* domain = TRY(find(vm));
    if (layer == Layer::kLive && !domain->vm.running)
        return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", domain->vm.name));
    if (layer == Layer::kPersistent) {
        domain->vm.persistent = vector;
    } else {
        for (const auto& [name, value] : vector)
            domain->vm.live[name] = value;
    }
    return after("set_scheduler");
}

}  // namespace penumbra::hypervisor::fake
