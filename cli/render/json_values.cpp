#include "cli/render/json_values.hpp"

#include <chrono>

#include "cli/render/text.hpp"

namespace penumbra::cli {

using model::to_string;

namespace {
// Seconds with their fraction; nlohmann prints a double that reads back the same.
template <class Duration>
double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

// A time that never was is null, not 1970.
Json time_or_null(WallTime time) {
    return time == WallTime{} ? Json(nullptr) : Json(iso_time(time));
}

template <class T>
Json texts(const std::vector<T>& ids) {
    Json array = Json::array();
    for (const T& id : ids)
        array.push_back(id.text());
    return array;
}

}  // namespace

Json json_of(const model::DiskFacts& disk) {
    return {{"target", disk.target},           {"source", disk.source},
            {"format", disk.format},           {"virtual_size_bytes", disk.virtual_size.count()},
            {"incremental", disk.incremental}, {"encrypted", disk.encrypted}};
}

Json json_of(const model::NicFacts& nic) {
    return {{"target", nic.target}, {"mac", nic.mac}, {"network", nic.network}, {"model", nic.model}};
}

Json json_of(const model::KpiEvidence& evidence) {
    return {{"kpi", evidence.kpi},
            {"verdict", to_string(evidence.verdict)},
            {"n", evidence.n},
            {"effective_n", evidence.effective_n},
            {"effect", evidence.effect},
            {"interval",
             {{"low", evidence.interval.low},
              {"high", evidence.interval.high},
              {"confidence", evidence.interval.confidence}}},
            {"p_value", evidence.p_value},
            {"power", evidence.power},
            {"margin", evidence.margin},
            {"reason", evidence.reason}};
}

Json json_of(const model::ArmStatus& arm) {
    return {
        {"arm", arm.arm.text()}, {"state", to_string(arm.state)},      {"domain", arm.domain}, {"bridge", arm.bridge},
        {"vcpus", arm.vcpus},    {"memory_bytes", arm.memory.count()}, {"reason", arm.reason}};
}

Json json_of(const model::VolumeGeneration& volume) {
    return {{"disk", volume.disk},
            {"virtual_size_bytes", volume.virtual_size.count()},
            {"bytes_read", volume.bytes_read.count()},
            {"bytes_sent", volume.bytes_sent.count()},
            {"bytes_zeroed", volume.bytes_zeroed.count()},
            {"root_source", volume.root_source},
            {"root_target", volume.root_target}};
}

Json json_of(const model::TrialSpan& span) {
    return {{"from", time_or_null(span.from)}, {"to", time_or_null(span.to)}};
}

Json json_of(const model::LoadStep& step) {
    return {{"multiple", step.multiple}, {"span", json_of(step.span)}, {"verdict", json_of(step.verdict)}};
}

Json json_of(const model::RolloutTarget& target) {
    return {{"vm", target.vm.text()},
            {"host", target.host.text()},
            {"wave", target.wave},
            {"effect", target.effect.text()},
            {"effect_state", target.effect_state ? Json(to_string(*target.effect_state)) : Json(nullptr)},
            {"before_hash", target.before_hash},
            {"after_hash", target.after_hash},
            {"final_hash", target.final_hash},
            {"reason", target.reason}};
}

Json json_of(const model::ForecastPoint& point) {
    return {{"at", iso_time(point.at)}, {"values", point.values}};
}

Json json_of(const model::ReplayLedger& ledger) {
    return {{"captured", ledger.captured},
            {"replayed", ledger.replayed},
            {"lost_capture_drop", ledger.lost_capture_drop},
            {"lost_spool_full", ledger.lost_spool_full},
            {"lost_connect", ledger.lost_connect},
            {"lost_timeout", ledger.lost_timeout},
            {"lost_reset", ledger.lost_reset},
            {"lost_not_sent", ledger.lost_not_sent}};
}

Json json_of(const model::VmFacts& facts) {
    return {{"vm", facts.vm.text()},
            {"name", facts.name},
            {"running", facts.running},
            {"vcpus", facts.vcpus},
            {"memory_bytes", facts.memory.count()},
            {"disks", json_of(facts.disks)},
            {"nics", json_of(facts.nics)},
            {"cloneable", facts.cloneable},
            {"reasons", facts.reasons},
            {"managed_by", facts.managed_by}};
}

Json json_of(const model::HostView& view) {
    return {{"host", view.host.text()},
            {"state", to_string(view.state)},
            {"reason", view.reason},
            {"troubles", view.troubles},
            {"hints", view.hints},
            {"agent_version", view.agent_version},
            {"silent_for_s", seconds(view.silent_for)},
            {"ceiling", to_string(view.facts.ceiling)},
            {"may_run_shadows", view.facts.may_run_shadows},
            {"hypervisor_version", view.facts.hypervisor_version},
            {"switch_version", view.facts.switch_version},
            {"cpus", view.facts.cpus},
            {"memory_bytes", view.facts.memory.count()},
            {"memory_available_bytes", view.facts.memory_available.count()},
            {"vms", view.facts.vms.size()}};
}

Json json_of(const model::VmView& view) {
    Json json = json_of(view.facts);
    json["host"] = view.host.text();
    return json;
}

Json json_of(const model::Generation& generation) {
    std::uint64_t read = 0;
    std::uint64_t sent = 0;
    for (const model::VolumeGeneration& volume : generation.volumes) {
        read += volume.bytes_read.count();
        sent += volume.bytes_sent.count();
    }
    // Of several volumes each has a root of its own, in `volumes`.
    const bool one_volume = generation.volumes.size() == 1;
    return {{"gen", generation.number},
            {"group", generation.group.text()},
            {"kind", to_string(generation.kind)},
            {"kind_reason", generation.kind_reason},
            {"consistency", to_string(generation.consistency)},
            {"bytes_read", read},
            {"bytes_sent", sent},
            {"root_source", one_volume ? generation.volumes.front().root_source : ""},
            {"root_target", one_volume ? generation.volumes.front().root_target : ""},
            {"volumes", json_of(generation.volumes)}};
}

Json json_of(const model::GroupView& view) {
    return {{"group", view.group.text()},
            {"host", view.host.text()},
            {"vms", texts(view.vms)},
            {"generations", json_of(view.generations)}};
}

Json json_of(const model::ShadowView& view) {
    return {{"shadow", view.status.spec.shadow.text()},
            {"group", view.status.spec.group.text()},
            {"host", view.host.text()},
            {"scale", view.status.spec.scale},
            {"generation", view.status.generation},
            {"arms", json_of(view.status.arms)},
            {"fidelity_gaps", view.status.fidelity_gaps}};
}

Json json_of(const model::IsolationReport& report) {
    return {{"shadow", report.shadow.text()},
            {"arm", report.arm.text()},
            {"at", time_or_null(report.at)},
            {"corpus_frames", report.corpus_frames},
            {"seen_on_production", report.seen_on_production},
            {"positive_control_seen", report.positive_control_seen},
            {"listened_on", report.listened_on},
            {"reason", report.reason}};
}

Json json_of(const model::CommandView& view) {
    return {{"command", view.id.text()},        {"host", view.host.text()},
            {"resource", view.resource.text()}, {"operation", view.operation},
            {"state", to_string(view.state)},   {"reason", view.reason},
            {"asked_by", view.asked_by},        {"created", time_or_null(view.created)},
            {"progress", view.progress}};
}

Json json_of(const model::EventView& view) {
    return {{"sequence", view.sequence}, {"at", time_or_null(view.at)}, {"kind", view.kind},
            {"subject", view.subject},   {"message", view.message},     {"user", view.user}};
}

Json json_of(const model::Verdict& verdict) {
    return {{"kind", to_string(verdict.kind)},
            {"reason", verdict.reason},
            {"n", verdict.n},
            {"effective_n", verdict.effective_n},
            {"power", verdict.power},
            {"evidence", json_of(verdict.evidence)},
            {"more_needed_s", verdict.more_needed ? Json(verdict.more_needed->count()) : Json(nullptr)}};
}

Json json_of(const model::TrialStatus& status) {
    Json json = {{"name", status.spec.trial.text()},
                 {"kind", to_string(status.spec.kind)},
                 {"shadow", status.spec.shadow.text()},
                 {"group", status.group.text()},
                 {"host", status.host.text()},
                 {"control", status.spec.control.text()},
                 {"treated", status.spec.treated.text()},
                 {"state", to_string(status.state)},
                 {"begun", time_or_null(status.begun)},
                 {"ended", time_or_null(status.ended)},
                 {"baseline", json_of(status.baseline)},
                 {"measured", json_of(status.measured)},
                 {"aa", status.aa ? json_of(*status.aa) : Json(nullptr)},
                 {"load", json_of(status.load)},
                 {"reason", status.reason}};
    // The verdict's word and its numbers stand beside the trial's name, where a script looks for them.
    const Json verdict = json_of(status.verdict.value_or(model::Verdict{}));
    for (const char* key : {"n", "effective_n", "power", "evidence", "more_needed_s"})
        json[key] = verdict.at(key);
    json["verdict"] = verdict.at("kind");
    json["verdict_reason"] = verdict.at("reason");
    if (status.verdict.has_value()) return json;
    // Not judged: a zero would say that something was counted.
    for (const char* key : {"n", "effective_n", "power", "verdict"})
        json[key] = nullptr;
    return json;
}

Json json_of(const model::RolloutStatus& status) {
    // Beside the outcome, of the first VM; `targets` has them all.
    const model::RolloutTarget first = status.targets.empty() ? model::RolloutTarget{} : status.targets.front();
    return {{"name", status.spec.rollout.text()},
            {"group", status.spec.group.text()},
            {"change", model::kind_of(status.spec.change)},
            {"state", to_string(status.state)},
            {"outcome", status.outcome ? Json(to_string(*status.outcome)) : Json(nullptr)},
            {"reason", status.reason},
            {"trial", status.trial.text()},
            {"before_hash", first.before_hash},
            {"after_hash", first.after_hash},
            {"final_hash", first.final_hash},
            {"lease_s", status.spec.lease.count()},
            {"drill_before_hash", status.drill_before_hash},
            {"drill_after_hash", status.drill_after_hash},
            {"targets", json_of(status.targets)},
            {"begun", time_or_null(status.begun)},
            {"ended", time_or_null(status.ended)}};
}

Json json_of(const model::ForecastView& view) {
    return {{"group", view.group.text()},
            {"metric", view.metric},
            {"quantiles", view.quantiles},
            {"next_hour", json_of(view.next_hour)},
            {"next_day", json_of(view.next_day)},
            {"past_coverage", view.past_coverage},
            {"points_used", view.points_used},
            {"present", view.present},
            {"method", view.method}};
}

Json json_of(const model::KpiWindow& window) {
    Json buckets = Json::array();
    for (const model::HistogramBucket& bucket : window.response_time)
        buckets.push_back({bucket.value_us, bucket.count});
    return {{"group", window.vantage.group.text()},
            {"shadow", window.vantage.shadow.text()},
            {"arm", window.vantage.arm.text()},
            {"sequence", window.sequence},
            {"begin", iso_time(window.begin)},
            {"length_s", seconds(window.length)},
            {"requests", window.requests},
            {"errors", window.errors},
            {"response_time_us", buckets},
            {"guest_cpu_share", window.guest_cpu_share},
            {"disk_read_bytes", window.disk_read_bytes},
            {"disk_write_bytes", window.disk_write_bytes},
            {"ledger", json_of(window.ledger)}};
}

}  // namespace penumbra::cli
