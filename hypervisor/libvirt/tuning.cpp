#include "hypervisor/libvirt/tuning.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hypervisor/definition_edit.hpp"
#include "hypervisor/domain_xml.hpp"
#include "hypervisor/libvirt/typed_params.hpp"

namespace penumbra::hypervisor::libvirt {

namespace {

// Every limit a disk can have; a complete vector names each, so that nothing is left to libvirt's resetting of
// categories.
constexpr std::array<std::string_view, 19> kIoTuneFields = {"total_bytes_sec",
                                                            "read_bytes_sec",
                                                            "write_bytes_sec",
                                                            "total_iops_sec",
                                                            "read_iops_sec",
                                                            "write_iops_sec",
                                                            "total_bytes_sec_max",
                                                            "read_bytes_sec_max",
                                                            "write_bytes_sec_max",
                                                            "total_iops_sec_max",
                                                            "read_iops_sec_max",
                                                            "write_iops_sec_max",
                                                            "size_iops_sec",
                                                            "total_bytes_sec_max_length",
                                                            "read_bytes_sec_max_length",
                                                            "write_bytes_sec_max_length",
                                                            "total_iops_sec_max_length",
                                                            "read_iops_sec_max_length",
                                                            "write_iops_sec_max_length"};
constexpr std::string_view kGroupName = "group_name";
constexpr std::string_view kLengthSuffix = "_max_length";

// Parameters that libvirt takes as unsigned; the quotas are signed, negative meaning no limit.
constexpr std::array<std::string_view, 5> kUnsignedScheduler = {"cpu_shares", "vcpu_period", "emulator_period",
                                                                "global_period", "iothread_period"};
constexpr std::array<std::string_view, 4> kSignedScheduler = {"vcpu_quota", "emulator_quota", "global_quota",
                                                              "iothread_quota"};

unsigned flags_of(Layer layer) {
    return layer == Layer::kLive ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
}

std::string_view word_of(Layer layer) {
    return layer == Layer::kLive ? "live" : "persistent";
}

/// `text` of a name libvirt's C interface wants; also what is printed.
std::string owned(std::string_view text) {
    return std::string(text);
}

IoTuneVector iotune_of(const std::map<std::string, TypedValue>& values, Layer layer) {
    IoTuneVector vector;
    for (const std::string_view field : kIoTuneFields) {
        const auto value = values.find(owned(field));
        if (value == values.end()) continue;
        const std::uint64_t limit = std::get<std::uint64_t>(value->second);
        // Live, QEMU reports its default length of a burst, 1 s, for every burst and even beside none.
        const bool made_up = layer == Layer::kLive && limit == 1 && field.ends_with(kLengthSuffix);
        if (limit != 0 && !made_up) vector.limits[owned(field)] = limit;
    }
    const auto group = values.find(owned(kGroupName));
    if (group == values.end()) return vector;
    // Live, QEMU names a group after the device (a path of its object tree) for a disk that has none of its own.
    const std::string& name = std::get<std::string>(group->second);
    if (!name.starts_with('/')) vector.group_name = name;
    return vector;
}

SchedulerVector scheduler_of(const std::map<std::string, TypedValue>& values) {
    SchedulerVector vector;
    for (const auto& [name, value] : values) {
        if (const auto* number = std::get_if<std::uint64_t>(&value)) {
            const bool fits = std::cmp_less_equal(*number, std::numeric_limits<std::int64_t>::max());
            vector[name] = fits ? static_cast<std::int64_t>(*number) : std::numeric_limits<std::int64_t>::max();
        }
        if (const auto* number = std::get_if<std::int64_t>(&value)) vector[name] = *number;
    }
    return vector;
}

/// The live vector; empty where the host has no controller that could report one.
Result<SchedulerVector> live_scheduler(virDomainPtr domain, const VmId& vm) {
    int count = 0;
    const TextHandle type(virDomainGetSchedulerType(domain, &count));
    if (type == nullptr) return fail_libvirt(fmt::format("reading the scheduler of VM {}", vm.text()));
    TypedParams params;
    params.reserve(count);
    if (virDomainGetSchedulerParametersFlags(domain, params.data(), &params.size(), VIR_DOMAIN_AFFECT_LIVE) < 0) {
        return fail_libvirt(fmt::format("reading the live scheduler parameters of VM {}", vm.text()));
    }
    return scheduler_of(params.values());
}

Result<void> write_scheduler(virDomainPtr domain, const VmId& vm, const SchedulerVector& vector, Layer layer) {
    TypedParams params;
    for (const auto& [name, value] : vector) {
        if (std::ranges::find(kUnsignedScheduler, name) != kUnsignedScheduler.end()) {
            if (value < 0) {
                return fail(ErrorCode::kInvalidArgument,
                            fmt::format("{} of VM {} cannot be {}; it must not be negative", name, vm.text(), value));
            }
            params.add_unsigned(name, static_cast<std::uint64_t>(value));
        } else if (std::ranges::find(kSignedScheduler, name) != kSignedScheduler.end()) {
            params.add_signed(name, value);
        } else {
            return fail(
                ErrorCode::kInvalidArgument,
                fmt::format("'{}' is no scheduler parameter of libvirt; known are cpu_shares and the periods and "
                            "quotas of vcpu, emulator, iothread and global",
                            name));
        }
    }
    if (params.size() == 0) return {};
    if (virDomainSetSchedulerParametersFlags(domain, params.data(), params.size(), flags_of(layer)) < 0) {
        return fail_libvirt(fmt::format("writing the {} scheduler parameters of VM {}", word_of(layer), vm.text()));
    }
    return {};
}

}  // namespace

Result<DomainConfiguration> LibvirtTuning::configuration(const VmId& vm) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    DomainConfiguration configuration{
        .inactive_xml = TRY(xml_of(domain.get(), Configuration::kInactive)), .scheduler = {}, .iotune = {}};
    if (!TRY(is_running(domain.get()))) return configuration;
    Result<SchedulerVector> live = live_scheduler(domain.get(), vm);
    if (live.has_value()) {
        configuration.scheduler = std::move(*live);
    } else if (live.error().code != ErrorCode::kUnavailable && live.error().code != ErrorCode::kUnsupported) {
        // kUnavailable: "cgroup CPU controller is not mounted". There is then no live vector that could change.
        return tl::unexpected(std::move(live).error());
    }
    const std::vector<std::string> disks = TRY(tunable_disks(TRY(xml_of(domain.get(), Configuration::kCurrent))));
    for (const std::string& disk : disks) {
        configuration.iotune[disk] = TRY(iotune(vm, disk, Layer::kLive));
    }
    return configuration;
}

Result<IoTuneVector> LibvirtTuning::iotune(const VmId& vm, const std::string& disk, Layer layer) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    const std::string doing = fmt::format("reading the {} limits of disk {} of VM {}", word_of(layer), disk, vm.text());
    const auto failed = [&] {
        Error error = fail_libvirt(doing).value();
        if (error.code == ErrorCode::kInvalidArgument) error.code = ErrorCode::kNotFound;  // "disk not found"
        return tl::unexpected(std::move(error));
    };
    int count = 0;
    if (virDomainGetBlockIoTune(domain.get(), disk.c_str(), nullptr, &count, flags_of(layer)) < 0) return failed();
    TypedParams params;
    params.reserve(count);
    if (virDomainGetBlockIoTune(domain.get(), disk.c_str(), params.data(), &params.size(), flags_of(layer)) < 0) {
        return failed();
    }
    return iotune_of(params.values(), layer);
}

Result<void> LibvirtTuning::set_iotune(const VmId& vm, const std::string& disk, const IoTuneVector& vector,
                                       Layer layer) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    TypedParams params;
    if (!vector.group_name.empty()) params.add_text(owned(kGroupName), vector.group_name);
    for (const std::string_view field : kIoTuneFields) {
        const auto limit = vector.limits.find(owned(field));
        params.add_unsigned(owned(field), limit == vector.limits.end() ? 0 : limit->second);
    }
    for (const auto& [name, limit] : vector.limits) {
        if (std::ranges::find(kIoTuneFields, name) == kIoTuneFields.end()) {
            return fail(
                ErrorCode::kInvalidArgument,
                fmt::format("'{}' is no disk limit of libvirt; total_bytes_sec and write_iops_sec are two", name));
        }
    }
    if (virDomainSetBlockIoTune(domain.get(), disk.c_str(), params.data(), params.size(), flags_of(layer)) < 0) {
        return fail_libvirt(fmt::format("writing the {} limits of disk {} of VM {}", word_of(layer), disk, vm.text()));
    }
    return {};
}

Result<SchedulerVector> LibvirtTuning::scheduler(const VmId& vm, Layer layer) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    if (layer == Layer::kLive) return live_scheduler(domain.get(), vm);
    // Not by libvirt's getter: it fills in defaults, and writing those back would put them into the configuration.
    return scheduler_in(TRY(xml_of(domain.get(), Configuration::kInactive)));
}

Result<void> LibvirtTuning::set_scheduler(const VmId& vm, const SchedulerVector& vector, Layer layer) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    if (layer == Layer::kLive) return write_scheduler(domain.get(), vm, vector, layer);
    // A parameter is added by libvirt's setter, which leaves the rest of the configuration to others; only taking one
    // away needs the configuration written anew, since no setter can.
    const SchedulerVector now = TRY(scheduler(vm, layer));
    const bool takes_away = std::ranges::any_of(now, [&](const auto& entry) { return !vector.contains(entry.first); });
    if (!takes_away) return write_scheduler(domain.get(), vm, vector, layer);
    const std::shared_ptr<virConnect> connection = TRY(connection_.get());
    const DefinitionStore store{.read = [&] { return xml_of(domain.get(), Configuration::kDefinition); },
                                .write = [&](const std::string& xml) -> Result<void> {
                                    const DomainHandle defined(virDomainDefineXML(connection.get(), xml.c_str()));
                                    if (defined == nullptr) return fail_libvirt("defining it");
                                    return {};
                                }};
    Result<void> edited = edit_definition(store, [&](std::string_view xml) { return with_scheduler(xml, vector); });
    if (edited.has_value()) return {};
    return fail_in(fmt::format("taking persistent scheduler parameters of VM {} away", vm.text()), edited.error());
}

}  // namespace penumbra::hypervisor::libvirt
