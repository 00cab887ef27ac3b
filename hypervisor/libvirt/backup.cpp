#include "hypervisor/libvirt/backup.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/durable_file.hpp"
#include "base/limits/libvirt.hpp"
#include "hypervisor/backup_xml.hpp"
#include "hypervisor/domain_xml.hpp"
#include "hypervisor/libvirt/checkpoints.hpp"
#include "hypervisor/libvirt/typed_params.hpp"
#include "hypervisor/qcow2_header.hpp"
#include "hypervisor/qcow2_layer.hpp"

namespace penumbra::hypervisor::libvirt {

namespace {

/// The XML of the domain's backup job; nothing when there is none.
Result<std::optional<std::string>> job_xml(virDomainPtr domain, const VmId& vm) {
    const TextHandle xml(virDomainBackupGetXMLDesc(domain, 0));
    if (xml != nullptr) return std::string(xml.get());
    // A domain that is off has no job either; libvirt says so with another number.
    if (failed_with(VIR_ERR_NO_DOMAIN_BACKUP) || failed_with(VIR_ERR_OPERATION_INVALID)) return std::nullopt;
    return fail_libvirt(fmt::format("looking for a backup job of VM {}", vm.text()));
}

/// Whether anything holds the domain: a backup, a snapshot, a migration, a save.
Result<bool> has_job(virDomainPtr domain, const VmId& vm) {
    virDomainJobInfo info{};
    if (virDomainGetJobInfo(domain, &info) < 0) return fail_libvirt(fmt::format("asking for jobs of VM {}", vm.text()));
    return info.type == VIR_DOMAIN_JOB_BOUNDED || info.type == VIR_DOMAIN_JOB_UNBOUNDED;
}

/// What a job serves; without a socket for a push-mode job.
BackupServer server_in(const std::string& xml) {
    return backup_server_in(xml).value_or(BackupServer());
}

/// Empty images for the blocks that the guest overwrites while the job is open. Made here, because libvirt would have
/// QEMU make them, and QEMU 7.2 dies of an assertion (qcow2_get_specific_info) when anybody asks for its block nodes
/// meanwhile, as every `virsh domstats` does.
Result<void> make_scratches(const BackupRequest& request, const std::vector<model::DiskFacts>& disks) {
    constexpr unsigned kQemuWritesToo = 0660;
    for (const BackupDisk& disk : request.disks) {
        const auto source = std::ranges::find(disks, disk.disk, &model::DiskFacts::target);
        if (source == disks.end())
            return fail(ErrorCode::kNotFound, fmt::format("VM {} has no disk {}", request.vm.text(), disk.disk));
        const ImageFacts image = TRY(look_at_image(source->source, source->format));
        // One that a job left which ended without us.
        TRY(remove_file_durably(disk.scratch));
        TRY(TRY(LayerWriter::create(disk.scratch, {.size = image.virtual_size.count(), .mode = kQemuWritesToo}))
                .seal());
    }
    return {};
}

Result<void> remove_all(const std::vector<std::filesystem::path>& files) {
    Result<void> all;
    for (const std::filesystem::path& file : files) {
        if (file.empty()) continue;
        if (Result<void> removed = remove_file_durably(file); all.has_value()) {
            all = std::move(removed);
        } else {
            follow_by(all, removed);
        }
    }
    return all;
}

Bytes scratch_used(virDomainPtr domain) {
    int type = VIR_DOMAIN_JOB_NONE;
    virTypedParameterPtr params = nullptr;
    int count = 0;
    // The job may have ended since it was seen: it then uses nothing.
    if (virDomainGetJobStats(domain, &type, &params, &count, 0) < 0) return Bytes(0);
    const std::map<std::string, TypedValue> values = values_of(params, count);
    virTypedParamsFree(params, count);
    const auto used = values.find(VIR_DOMAIN_JOB_DISK_TEMP_USED);
    return used == values.end() ? Bytes(0) : Bytes(std::get<std::uint64_t>(used->second));
}

/// Wakes who waits for the end of a domain's job. Lives until libvirt has dropped the callback, whose thread owns it.
struct JobEnd {
    std::mutex mutex;
    std::condition_variable ended;
    bool seen = false;

    static void on_completed(virConnectPtr, virDomainPtr, virTypedParameterPtr, int, void* self) noexcept {
        JobEnd& end = **static_cast<std::shared_ptr<JobEnd>*>(self);
        const std::lock_guard lock(end.mutex);
        end.seen = true;
        end.ended.notify_all();
    }
    static void release(void* self) noexcept { delete static_cast<std::shared_ptr<JobEnd>*>(self); }
};

/// Registers for the end of a domain's jobs while it lives.
class JobEndWatch {
 public:
    JobEndWatch(std::shared_ptr<virConnect> connection, virDomainPtr domain) : connection_(std::move(connection)) {
        auto shared = std::make_unique<std::shared_ptr<JobEnd>>(end_);
        id_ = virConnectDomainEventRegisterAny(connection_.get(), domain, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                                               VIR_DOMAIN_EVENT_CALLBACK(JobEnd::on_completed), shared.get(),
                                               JobEnd::release);
        if (id_ >= 0) static_cast<void>(shared.release());
    }
    JobEndWatch(const JobEndWatch&) = delete;
    JobEndWatch& operator=(const JobEndWatch&) = delete;
    JobEndWatch(JobEndWatch&&) = delete;
    JobEndWatch& operator=(JobEndWatch&&) = delete;
    ~JobEndWatch() {
        if (id_ >= 0) virConnectDomainEventDeregisterAny(connection_.get(), id_);
    }

    /// Until the event comes, or for `patience`: events are lost with a connection.
    void wait(std::chrono::milliseconds patience) {
        std::unique_lock lock(end_->mutex);
        end_->ended.wait_for(lock, patience, [&] { return std::exchange(end_->seen, false); });
    }

 private:
    std::shared_ptr<virConnect> connection_;
    std::shared_ptr<JobEnd> end_ = std::make_shared<JobEnd>();
    int id_ = -1;
};

Result<void> check_free(virDomainPtr domain, const BackupRequest& request) {
    if (!TRY(is_running(domain)))
        return fail(ErrorCode::kUnavailable,
                    fmt::format("VM {} is not running, and a cut needs it running: start it", request.vm.text()));
    if (TRY(job_xml(domain, request.vm)).has_value() || TRY(has_job(domain, request.vm)))
        return fail(ErrorCode::kConflict, fmt::format("VM {} is held by another backup, snapshot or migration: wait "
                                                      "for it or end it (virsh domjobinfo {})",
                                                      request.vm.text(), request.vm.text()));
    if (find_checkpoint(domain, request.checkpoint) != nullptr)
        return fail(ErrorCode::kAlreadyExists, fmt::format("VM {} has a checkpoint {} already: choose another name",
                                                           request.vm.text(), request.checkpoint.text()));
    if (!failed_with(VIR_ERR_NO_DOMAIN_CHECKPOINT))
        return fail_libvirt(fmt::format("looking for checkpoint {}", request.checkpoint.text()));
    return {};
}

/// Sizes of bitmaps come from QEMU's block nodes (see make_scratches): not while somebody is making some.
Result<void> check_nodes_stand(virDomainPtr domain, const VmId& vm) {
    if (!TRY(is_running(domain)) || !TRY(has_job(domain, vm)) || TRY(job_xml(domain, vm)).has_value()) return {};
    return fail(ErrorCode::kConflict, fmt::format("VM {} is held by a backup that begins, a snapshot or a "
                                                  "migration: wait for it (virsh domjobinfo {})",
                                                  vm.text(), vm.text()));
}

}  // namespace

Result<std::vector<CheckpointFacts>> LibvirtBackup::checkpoints(const VmId& vm) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    TRY(check_nodes_stand(domain.get(), vm));
    return list_checkpoints(domain.get());
}

Result<BackupJob> LibvirtBackup::begin_backup(const BackupRequest& request) {
    const DomainHandle domain = TRY(connection_.domain(request.vm));
    TRY(check_free(domain.get(), request));
    const std::string domain_xml = TRY(xml_of(domain.get(), Configuration::kCurrent));
    const std::vector<std::string> disks = TRY(disk_targets(domain_xml));
    std::vector<std::filesystem::path> scratches;
    for (const BackupDisk& disk : request.disks)
        scratches.push_back(disk.scratch);
    if (Result<void> made = make_scratches(request, TRY(facts_in(domain_xml)).disks); !made.has_value()) {
        follow_by(made, remove_all(scratches));
        return tl::unexpected(std::move(made).error());
    }
    if (virDomainBackupBegin(domain.get(), backup_xml(request, disks).c_str(), checkpoint_xml(request, disks).c_str(),
                             VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL) < 0) {
        Result<BackupJob> failed = fail_libvirt(fmt::format("beginning a backup of VM {}", request.vm.text()));
        // Its answer may have been lost on the way: then the job stands.
        const auto job = job_xml(domain.get(), request.vm);
        if (job.has_value() && job->has_value() && server_in(**job).socket == request.socket)
            follow_by(failed, end_backup(request.vm, request.socket));
        follow_by(failed, remove_all(scratches));
        // A cut whose export failed leaves its checkpoint behind, which would cost the guest a bitmap for nothing.
        if (find_checkpoint(domain.get(), request.checkpoint) != nullptr)
            follow_by(failed, delete_with_bitmaps(domain.get(), request.checkpoint));
        return failed;
    }
    const std::optional<std::string> xml = TRY(job_xml(domain.get(), request.vm));
    if (!xml.has_value())
        return fail(ErrorCode::kUnavailable,
                    fmt::format("the backup job of VM {} ended as soon as it had begun", request.vm.text()));
    const CheckpointHandle checkpoint = find_checkpoint(domain.get(), request.checkpoint);
    if (checkpoint == nullptr) return fail_libvirt("reading the checkpoint of a cut");
    BackupServer server = TRY(backup_server_in(*xml));
    return BackupJob{.vm = request.vm,
                     .checkpoint = TRY(facts_of(checkpoint.get())),
                     .socket = std::move(server.socket),
                     .exports = std::move(server.exports)};
}

Result<std::optional<BackupStatus>> LibvirtBackup::backup_status(const VmId& vm) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    const std::optional<std::string> xml = TRY(job_xml(domain.get(), vm));
    if (!xml.has_value()) return std::nullopt;
    return BackupStatus{.socket = server_in(*xml).socket, .scratch_used = scratch_used(domain.get())};
}

Result<void> LibvirtBackup::end_backup(const VmId& vm, const std::filesystem::path& socket) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    JobEndWatch watch(TRY(connection_.get()), domain.get());
    const auto deadline = std::chrono::steady_clock::now() + limits::kBackupEndWait;
    std::vector<std::filesystem::path> scratches;
    for (bool asked = false; std::chrono::steady_clock::now() < deadline; watch.wait(limits::kBackupEndLook)) {
        const std::optional<std::string> xml = TRY(job_xml(domain.get(), vm));
        if (!xml.has_value()) return remove_all(scratches);
        BackupServer server = server_in(*xml);
        if (server.socket != socket) {
            if (asked) return remove_all(scratches);  // ours is gone, and somebody was quick to begin another
            return fail(ErrorCode::kConflict,
                        fmt::format("the backup job on VM {} is not ours: it serves {}", vm.text(),
                                    server.socket.empty() ? "no socket" : server.socket.string()));
        }
        scratches = std::move(server.scratches);
        if (std::exchange(asked, true)) continue;
        // It may end by itself between the look and this call; the next look then says so.
        if (virDomainAbortJob(domain.get()) < 0 && !failed_with(VIR_ERR_OPERATION_INVALID))
            return fail_libvirt(fmt::format("ending the backup job of VM {}", vm.text()));
    }
    return fail(ErrorCode::kDeadlineExceeded,
                fmt::format("the backup job of VM {} did not end; `virsh domjobabort {}` ends it by hand", vm.text(),
                            vm.text()));
}

Result<void> LibvirtBackup::set_checkpoint_aside(const VmId& vm, const CheckpointId& checkpoint) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    return forget_metadata(domain.get(), checkpoint);
}

Result<CheckpointFacts> LibvirtBackup::recall_checkpoint(const VmId& vm, const CheckpointFacts& known) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    if (!TRY(is_running(domain.get())))
        return fail(ErrorCode::kUnavailable,
                    fmt::format("VM {} is not running, so nobody knows what became of its bitmaps", vm.text()));
    TRY(check_nodes_stand(domain.get(), vm));
    return redefine(domain.get(), known);
}

Result<void> LibvirtBackup::delete_checkpoint(const VmId& vm, const CheckpointId& checkpoint) {
    const DomainHandle domain = TRY(connection_.domain(vm));
    return delete_with_bitmaps(domain.get(), checkpoint);
}

}  // namespace penumbra::hypervisor::libvirt
