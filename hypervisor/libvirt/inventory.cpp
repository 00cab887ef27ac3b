#include "hypervisor/libvirt/inventory.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/durable_file.hpp"
#include "base/limits/libvirt.hpp"
#include "hypervisor/cloneable.hpp"
#include "hypervisor/domain_xml.hpp"
#include "hypervisor/host_memory.hpp"
#include "hypervisor/libvirt/typed_params.hpp"
#include "hypervisor/qcow2_header.hpp"

namespace penumbra::hypervisor::libvirt {

namespace {

struct StatsDeleter {
    void operator()(virDomainStatsRecordPtr* records) const noexcept { virDomainStatsRecordListFree(records); }
};
using StatsList = std::unique_ptr<virDomainStatsRecordPtr, StatsDeleter>;

constexpr unsigned kStatistics =
    VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON;  // no _BLOCK: counters_of_disks()

std::string version_text(unsigned long version) {
    return fmt::format("{}.{}.{}", version / 1'000'000, version / 1'000 % 1'000, version % 1'000);
}

/// Its size, and whether its format keeps dirty bitmaps; unknown for what this host has no file or device of.
void measure(model::DiskFacts& disk) {
    const Result<ImageFacts> image = look_at_image(disk.source, disk.format);
    if (!image.has_value()) return;
    disk.virtual_size = image->virtual_size;
    disk.incremental = image->keeps_bitmaps;
}

std::uint64_t unsigned_in(const std::map<std::string, TypedValue>& values, const std::string& name) {
    const auto value = values.find(name);
    if (value == values.end()) return 0;
    if (const auto* number = std::get_if<std::uint64_t>(&value->second)) return *number;
    if (const auto* number = std::get_if<std::int64_t>(&value->second)) return static_cast<std::uint64_t>(*number);
    return 0;
}

/// VIR_DOMAIN_STATS_BLOCK would say the same for all domains in one call, and virDomainGetBlockInfo the sizes of
/// images. Both ask QEMU for its block nodes, and QEMU 7.2 dies of an assertion (qcow2_get_specific_info) when one of
/// them is being opened, as the scratch image of anybody's backup is while it is made. This call asks for counters
/// only.
Result<DiskCounters> counters_of_disks(virDomainPtr domain) {
    constexpr int kStatsMax = 16;  // libvirt knows 8
    TypedParams params;
    params.reserve(kStatsMax);
    if (virDomainBlockStatsFlags(domain, "", params.data(), &params.size(), 0) < 0)
        return fail_libvirt(fmt::format("reading the disk counters of VM {}", virDomainGetName(domain)));
    const std::map<std::string, TypedValue> values = params.values();
    return DiskCounters{
        .read = Bytes(unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_READ_BYTES)),
        .written = Bytes(unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES)),
        .read_requests = unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_READ_REQ),
        .write_requests = unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_WRITE_REQ),
        .read_time = std::chrono::nanoseconds(unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES)),
        .write_time = std::chrono::nanoseconds(unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES)),
        .flush_requests = unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ),
        .flush_time = std::chrono::nanoseconds(unsigned_in(values, VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES))};
}

/// Nothing of a domain that cannot be asked for its disks now, stopped or busy: it must not hide the others.
std::optional<VmCounters> counters_in(const virDomainStatsRecord& record) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    // A domain that libvirt lists has a UUID; the call cannot fail on it.
    ASSERT(virDomainGetUUIDString(record.dom, uuid) == 0);
    const std::map<std::string, TypedValue> values = values_of(record.params, record.nparams);
    const Result<DiskCounters> disks = counters_of_disks(record.dom);
    if (!disks.has_value()) return std::nullopt;
    return VmCounters{.vm = VmId(uuid),
                      .name = virDomainGetName(record.dom),
                      .cpu_time = std::chrono::nanoseconds(unsigned_in(values, "cpu.time")),
                      .memory_resident = Bytes(unsigned_in(values, "balloon.rss") << 10U),
                      .disks = *disks};
}

}  // namespace

Result<model::HostFacts> LibvirtInventory::describe_host() {
    const std::shared_ptr<virConnect> connection = TRY(connection_.get());
    unsigned long library = 0;
    unsigned long hypervisor = 0;
    virNodeInfo node{};
    if (virConnectGetLibVersion(connection.get(), &library) < 0 ||
        virConnectGetVersion(connection.get(), &hypervisor) < 0 || virNodeGetInfo(connection.get(), &node) < 0) {
        return fail_libvirt("describing this host");
    }
    model::HostFacts facts;
    facts.hypervisor_version = fmt::format("libvirt {}, {} {}", version_text(library),
                                           virConnectGetType(connection.get()), version_text(hypervisor));
    facts.cpus = node.cpus;
    facts.memory = Bytes(static_cast<std::uint64_t>(node.memory) << 10U);
    // The agent is on the host that libvirt describes.
    facts.memory_available = TRY(memory_available(TRY(read_file("/proc/meminfo", limits::kMeminfoBytesMax))));
    return facts;
}

Result<std::vector<model::VmFacts>> LibvirtInventory::list_vms() {
    std::vector<model::VmFacts> vms;
    const std::vector<DomainHandle> domains = TRY(connection_.domains());
    for (const DomainHandle& domain : domains) {
        const Result<std::string> xml = xml_of(domain.get(), Configuration::kCurrent);
        // It may go away between the listing and this call: it is then not there, which is no error.
        if (!xml.has_value() && xml.error().code == ErrorCode::kNotFound) continue;
        if (!xml.has_value()) return tl::unexpected(xml.error());
        if (TRY(is_shadow(*xml))) continue;
        model::VmFacts facts = TRY(facts_in(*xml));
        facts.running = TRY(is_running(domain.get()));
        for (model::DiskFacts& disk : facts.disks)
            measure(disk);
        Cloneability cloneability = cloneability_of(facts, *xml);
        facts.cloneable = cloneability.possible;
        facts.reasons = std::move(cloneability.reasons);
        vms.push_back(std::move(facts));
    }
    std::ranges::sort(vms, {}, &model::VmFacts::name);
    return vms;
}

Result<std::string> LibvirtInventory::domain_xml(const VmId& vm, Layer layer) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    if (layer == Layer::kLive && !TRY(is_running(domain.get()))) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("VM {} is not running, so it has no live configuration; start it first", vm.text()));
    }
    return xml_of(domain.get(), layer == Layer::kLive ? Configuration::kCurrent : Configuration::kInactive);
}

Result<std::vector<VmCounters>> LibvirtInventory::counters() {
    const std::shared_ptr<virConnect> connection = TRY(connection_.get());
    virDomainStatsRecordPtr* raw = nullptr;
    const int count =
        virConnectGetAllDomainStats(connection.get(), kStatistics, &raw, VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING);
    if (count < 0) return fail_libvirt("reading the counters of this host's domains");
    const StatsList records(raw);
    std::vector<VmCounters> counters;
    for (int i = 0; i < count; ++i)
        if (std::optional<VmCounters> of_one = counters_in(*records.get()[i])) counters.push_back(std::move(*of_one));
    return counters;
}

Result<DiskCounters> LibvirtInventory::disk_counters(const VmId& vm) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    if (!TRY(is_running(domain.get())))
        return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", vm.text()));
    return counters_of_disks(domain.get());
}

}  // namespace penumbra::hypervisor::libvirt
