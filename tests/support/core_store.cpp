#include "tests/support/core_store.hpp"

#include <variant>

#include <fmt/format.h>

#include "base/limits/coordinator.hpp"

namespace penumbra::coordinator {

struct CoreStore::Put {
    CoreStore& store;
    using Broken = std::optional<std::string>;

    Broken operator()(const HostRecord& record) const {
        store.hosts_[record.host] = record;
        return std::nullopt;
    }
    Broken operator()(const CommandRecord& record) const {
        CommandRecord& kept = store.commands_[record.command.id];
        if (model::is_final(kept.state) && kept.state != record.state) {
            return fmt::format("command {} was final as {} and became {}", record.command.id.text(),
                               model::to_string(kept.state), model::to_string(record.state));
        }
        kept = record;
        return std::nullopt;
    }
    Broken operator()(const GroupRecord& record) const {
        store.groups_[record.group] = record;
        return std::nullopt;
    }
    Broken operator()(const ShadowRecord& record) const {
        store.shadows_[record.status.spec.shadow] = record;
        return std::nullopt;
    }
    Broken operator()(const TrialRecord& record) const {
        store.trials_[record.status.spec.trial] = record;
        return std::nullopt;
    }
    Broken operator()(const RolloutRecord& record) const {
        store.rollouts_[record.status.spec.rollout] = record;
        return std::nullopt;
    }
    Broken operator()(const RequestRecord& record) const {
        store.requests_[record.reply.request_id] = record;
        return std::nullopt;
    }
    Broken operator()(const EventRecord& record) const {
        if (record.event.sequence > store.counters_.event + limits::kHeldSendsMax) return "an event from the future";
        return std::nullopt;
    }
    Broken operator()(const KpiRecord& record) const { return store.put(record); }
    Broken operator()(const Counters& record) const {
        const Counters& kept = store.counters_;
        if (record.fence < kept.fence || record.name < kept.name || record.event < kept.event)
            return "a counter of the store went back";
        store.counters_ = record;
        return std::nullopt;
    }
};

std::optional<std::string> CoreStore::put(const KpiRecord& record) {
    auto& series = windows_[record.window.vantage];
    const std::uint64_t last = series.empty() ? 0 : series.rbegin()->first;
    if (record.window.sequence <= last) {
        return fmt::format("window {} of {} was stored after window {}: doubled", record.window.sequence,
                           record.window.vantage.group.text(), last);
    }
    series[record.window.sequence] = record;
    return std::nullopt;
}

std::optional<std::string> CoreStore::commit(const Batch& batch) {
    for (const Record& record : batch.records) {
        if (auto broken = std::visit(Put{*this}, record)) return broken;
    }
    return std::nullopt;
}

namespace {
template <class Key, class Value>
std::vector<Value> values_of(const std::map<Key, Value>& items) {
    std::vector<Value> values;
    values.reserve(items.size());
    for (const auto& [key, value] : items)
        values.push_back(value);
    return values;
}
}  // namespace

Image CoreStore::start() {
    epoch_ = Epoch{number(epoch_) + 1};
    Image image{.epoch = epoch_,
                .counters = counters_,
                .hosts = values_of(hosts_),
                .commands = values_of(commands_),
                .groups = values_of(groups_),
                .trials = values_of(trials_),
                .rollouts = values_of(rollouts_),
                .requests = values_of(requests_)};
    for (const auto& [id, record] : shadows_) {
        if (!record.gone) image.shadows.push_back(record);
    }
    for (const auto& [vantage, series] : windows_) {
        for (const auto& [sequence, record] : series)
            image.windows.push_back(record);
    }
    return image;
}

const CommandRecord* CoreStore::command(const CommandId& id) const {
    const auto found = commands_.find(id);
    return found == commands_.end() ? nullptr : &found->second;
}

std::uint64_t CoreStore::last_window(const model::Vantage& vantage) const {
    const auto found = windows_.find(vantage);
    return found == windows_.end() ? 0 : found->second.rbegin()->first;
}

bool CoreStore::has_window(const model::Vantage& vantage, std::uint64_t sequence) const {
    const auto found = windows_.find(vantage);
    return found != windows_.end() && found->second.contains(sequence);
}

}  // namespace penumbra::coordinator
