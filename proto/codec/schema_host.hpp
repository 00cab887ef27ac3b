#pragma once

// Internal to proto/codec: each message of proto/{host,replica,shadow,effect,kpi}.proto, once, for
// reading and writing. Numbers are append-only and must agree with the .proto files (tests/golden/envelope).

#include "base/limits/base.hpp"
#include "base/limits/local.hpp"
#include "base/limits/wire.hpp"
#include "proto/codec/reader.hpp"
#include "proto/codec/writer.hpp"
#include "proto/model/effect.hpp"
#include "proto/model/host.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/replica.hpp"
#include "proto/model/shadow.hpp"

namespace penumbra::codec {

template <>
inline constexpr auto kLastOf<model::Ceiling> = model::Ceiling::kChange;
template <>
inline constexpr auto kLastOf<model::GenerationKind> = model::GenerationKind::kIncremental;
template <>
inline constexpr auto kLastOf<model::Consistency> = model::Consistency::kApplication;
template <>
inline constexpr auto kLastOf<model::ArmState> = model::ArmState::kGone;
template <>
inline constexpr auto kLastOf<model::EffectState> = model::EffectState::kFailed;

// An entry of a map, and a list that stands where a message must: in a oneof, or in a list.
template <class Value>
void fields(auto& v, std::pair<std::string, Value>& entry) {
    v.text(1, "parameter name", entry.first, limits::kIdBytesMax);
    v.expect(!entry.first.empty(), "parameter name", "it is empty");
    v(2, "parameter value", entry.second);
}
template <class Item>
void fields(auto& v, std::vector<Item>& items) {
    v.list(1, "items", items, limits::kItemsPerReplyMax);
}

// ---- host.proto
void fields(auto& v, model::DiskFacts& disk) {
    v(1, "disk target", disk.target);
    v(2, "disk source", disk.source);
    v(3, "disk format", disk.format);
    v(4, "disk virtual size", disk.virtual_size);
    v(5, "disk incremental", disk.incremental);
    v(6, "disk encrypted", disk.encrypted);
}
void fields(auto& v, model::NicFacts& nic) {
    v(1, "nic target", nic.target);
    v(2, "nic mac", nic.mac);
    v(3, "nic network", nic.network);
    v(4, "nic model", nic.model);
}
void fields(auto& v, model::VmFacts& vm) {
    v(1, "vm", vm.vm);
    v(2, "vm name", vm.name);
    v(3, "vm running", vm.running);
    v(4, "vm vcpus", vm.vcpus);
    v(5, "vm memory", vm.memory);
    v.list(6, "vm disks", vm.disks, limits::kDisksPerVmMax);
    v.list(7, "vm nics", vm.nics, limits::kNicsPerVmMax);
    v(8, "vm cloneable", vm.cloneable);
    v.list(9, "vm reasons", vm.reasons, limits::kReasonsMax);
    v(10, "vm managed by", vm.managed_by);
}
void fields(auto& v, model::HostFacts& facts) {
    v(1, "hypervisor version", facts.hypervisor_version);
    v(2, "switch version", facts.switch_version);
    v(3, "host cpus", facts.cpus);
    v(4, "host memory", facts.memory);
    v(5, "host available memory", facts.memory_available);
    v(6, "host ceiling", facts.ceiling);
    v(7, "host may run shadows", facts.may_run_shadows);
    v.list(8, "host vms", facts.vms, limits::kVmsPerHostMax);
}

// ---- replica.proto
void fields(auto& v, model::VolumeGeneration& volume) {
    v(1, "volume disk", volume.disk);
    v(2, "volume virtual size", volume.virtual_size);
    v(3, "volume bytes read", volume.bytes_read);
    v(4, "volume bytes sent", volume.bytes_sent);
    v(5, "volume bytes zeroed", volume.bytes_zeroed);
    v.text(6, "volume source root", volume.root_source, limits::kHashTextBytesMax);
    v.text(7, "volume target root", volume.root_target, limits::kHashTextBytesMax);
}
void fields(auto& v, model::Generation& generation) {
    v(1, "generation group", generation.group);
    v(2, "generation number", generation.number);
    v(3, "generation kind", generation.kind);
    v(4, "generation kind's reason", generation.kind_reason);
    v(5, "generation consistency", generation.consistency);
    v.list(6, "generation volumes", generation.volumes, limits::kDisksPerVmMax);
}

// ---- shadow.proto
void fields(auto& v, model::ShadowSpec& spec) {
    v(1, "shadow", spec.shadow);
    v(2, "shadow group", spec.group);
    v.between(3, "shadow scale", spec.scale, 0, 1);
    v.list(4, "shadow arms", spec.arms, limits::kArmsPerShadowMax);
    v.expect(spec.scale > 0, "shadow scale", "it must be above 0");
    v.expect(!spec.arms.empty(), "shadow arms", "a shadow has at least one");
}
void fields(auto& v, model::ArmStatus& arm) {
    v(1, "arm", arm.arm);
    v(2, "arm state", arm.state);
    v(3, "arm domain", arm.domain);
    v(4, "arm bridge", arm.bridge);
    v(5, "arm vcpus", arm.vcpus);
    v(6, "arm memory", arm.memory);
    v(7, "arm reason", arm.reason);
}
void fields(auto& v, model::ShadowStatus& status) {
    v(1, "shadow spec", status.spec);
    v(2, "shadow generation", status.generation);
    v.list(3, "shadow arms' status", status.arms, limits::kArmsPerShadowMax);
    v.list(4, "shadow fidelity gaps", status.fidelity_gaps, limits::kReasonsMax);
}

void fields(auto& v, model::IsolationReport& report) {
    v(1, "isolation shadow", report.shadow);
    v(2, "isolation arm", report.arm);
    v(3, "isolation time", report.at);
    v(4, "isolation corpus frames", report.corpus_frames);
    v(5, "isolation seen on production", report.seen_on_production);
    v(6, "isolation positive control", report.positive_control_seen);
    v.list(7, "isolation listened on", report.listened_on, limits::kInterfacesListenedMax);
    v(8, "isolation reason", report.reason);
}

// ---- effect.proto
void fields(auto& v, model::EffectTarget& target) {
    v.maybe(1, "effect vm", target.vm);
    v.maybe(2, "effect shadow", target.shadow);
    v.maybe(3, "effect arm", target.arm);
    v.expect(target.shadow.empty() == target.arm.empty(), "effect target",
             "names a shadow without an arm, or an arm alone");
}
void fields(auto& v, model::IoTune& tune) {
    v.text(1, "iotune disk", tune.disk, limits::kIdBytesMax);
    v.tuning(2, "iotune limits", tune.limits);
}
void fields(auto& v, model::CpuTune& tune) {
    v.tuning(1, "cputune parameters", tune.parameters);
}
void fields(auto& v, model::Partition& partition) {
    v.list(1, "partition interfaces", partition.interfaces, limits::kNicsPerVmMax);
}
void fields(auto& v, model::BackupHold& hold) {
    v(1, "backup checkpoint", hold.checkpoint);
}
void fields(auto& v, model::MirrorHold& hold) {
    v(1, "mirror bridge", hold.bridge);
    v(2, "mirrored port", hold.mirrored_port);
}
void fields(auto& v, model::EffectSpec& spec) {
    v.maybe(1, "effect", spec.id);
    v(2, "effect target", spec.target);
    v(3, "effect lease", spec.lease);
    v.choice(10, "effect action", spec.action);
}
void fields(auto& v, model::EffectStatus& status) {
    v(1, "effect", status.id);
    v(2, "effect state", status.state);
    v.text(3, "effect before-hash", status.before_hash, limits::kHashTextBytesMax);
    v.text(4, "effect after-hash", status.after_hash, limits::kHashTextBytesMax);
    v(5, "effect reason", status.reason);
    v.list(6, "effect evidence", status.evidence, limits::kReasonsMax);
}

// ---- kpi.proto
void fields(auto& v, model::Vantage& vantage) {
    v(1, "vantage group", vantage.group);
    v.maybe(2, "vantage shadow", vantage.shadow);
    v.maybe(3, "vantage arm", vantage.arm);
    v.expect(vantage.shadow.empty() == vantage.arm.empty(), "vantage",
             "names a shadow without an arm, or an arm alone");
}
void fields(auto& v, model::ReplayLedger& ledger) {
    v(1, "ledger captured", ledger.captured);
    v(2, "ledger replayed", ledger.replayed);
    v(3, "ledger lost to capture", ledger.lost_capture_drop);
    v(4, "ledger lost to a full spool", ledger.lost_spool_full);
    v(5, "ledger lost to connect", ledger.lost_connect);
    v(6, "ledger lost to timeout", ledger.lost_timeout);
    v(7, "ledger lost to reset", ledger.lost_reset);
    v(8, "ledger not sent", ledger.lost_not_sent);
}
void fields(auto& v, model::KpiWindow& window) {
    v(1, "window vantage", window.vantage);
    v(2, "window sequence", window.sequence);
    v(3, "window begin", window.begin);
    v(4, "window length", window.length);
    v(5, "window requests", window.requests);
    v(6, "window errors", window.errors);
    v.buckets(7, "window response times", window.response_time);
    v(8, "window guest cpu share", window.guest_cpu_share);
    v(9, "window disk bytes read", window.disk_read_bytes);
    v(10, "window disk bytes written", window.disk_write_bytes);
    v(11, "window ledger", window.ledger);
}

}  // namespace penumbra::codec
