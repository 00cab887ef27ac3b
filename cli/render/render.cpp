#include "cli/render/render.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/render/json_values.hpp"
#include "cli/render/table.hpp"
#include "cli/render/text.hpp"

namespace penumbra::cli {

using model::to_string;

namespace {
constexpr int kJsonIndent = 2;

template <class T>
std::string json_text(const T& value) {
    // replace: a guest's broken UTF-8 must not make the whole list unprintable.
    return json_of(value).dump(kJsonIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string word(std::string_view text) {
    return std::string(text);
}

std::string seconds_text(std::chrono::milliseconds duration) {
    return fmt::format("{:.0f} s", std::chrono::duration<double>(duration).count());
}

std::string first_or_dash(const std::vector<std::string>& sentences) {
    return sentences.empty() ? "-" : fmt::format("{}", fmt::join(sentences, "; "));
}

std::string short_hash(const std::string& hash) {
    return hash.empty() ? "-" : hash.substr(0, 12);
}

std::string when_text(WallTime time) {
    return time == WallTime{} ? "-" : iso_time(time);
}

std::string kind_text(const std::optional<model::Verdict>& verdict) {
    return verdict ? word(to_string(verdict->kind)) : "-";
}

void add_evidence(Table& table, const model::Verdict& verdict) {
    for (const model::KpiEvidence& kpi : verdict.evidence) {
        table.add({kpi.kpi, word(to_string(kpi.verdict)), fmt::format("{}", kpi.n),
                   fmt::format("{:.1f}", kpi.effective_n), effect_text(kpi.effect),
                   fmt::format("{} .. {}", effect_text(kpi.interval.low), effect_text(kpi.interval.high)),
                   fmt::format("{:.4f}", kpi.p_value), fmt::format("{:.2f}", kpi.power), effect_text(kpi.margin)});
    }
}

std::string verdict_text(std::string_view title, const model::Verdict& verdict) {
    std::string text =
        fmt::format("{}: {}, n {}, effective n {:.1f}, power {:.2f}\n  {}\n", title, to_string(verdict.kind), verdict.n,
                    verdict.effective_n, verdict.power, verdict.reason);
    if (verdict.more_needed) text += fmt::format("  {} s more would decide\n", verdict.more_needed->count());
    if (verdict.evidence.empty()) return text;
    Table table({"KPI", "VERDICT", "N", "EFF N", "EFFECT", "INTERVAL", "P", "POWER", "MARGIN"});
    add_evidence(table, verdict);
    return text + table.text();
}

// A step of load is measured against an objective, not beside another arm: its evidence is a time, in microseconds.
std::string load_text(const model::LoadStep& step) {
    std::string text =
        fmt::format("load x{:.2f}: {}, n {}\n", step.multiple, to_string(step.verdict.kind), step.verdict.n);
    if (!step.verdict.reason.empty()) text += fmt::format("  {}\n", step.verdict.reason);
    for (const model::KpiEvidence& kpi : step.verdict.evidence) {
        text += fmt::format("  {}: {:.1f} ms, at most {:.1f} ms; {}\n", kpi.kpi, kpi.effect / 1000,
                            kpi.interval.high / 1000, kpi.reason);
    }
    return text;
}

/// The first of what is wrong, and how much more there is to read.
std::string reason_of(const model::HostView& host) {
    if (host.troubles.size() > 1) return fmt::format("{} (+{})", host.reason, host.troubles.size() - 1);
    if (!host.troubles.empty() || host.hints.empty()) return host.reason;
    return fmt::format("{}; `penumbra doctor` has {} {}", host.reason, host.hints.size(),
                       host.hints.size() == 1 ? "hint" : "hints");
}
}  // namespace

std::string render(const std::vector<model::HostView>& hosts, Format format) {
    if (format == Format::kJson) return json_text(hosts);
    Table table({"HOST", "STATE", "CEILING", "SHADOWS", "VMS", "SILENT", "REASON"});
    for (const model::HostView& host : hosts) {
        table.add({host.host.text(), word(to_string(host.state)), word(to_string(host.facts.ceiling)),
                   host.facts.may_run_shadows ? "yes" : "no", fmt::format("{}", host.facts.vms.size()),
                   seconds_text(host.silent_for), reason_of(host)});
    }
    return table.text();
}

std::string render(const std::vector<model::VmView>& vms, Format format) {
    if (format == Format::kJson) return json_text(vms);
    Table table({"HOST", "VM", "STATE", "VCPUS", "MEMORY", "DISKS", "NICS", "MANAGER", "CLONEABLE", "REASON"});
    for (const model::VmView& vm : vms) {
        std::vector<std::string> disks;
        std::vector<std::string> nics;
        for (const auto& disk : vm.facts.disks) {
            disks.push_back(fmt::format("{} {} {}", disk.target, disk.format, bytes_text(disk.virtual_size.count())));
        }
        for (const auto& nic : vm.facts.nics)
            nics.push_back(fmt::format("{} {}", nic.mac, nic.network));
        table.add({vm.host.text(), vm.facts.name, vm.facts.running ? "running" : "off",
                   fmt::format("{}", vm.facts.vcpus), bytes_text(vm.facts.memory.count()), first_or_dash(disks),
                   first_or_dash(nics), vm.facts.managed_by.empty() ? "-" : vm.facts.managed_by,
                   vm.facts.cloneable ? "yes" : "no", first_or_dash(vm.facts.reasons)});
    }
    return table.text();
}

std::string render(const std::vector<model::GroupView>& groups, Format format) {
    if (format == Format::kJson) return json_text(groups);
    Table table({"GROUP", "HOST", "GEN", "KIND", "CONSISTENCY", "DISK", "READ", "SENT", "ROOT", "REASON"});
    for (const model::GroupView& group : groups) {
        if (group.generations.empty()) {
            table.add({group.group.text(), group.host.text(), "-", "-", "-", "-", "-", "-", "-", "no generation yet"});
        }
        for (const model::Generation& gen : group.generations) {
            for (const model::VolumeGeneration& volume : gen.volumes) {
                table.add({group.group.text(), group.host.text(), fmt::format("{}", gen.number),
                           word(to_string(gen.kind)), word(to_string(gen.consistency)), volume.disk,
                           bytes_text(volume.bytes_read.count()), bytes_text(volume.bytes_sent.count()),
                           short_hash(volume.root_target), gen.kind_reason});
            }
        }
    }
    return table.text();
}

std::string render(const std::vector<model::ShadowView>& shadows, Format format) {
    if (format == Format::kJson) return json_text(shadows);
    Table table({"SHADOW", "GROUP", "HOST", "SCALE", "GEN", "ARM", "STATE", "VCPUS", "MEMORY", "REASON"});
    for (const model::ShadowView& shadow : shadows) {
        for (const model::ArmStatus& arm : shadow.status.arms) {
            table.add({shadow.status.spec.shadow.text(), shadow.status.spec.group.text(), shadow.host.text(),
                       fmt::format("{}", shadow.status.spec.scale), fmt::format("{}", shadow.status.generation),
                       arm.arm.text(), word(to_string(arm.state)), fmt::format("{}", arm.vcpus),
                       bytes_text(arm.memory.count()), arm.reason});
        }
    }
    std::string text = table.text();
    for (const model::ShadowView& shadow : shadows) {
        for (const std::string& gap : shadow.status.fidelity_gaps) {
            text += fmt::format("{} differs from production: {}\n", shadow.status.spec.shadow.text(), gap);
        }
    }
    return text;
}

std::string render(const std::vector<model::CommandView>& commands, Format format) {
    if (format == Format::kJson) return json_text(commands);
    Table table({"COMMAND", "HOST", "OPERATION", "RESOURCE", "STATE", "DONE", "ASKED BY", "CREATED", "REASON"});
    for (const model::CommandView& command : commands) {
        table.add({command.id.text(), command.host.text(), command.operation, command.resource.text(),
                   word(to_string(command.state)), fmt::format("{:.0f} %", command.progress * 100), command.asked_by,
                   when_text(command.created), command.reason});
    }
    return table.text();
}

std::string render(const std::vector<model::EventView>& events, Format format) {
    if (format == Format::kJson) return json_text(events);
    Table table({"SEQ", "AT", "KIND", "SUBJECT", "USER", "MESSAGE"});
    for (const model::EventView& event : events) {
        table.add({fmt::format("{}", event.sequence), when_text(event.at), event.kind, event.subject,
                   event.user.empty() ? "-" : event.user, event.message});
    }
    return table.text();
}

std::string render(const std::vector<model::TrialStatus>& trials, Format format) {
    if (format == Format::kJson) return json_text(trials);
    Table table({"TRIAL", "KIND", "SHADOW", "STATE", "A/A", "VERDICT", "N", "POWER", "BEGUN", "REASON"});
    for (const model::TrialStatus& trial : trials) {
        const bool judged = trial.verdict.has_value();
        table.add({trial.spec.trial.text(), word(to_string(trial.spec.kind)), trial.spec.shadow.text(),
                   word(to_string(trial.state)), kind_text(trial.aa), kind_text(trial.verdict),
                   judged ? fmt::format("{}", trial.verdict->n) : "-",
                   judged ? fmt::format("{:.2f}", trial.verdict->power) : "-", when_text(trial.begun),
                   judged ? trial.verdict->reason : trial.reason});
    }
    return table.text();
}

std::string render(const std::vector<model::RolloutStatus>& rollouts, Format format) {
    if (format == Format::kJson) return json_text(rollouts);
    Table table({"ROLLOUT", "GROUP", "CHANGE", "STATE", "OUTCOME", "BEFORE", "AFTER", "FINAL", "REASON"});
    for (const model::RolloutStatus& rollout : rollouts) {
        const bool touched = !rollout.targets.empty();
        table.add({rollout.spec.rollout.text(), rollout.spec.group.text(), word(model::kind_of(rollout.spec.change)),
                   word(to_string(rollout.state)), rollout.outcome ? word(to_string(*rollout.outcome)) : "-",
                   touched ? short_hash(rollout.targets.front().before_hash) : "-",
                   touched ? short_hash(rollout.targets.front().after_hash) : "-",
                   touched ? short_hash(rollout.targets.front().final_hash) : "-", rollout.reason});
    }
    return table.text();
}

std::string render(const std::vector<model::KpiWindow>& windows, Format format) {
    if (format == Format::kJson) return json_text(windows);
    Table table({"BEGIN", "ARM", "REQUESTS", "ERRORS", "MEAN", "CPU", "CAPTURED", "REPLAYED"});
    for (const model::KpiWindow& window : windows) {
        const double sum_us = std::accumulate(
            window.response_time.begin(), window.response_time.end(), 0.0, [](double sum, const auto& bucket) {
                return sum + static_cast<double>(bucket.value_us) * static_cast<double>(bucket.count);
            });
        const auto count = std::max<std::uint64_t>(1, window.requests);
        table.add({when_text(window.begin), window.vantage.arm.empty() ? "production" : window.vantage.arm.text(),
                   fmt::format("{}", window.requests), fmt::format("{}", window.errors),
                   fmt::format("{:.1f} ms", sum_us / 1000 / static_cast<double>(count)),
                   fmt::format("{:.2f}", window.guest_cpu_share), fmt::format("{}", window.ledger.captured),
                   fmt::format("{}", window.ledger.replayed)});
    }
    return table.text();
}

namespace {
// A day of five-minute points is three hundred lines: what a person asks of it is when it is busy, and how busy.
std::vector<model::ForecastPoint> busiest_of_each_hour(const model::ForecastView& forecast) {
    std::vector<model::ForecastPoint> busiest;
    for (const model::ForecastPoint& point : forecast.next_day) {
        const bool shown_already = !forecast.next_hour.empty() && point.at <= forecast.next_hour.back().at;
        if (shown_already || point.values.empty()) continue;
        const auto hour = std::chrono::floor<std::chrono::hours>(point.at);
        if (busiest.empty() || std::chrono::floor<std::chrono::hours>(busiest.back().at) != hour) {
            busiest.push_back(point);
        } else if (point.values.back() > busiest.back().values.back()) {
            busiest.back() = point;
        }
    }
    return busiest;
}
}  // namespace

std::string render(const model::ForecastView& forecast, Format format) {
    if (format == Format::kJson) return json_text(forecast);
    std::string text = fmt::format("{} of {}: now {:.2f}, from {} points, {}\n", forecast.metric, forecast.group.text(),
                                   forecast.present, forecast.points_used, forecast.method);
    std::vector<std::string> headings{"AT"};
    for (const double quantile : forecast.quantiles)
        headings.push_back(fmt::format("Q{:g}", quantile * 100));
    Table table(headings);
    if (forecast.past_coverage.size() == forecast.quantiles.size()) {
        std::vector<std::string> cells{"past coverage"};
        for (const double coverage : forecast.past_coverage)
            cells.push_back(fmt::format("{:.1f} %", coverage * 100));
        table.add(cells);
    }
    std::vector<model::ForecastPoint> points = forecast.next_hour;
    const std::vector<model::ForecastPoint> later = busiest_of_each_hour(forecast);
    points.insert(points.end(), later.begin(), later.end());
    for (const model::ForecastPoint& point : points) {
        std::vector<std::string> cells{when_text(point.at)};
        for (const double value : point.values)
            cells.push_back(fmt::format("{:.2f}", value));
        if (cells.size() == headings.size()) table.add(cells);
    }
    if (!later.empty()) text += "after the next hour: the busiest point of each hour; -o json has every one\n";
    return text + table.text();
}

std::string render(const model::Verdict& verdict, Format format) {
    return format == Format::kJson ? json_text(verdict) : verdict_text("verdict", verdict);
}

std::string render_one(const model::TrialStatus& trial, Format format) {
    if (format == Format::kJson) return json_text(trial);
    std::string text = fmt::format("trial {} ({}) on shadow {}: {}\n", trial.spec.trial.text(),
                                   to_string(trial.spec.kind), trial.spec.shadow.text(), to_string(trial.state));
    if (!trial.verdict) return text + fmt::format("  {}\n", trial.reason);
    text += trial.spec.kind == model::TrialKind::kLoad
                ? fmt::format("verdict: {}, n {}\n  {}\n", to_string(trial.verdict->kind), trial.verdict->n,
                              trial.verdict->reason)
                : verdict_text("verdict", *trial.verdict);
    if (trial.aa && trial.aa->kind != model::VerdictKind::kPass) text += verdict_text("A/A before it", *trial.aa);
    for (const model::LoadStep& step : trial.load)
        text += load_text(step);
    return text;
}

std::string render_one(const model::RolloutStatus& rollout, Format format) {
    if (format == Format::kJson) return json_text(rollout);
    const std::string text =
        fmt::format("rollout {} of {} to {}: {}\n  {}\n", rollout.spec.rollout.text(),
                    model::kind_of(rollout.spec.change), rollout.spec.group.text(),
                    rollout.outcome ? to_string(*rollout.outcome) : to_string(rollout.state), rollout.reason);
    Table table({"VM", "HOST", "WAVE", "EFFECT", "BEFORE", "AFTER", "FINAL", "REASON"});
    for (const model::RolloutTarget& target : rollout.targets) {
        table.add({target.vm.text(), target.host.text(), fmt::format("{}", target.wave),
                   target.effect_state ? word(to_string(*target.effect_state)) : "not applied",
                   short_hash(target.before_hash), short_hash(target.after_hash), short_hash(target.final_hash),
                   target.reason});
    }
    return table.empty() ? text : text + table.text();
}

}  // namespace penumbra::cli
