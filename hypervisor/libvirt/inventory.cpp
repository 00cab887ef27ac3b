#include "hypervisor/libvirt/inventory.hpp"

#include <algorithm>
#include <array>
#include <memory>
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

constexpr unsigned kStatistics = VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_BLOCK;

std::string version_text(unsigned long version) {
    return fmt::format("{}.{}.{}", version / 1'000'000, version / 1'000 % 1'000, version % 1'000);
}

/// Sizes as libvirt knows them, and whether the image's format keeps dirty bitmaps.
void measure(virDomainPtr domain, model::DiskFacts& disk) {
    virDomainBlockInfo info{};
    if (!disk.source.empty() && virDomainGetBlockInfo(domain, disk.target.c_str(), &info, 0) == 0) {
        disk.virtual_size = Bytes(info.capacity);
    }
    disk.incremental = disk.format == "qcow2" && keeps_bitmaps(disk.source).value_or(false);
}

std::uint64_t unsigned_in(const std::map<std::string, TypedValue>& values, const std::string& name) {
    const auto value = values.find(name);
    if (value == values.end()) return 0;
    if (const auto* number = std::get_if<std::uint64_t>(&value->second)) return *number;
    if (const auto* number = std::get_if<std::int64_t>(&value->second)) return static_cast<std::uint64_t>(*number);
    return 0;
}

DiskCounters disk_counters(const std::map<std::string, TypedValue>& values, std::uint64_t index) {
    const auto number = [&](std::string_view what) {
        return unsigned_in(values, fmt::format("block.{}.{}", index, what));
    };
    const auto name = values.find(fmt::format("block.{}.name", index));
    return {.disk = name == values.end() ? std::string() : std::get<std::string>(name->second),
            .read = Bytes(number("rd.bytes")),
            .written = Bytes(number("wr.bytes")),
            .read_requests = number("rd.reqs"),
            .write_requests = number("wr.reqs"),
            .read_time = std::chrono::nanoseconds(number("rd.times")),
            .write_time = std::chrono::nanoseconds(number("wr.times")),
            .flush_requests = number("fl.reqs"),
            .flush_time = std::chrono::nanoseconds(number("fl.times"))};
}

VmCounters counters_in(const virDomainStatsRecord& record) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    // A domain that libvirt lists has a UUID; the call cannot fail on it.
    ASSERT(virDomainGetUUIDString(record.dom, uuid) == 0);
    const std::map<std::string, TypedValue> values = values_of(record.params, record.nparams);
    VmCounters counters{.vm = VmId(uuid),
                        .name = virDomainGetName(record.dom),
                        .cpu_time = std::chrono::nanoseconds(unsigned_in(values, "cpu.time")),
                        .memory_resident = Bytes(unsigned_in(values, "balloon.rss") << 10U),
                        .disks = {}};
    for (std::uint64_t i = 0; i < unsigned_in(values, "block.count"); ++i) {
        counters.disks.push_back(disk_counters(values, i));
    }
    return counters;
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
            measure(domain.get(), disk);
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
        counters.push_back(counters_in(*records.get()[i]));
    return counters;
}

Result<VmCounters> LibvirtInventory::counters_of(const VmId& vm) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    std::array<virDomainPtr, 2> one{domain.get(), nullptr};
    virDomainStatsRecordPtr* raw = nullptr;
    const int count = virDomainListGetStats(one.data(), kStatistics, &raw, VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING);
    if (count < 0) return fail_libvirt(fmt::format("reading the counters of VM {}", vm.text()));
    const StatsList records(raw);
    if (count == 0) return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", vm.text()));
    return counters_in(*records.get()[0]);
}

}  // namespace penumbra::hypervisor::libvirt
