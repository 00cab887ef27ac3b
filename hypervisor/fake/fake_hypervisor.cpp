#include "hypervisor/fake/fake_hypervisor.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "hypervisor/checkpoint_chain.hpp"
#include "hypervisor/domain_xml.hpp"
#include "hypervisor/fake/fake_block_source.hpp"
#include "hypervisor/fake/fake_domain.hpp"

namespace penumbra::hypervisor::fake {

struct FakeHypervisor::ShadowDomain {
    std::string xml;
    bool running = false;
};

namespace {

/// The text between <tag> and </tag>; the fake needs no parser, our own writer made the XML.
std::string element(const std::string& xml, const std::string& tag) {
    const std::size_t begin = xml.find("<" + tag + ">");
    const std::size_t end = xml.find("</" + tag + ">");
    if (begin == std::string::npos || end == std::string::npos) return {};
    return xml.substr(begin + tag.size() + 2, end - begin - tag.size() - 2);
}

Result<void> check_ours(const CheckpointId& checkpoint) {
    if (is_ours(checkpoint)) return {};
    return fail(ErrorCode::kPermissionDenied, fmt::format("checkpoint {} is not ours", checkpoint.text()));
}

Bytes scratch_used(const std::map<std::string, ExtentSet>& pushed_out) {
    Bytes sum;
    for (const auto& [disk, extents] : pushed_out)
        sum += Bytes(extents.bytes());
    return sum;
}

}  // namespace

FakeDisk blank_disk(std::string target, std::uint64_t bytes) {
    FakeDisk disk;
    disk.target = std::move(target);
    disk.data.resize(bytes);
    disk.zero.insert({.begin = 0, .end = bytes});
    return disk;
}

void FakeHypervisor::add_vm(FakeVm vm) {
    const std::lock_guard lock(mutex_);
    if (!faults_) faults_ = std::make_shared<Faults>();
    const VmId id = vm.vm;
    domains_[id] = std::make_shared<Domain>(Domain{.vm = std::move(vm), .checkpoints = {}, .job = {}});
}

void FakeHypervisor::fail_next(const std::string& verb, Error error) {
    const std::lock_guard lock(mutex_);
    fail_next_[verb] = std::move(error);
}

void FakeHypervisor::lose_answer_of_next(const std::string& verb, Error error) {
    const std::lock_guard lock(mutex_);
    lose_answer_[verb] = std::move(error);
}

void FakeHypervisor::break_reads_after(std::uint64_t chunks) {
    const std::lock_guard lock(mutex_);
    faults_->reads_left = chunks;
}

void FakeHypervisor::corrupt_next_read() {
    const std::lock_guard lock(mutex_);
    faults_->corrupt_next = true;
}

void FakeHypervisor::set_scratch_limit(Bytes limit) {
    const std::lock_guard lock(mutex_);
    scratch_limit_ = limit;
}

void FakeHypervisor::set_encrypted(const VmId& vm, const std::string& disk, bool encrypted) {
    const std::lock_guard lock(mutex_);
    for (FakeDisk& known : domains_.at(vm)->vm.disks)
        if (known.target == disk) known.encrypted = encrypted;
}

void FakeHypervisor::set_metadata(const VmId& vm, std::string element) {
    const std::lock_guard lock(mutex_);
    domains_.at(vm)->vm.metadata = std::move(element);
}

void FakeHypervisor::set_memory_available(Bytes available) {
    const std::lock_guard lock(mutex_);
    memory_available_ = available;
}

void FakeHypervisor::set_agent_answers(bool answers) {
    const std::lock_guard lock(mutex_);
    agent_answers_ = answers;
}

Result<FakeHypervisor::Domain*> FakeHypervisor::find(const VmId& vm) {
    const auto found = domains_.find(vm);
    if (found == domains_.end())
        return fail(ErrorCode::kNotFound, fmt::format("no VM {} on this host: see `penumbra vm list`", vm.text()));
    return found->second.get();
}

Result<FakeDisk*> FakeHypervisor::find_disk(const VmId& vm, const std::string& disk) {
    Domain* domain = TRY(find(vm));
    for (FakeDisk& each : domain->vm.disks) {
        if (each.target == disk) return &each;
    }
    return fail(ErrorCode::kNotFound, fmt::format("VM {} has no disk {}", domain->vm.name, disk));
}

Result<void> FakeHypervisor::before(const std::string& verb) {
    const auto node = fail_next_.extract(verb);
    if (!node.empty()) return tl::unexpected(node.mapped());
    return {};
}

Result<void> FakeHypervisor::after(const std::string& verb) {
    const auto node = lose_answer_.extract(verb);
    if (!node.empty()) return tl::unexpected(node.mapped());
    return {};
}

/// Bitmaps grow; an open job keeps the old data of what is overwritten for the first time, if the scratch has room.
Result<void> FakeHypervisor::touch(Domain& domain, FakeDisk& disk, Extent extent) {
    ExtentSet touched;
    touched.insert(extent);
    touched = touched.grown_to_blocks(limits::kBitmapGranularityBytes, disk.data.size());
    if (domain.job && domain.job->pushed_out.contains(disk.target)) {
        auto pushed_out = domain.job->pushed_out;
        pushed_out[disk.target].insert(touched);
        if (scratch_used(pushed_out) > scratch_limit_)
            return fail(ErrorCode::kResourceExhausted, "guest write failed: No space left on device");
        domain.job->pushed_out = std::move(pushed_out);
    }
    for (FakeCheckpoint& checkpoint : domain.checkpoints) {
        if (const auto dirty = checkpoint.dirty.find(disk.target); dirty != checkpoint.dirty.end())
            dirty->second.insert(touched);
    }
    return {};
}

Result<void> FakeHypervisor::guest_write(const VmId& vm, const std::string& disk, std::uint64_t offset,
                                         std::span<const std::byte> data) {
    const std::lock_guard lock(mutex_);
    Domain* domain = TRY(find(vm));
    FakeDisk* target = TRY(find_disk(vm, disk));
    const Extent extent{.begin = offset, .end = offset + data.size()};
    ASSERT(extent.end <= target->data.size());
    TRY(touch(*domain, *target, extent));
    std::ranges::copy(data, target->data.begin() + static_cast<std::ptrdiff_t>(offset));
    target->zero.subtract(extent);
    return {};
}

Result<void> FakeHypervisor::guest_discard(const VmId& vm, const std::string& disk, Extent extent) {
    const std::lock_guard lock(mutex_);
    Domain* domain = TRY(find(vm));
    FakeDisk* target = TRY(find_disk(vm, disk));
    ASSERT(extent.end <= target->data.size());
    TRY(touch(*domain, *target, extent));
    std::fill_n(target->data.begin() + static_cast<std::ptrdiff_t>(extent.begin), extent.length(), std::byte{0});
    target->zero.insert(extent);
    return {};
}

std::vector<std::byte> FakeHypervisor::disk_content(const VmId& vm, const std::string& disk) const {
    const std::lock_guard lock(mutex_);
    for (const FakeDisk& each : domains_.at(vm)->vm.disks) {
        if (each.target == disk) return each.data;
    }
    return {};
}

void FakeHypervisor::crash(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    Domain& domain = *domains_.at(vm);
    if (domain.job) {
        for (const auto& [name, cut] : domain.job->cuts)
            cut->open = false;
    }
    domain.job.reset();
    for (FakeCheckpoint& checkpoint : domain.checkpoints) {
        for (const auto& [disk, dirty] : checkpoint.dirty)
            checkpoint.broken.insert(disk);
    }
}

void FakeHypervisor::power_off(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    Domain& domain = *domains_.at(vm);
    domain.vm.running = false;
    if (domain.job) {
        for (const auto& [name, cut] : domain.job->cuts)
            cut->open = false;
    }
    domain.job.reset();
    for (FakeDisk& disk : domain.vm.disks)
        disk.live = {};
    for (FakeCheckpoint& checkpoint : domain.checkpoints)
        checkpoint.stored = true;
}

void FakeHypervisor::power_on(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    FakeVm& machine = domains_.at(vm)->vm;
    machine.running = true;
    machine.live = FakeVm{}.live;
    for (const auto& [name, value] : machine.persistent)
        if (value != 0) machine.live[name] = value;
    for (FakeDisk& disk : machine.disks)
        disk.live = disk.persistent;
}

void FakeHypervisor::lose_checkpoint(const VmId& vm, const CheckpointId& checkpoint) {
    const std::lock_guard lock(mutex_);
    for (FakeCheckpoint& each : domains_.at(vm)->checkpoints)
        each.stray = each.stray || each.name == checkpoint;
}

bool FakeHypervisor::can_be_undefined(const VmId& vm) const {
    const std::lock_guard lock(mutex_);
    const Domain& domain = *domains_.at(vm);
    return domain.vm.running || std::ranges::all_of(domain.checkpoints, &FakeCheckpoint::stray);
}

std::vector<std::string> FakeHypervisor::bitmaps(const VmId& vm) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const FakeCheckpoint& each : domains_.at(vm)->checkpoints)
        if (!each.dirty.empty()) names.push_back(each.name.text());
    std::ranges::sort(names);
    return names;
}

Result<model::HostFacts> FakeHypervisor::describe_host() {
    const std::lock_guard lock(mutex_);
    TRY(before("describe_host"));
    model::HostFacts facts;
    facts.hypervisor_version = "fake 1.0";
    facts.cpus = 4;
    facts.memory = Bytes(8ULL << 30U);
    facts.memory_available = memory_available_;
    return facts;
}

Result<std::vector<model::VmFacts>> FakeHypervisor::list_vms() {
    const std::lock_guard lock(mutex_);
    TRY(before("list_vms"));
    std::vector<model::VmFacts> list;
    for (const auto& [id, domain] : domains_) {
        model::VmFacts facts{.vm = id,
                             .name = domain->vm.name,
                             .running = domain->vm.running,
                             .vcpus = domain->vm.vcpus,
                             .memory = domain->vm.memory,
                             .disks = {},
                             .nics = domain->vm.nics,
                             .cloneable = domain->vm.running,
                             .reasons = {}};
        for (const FakeDisk& disk : domain->vm.disks)
            facts.disks.push_back({.target = disk.target,
                                   .source = disk.target + ".qcow2",
                                   .format = "qcow2",
                                   .virtual_size = Bytes(disk.data.size()),
                                   .incremental = disk.incremental,
                                   .encrypted = disk.encrypted});
        facts.managed_by = TRY(manager_in(xml_of(domain->vm, Layer::kPersistent)));
        if (!domain->vm.running) facts.reasons.emplace_back("it is not running: start it, then clone it");
        list.push_back(std::move(facts));
    }
    return list;
}

std::string FakeHypervisor::xml_of(const FakeVm& vm, Layer layer) {
    return vm.xml.empty() ? render_xml(vm, layer) : vm.xml;
}

std::string FakeHypervisor::render_xml(const FakeVm& vm, Layer layer) {
    std::string xml = fmt::format("<domain><name>{}</name><uuid>{}</uuid><metadata>{}</metadata><cputune>", vm.name,
                                  vm.vm.text(), vm.metadata);
    for (const auto& [name, value] : layer == Layer::kLive ? vm.live : vm.persistent)
        xml += fmt::format("<{}>{}</{}>", name, value, name);
    xml += "</cputune><devices>";
    for (const FakeDisk& disk : vm.disks) {
        xml += fmt::format("<disk><target dev='{}'/><iotune>", disk.target);
        const IoTuneVector& vector = layer == Layer::kLive ? disk.live : disk.persistent;
        for (const auto& [name, value] : vector.limits)
            xml += fmt::format("<{}>{}</{}>", name, value, name);
        if (!vector.group_name.empty()) xml += fmt::format("<group_name>{}</group_name>", vector.group_name);
        xml += "</iotune></disk>";
    }
    return xml + "</devices></domain>";
}

Result<std::string> FakeHypervisor::domain_xml(const VmId& vm, Layer layer) {
    const std::lock_guard lock(mutex_);
    TRY(before("domain_xml"));
    const Domain* domain = TRY(find(vm));
    if (layer == Layer::kLive && !domain->vm.running)
        return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", domain->vm.name));
    return xml_of(domain->vm, layer);
}

namespace {
VmCounters counters_in(const FakeVm& vm) {
    VmCounters counters{
        .vm = vm.vm, .name = vm.name, .cpu_time = std::chrono::seconds(1), .memory_resident = vm.memory, .disks = {}};
    for (const FakeDisk& disk : vm.disks) {
        // A third of each kind.
        counters.disks.read_requests += disk.requests / 3;
        counters.disks.read_time += disk.request_time / 3;
        counters.disks.write_requests += disk.requests / 3;
        counters.disks.write_time += disk.request_time / 3;
        counters.disks.flush_requests += disk.requests - disk.requests / 3 * 2;
        counters.disks.flush_time += disk.request_time - disk.request_time / 3 * 2;
    }
    return counters;
}
}  // namespace

Result<std::vector<VmCounters>> FakeHypervisor::counters() {
    const std::lock_guard lock(mutex_);
    TRY(before("counters"));
    std::vector<VmCounters> list;
    for (const auto& [id, domain] : domains_) {
        if (!domain->vm.running) continue;
        list.push_back(counters_in(domain->vm));
    }
    for (const auto& [name, shadow] : shadows_) {
        if (shadow->running) list.push_back({.vm = VmId(element(shadow->xml, "uuid")), .name = name});
    }
    return list;
}

Result<DiskCounters> FakeHypervisor::disk_counters(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    TRY(before("disk_counters"));
    const Domain* domain = TRY(find(vm));
    if (!domain->vm.running) return fail(ErrorCode::kUnavailable, "the VM is not running");
    return counters_in(domain->vm).disks;
}

void FakeHypervisor::guest_requests(const VmId& vm, std::uint64_t count, std::chrono::nanoseconds each) {
    const std::lock_guard lock(mutex_);
    const auto domain = find(vm);
    ASSERT(domain.has_value() && !(*domain)->vm.disks.empty());
    FakeDisk& disk = (*domain)->vm.disks.front();
    disk.requests += count;
    disk.request_time += each * count;
}

Result<std::vector<CheckpointFacts>> FakeHypervisor::checkpoints(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    TRY(before("checkpoints"));
    const Domain* domain = TRY(find(vm));
    std::vector<CheckpointFacts> list;
    for (const FakeCheckpoint& checkpoint : domain->checkpoints) {
        if (checkpoint.stray && !(is_ours(checkpoint.name) && checkpoint.stored)) continue;
        list.push_back(checkpoint.facts(domain->vm.running));
    }
    std::ranges::stable_partition(list, [](const CheckpointFacts& facts) { return !facts.stray; });
    return list;
}

Result<BackupJob> FakeHypervisor::begin_backup(const BackupRequest& request) {
    const std::lock_guard lock(mutex_);
    TRY(before("begin_backup"));
    Domain* domain = TRY(find(request.vm));
    if (!domain->vm.running)
        return fail(ErrorCode::kUnavailable,
                    fmt::format("VM {} is not running: a backup needs it to run", domain->vm.name));
    if (domain->job)
        return fail(ErrorCode::kConflict, fmt::format("VM {} has a backup job already: end it first", domain->vm.name));
    if (std::ranges::find(domain->checkpoints, request.checkpoint, &FakeCheckpoint::name) != domain->checkpoints.end())
        return fail(ErrorCode::kAlreadyExists, fmt::format("checkpoint {} exists already", request.checkpoint.text()));

    Job job{.socket = request.socket, .cuts = {}, .pushed_out = {}};
    FakeCheckpoint made{.name = request.checkpoint, .created_s = clock_s_++, .dirty = {}, .broken = {}};
    BackupJob answer{.vm = request.vm, .checkpoint = {}, .socket = request.socket, .exports = {}};
    for (const BackupDisk& wanted : request.disks) {
        const FakeDisk* disk = TRY(find_disk(request.vm, wanted.disk));
        auto cut = std::make_shared<Cut>(Cut{.data = disk->data, .zero = disk->zero, .dirty = {}, .open = true});
        if (wanted.since.empty()) {
            cut->dirty.insert({.begin = 0, .end = disk->data.size()});
        } else {
            const auto since = std::ranges::find(domain->checkpoints, wanted.since, &FakeCheckpoint::name);
            if (since == domain->checkpoints.end() || since->stray || since->broken.contains(wanted.disk) ||
                !since->dirty.contains(wanted.disk))
                return fail(ErrorCode::kDataLoss,
                            fmt::format("missing or broken bitmap {} of disk {}: read the whole disk",
                                        wanted.since.text(), wanted.disk));
            cut->dirty = since->dirty.at(wanted.disk);
        }
        job.cuts[wanted.disk] = cut;
        job.pushed_out[wanted.disk] = {};
        if (disk->incremental) made.dirty[wanted.disk] = {};
        answer.exports.push_back(
            {.disk = wanted.disk, .name = wanted.disk, .bitmap = wanted.since.empty() ? "" : "backup-" + wanted.disk});
    }
    answer.checkpoint = {.name = made.name, .created_s = made.created_s, .dirty = {}};
    for (const auto& [disk, dirty] : made.dirty)
        answer.checkpoint.dirty[disk] = Bytes(0);
    domain->checkpoints.push_back(std::move(made));
    domain->job = std::move(job);
    TRY(after("begin_backup"));
    return answer;
}

Result<std::optional<BackupStatus>> FakeHypervisor::backup_status(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    TRY(before("backup_status"));
    const Domain* domain = TRY(find(vm));
    if (!domain->job) return std::optional<BackupStatus>();
    return std::optional(
        BackupStatus{.socket = domain->job->socket, .scratch_used = scratch_used(domain->job->pushed_out)});
}

Result<void> FakeHypervisor::end_backup(const VmId& vm, const std::filesystem::path& socket) {
    const std::lock_guard lock(mutex_);
    TRY(before("end_backup"));
    Domain* domain = TRY(find(vm));
    if (!domain->job) return {};
    if (domain->job->socket != socket)
        return fail(ErrorCode::kConflict, fmt::format("the backup job on VM {} is not ours: it serves {}",
                                                      domain->vm.name, domain->job->socket.string()));
    for (const auto& [name, cut] : domain->job->cuts)
        cut->open = false;
    domain->job.reset();
    return after("end_backup");
}

Result<void> FakeHypervisor::set_checkpoint_aside(const VmId& vm, const CheckpointId& checkpoint) {
    const std::lock_guard lock(mutex_);
    TRY(before("set_checkpoint_aside"));
    Domain* domain = TRY(find(vm));
    TRY(check_ours(checkpoint));
    for (FakeCheckpoint& each : domain->checkpoints)
        each.stray = each.stray || each.name == checkpoint;
    return after("set_checkpoint_aside");
}

Result<CheckpointFacts> FakeHypervisor::recall_checkpoint(const VmId& vm, const CheckpointFacts& known) {
    const std::lock_guard lock(mutex_);
    TRY(before("recall_checkpoint"));
    Domain* domain = TRY(find(vm));
    TRY(check_ours(known.name));
    if (!domain->vm.running) return fail(ErrorCode::kUnavailable, fmt::format("VM {} is not running", domain->vm.name));
    auto found = std::ranges::find(domain->checkpoints, known.name, &FakeCheckpoint::name);
    if (found == domain->checkpoints.end())
        found = domain->checkpoints.insert(found, FakeCheckpoint::without_bitmaps(known));
    if (std::exchange(found->stray, false)) found->created_s = known.created_s;
    TRY(after("recall_checkpoint"));
    return found->facts(true);
}

Result<void> FakeHypervisor::delete_checkpoint(const VmId& vm, const CheckpointId& checkpoint) {
    const std::lock_guard lock(mutex_);
    TRY(before("delete_checkpoint"));
    Domain* domain = TRY(find(vm));
    TRY(check_ours(checkpoint));
    std::erase_if(domain->checkpoints, [&](const FakeCheckpoint& each) { return each.name == checkpoint; });
    return after("delete_checkpoint");
}

Result<std::vector<ShadowDomainFacts>> FakeHypervisor::list_shadows() {
    const std::lock_guard lock(mutex_);
    TRY(before("list_shadows"));
    std::vector<ShadowDomainFacts> list;
    for (const auto& [name, shadow] : shadows_) {
        ShadowDomainFacts facts{
            .name = name, .vm = VmId(element(shadow->xml, "uuid")), .running = shadow->running, .taps = {}};
        if (shadow->running) facts.taps.push_back("vnet-" + name);
        list.push_back(std::move(facts));
    }
    return list;
}

Result<void> FakeHypervisor::define(const std::string& xml) {
    const std::lock_guard lock(mutex_);
    TRY(before("define"));
    const std::string name = element(xml, "name");
    if (name.empty()) return fail(ErrorCode::kInvalidArgument, "the domain's XML has no name");
    if (xml.find(kShadowMark) == std::string::npos)
        return fail(ErrorCode::kPermissionDenied, fmt::format("domain {} does not carry our mark", name));
    for (const auto& [id, domain] : domains_) {
        if (domain->vm.name == name || id.text() == element(xml, "uuid"))
            return fail(ErrorCode::kPermissionDenied,
                        fmt::format("domain {} exists and is not a shadow of ours", name));
    }
    if (const auto old = shadows_.find(name); old != shadows_.end() && old->second->running)
        return fail(ErrorCode::kAlreadyExists, fmt::format("shadow {} is running: remove it first", name));
    shadows_[name] = std::make_shared<ShadowDomain>(ShadowDomain{.xml = xml, .running = false});
    return after("define");
}

Result<void> FakeHypervisor::start(const std::string& name) {
    const std::lock_guard lock(mutex_);
    TRY(before("start"));
    const auto found = shadows_.find(name);
    if (found == shadows_.end()) {
        for (const auto& [id, domain] : domains_) {
            if (domain->vm.name == name)
                return fail(ErrorCode::kPermissionDenied, fmt::format("domain {} is not a shadow of ours", name));
        }
        return fail(ErrorCode::kNotFound, fmt::format("no shadow domain {}", name));
    }
    found->second->running = true;
    return after("start");
}

Result<void> FakeHypervisor::remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    TRY(before("remove"));
    for (const auto& [id, domain] : domains_) {
        if (domain->vm.name == name)
            return fail(ErrorCode::kPermissionDenied, fmt::format("domain {} is not a shadow of ours", name));
    }
    shadows_.erase(name);
    return after("remove");
}

Result<bool> FakeHypervisor::agent_answers(const std::string& name) {
    const std::lock_guard lock(mutex_);
    TRY(before("agent_answers"));
    const auto found = shadows_.find(name);
    if (found == shadows_.end()) return fail(ErrorCode::kNotFound, fmt::format("no shadow domain {}", name));
    return found->second->running && agent_answers_;
}

Result<std::unique_ptr<BlockSource>> FakeHypervisor::open(const BackupJob& job, const BackupExport& disk) {
    const std::lock_guard lock(mutex_);
    TRY(before("open"));
    const Domain* domain = TRY(find(job.vm));
    if (!domain->job || domain->job->socket != job.socket || !domain->job->cuts.contains(disk.name))
        return fail(ErrorCode::kUnavailable,
                    fmt::format("no backup job serves {}: begin a new one", job.socket.string()));
    return std::unique_ptr<BlockSource>(std::make_unique<FakeBlockSource>(domain->job->cuts.at(disk.name), faults_));
}

}  // namespace penumbra::hypervisor::fake
