#include "coordinator/store/memory_store.hpp"

#include <algorithm>
#include <iterator>

#include "base/limits/analysis.hpp"
#include "base/limits/local.hpp"
#include "base/limits/store.hpp"
#include "coordinator/store/store_rules.hpp"

namespace penumbra::coordinator {

namespace {

// What is over and older than the latest `keep` leaves; `order` grows with age turned round.
template <class Map, class IsOver, class Order>
std::vector<typename Map::mapped_type> alive_and_latest(const Map& records, std::size_t keep, IsOver is_over,
                                                        Order order) {
    std::vector<typename Map::mapped_type> over;
    std::vector<typename Map::mapped_type> chosen;
    for (const auto& [key, record] : records)
        (is_over(record) ? over : chosen).push_back(record);
    std::ranges::stable_sort(over, std::ranges::greater(), order);
    over.resize(std::min(over.size(), keep));
    chosen.insert(chosen.end(), over.begin(), over.end());
    return chosen;
}

template <class Map>
std::vector<typename Map::mapped_type> values_of(const Map& records) {
    std::vector<typename Map::mapped_type> values;
    for (const auto& [key, record] : records)
        values.push_back(record);
    return values;
}

struct Keep {
    MemoryDisk& disk;
    void operator()(const HostRecord& record) { disk.hosts[record.host] = record; }
    void operator()(const CommandRecord& record) { disk.commands[record.command.id] = record; }
    void operator()(const GroupRecord& record) { disk.groups[record.group] = record; }
    void operator()(const ShadowRecord& record) { disk.shadows[record.status.spec.shadow] = record; }
    void operator()(const TrialRecord& record) { disk.trials[record.status.spec.trial] = record; }
    void operator()(const RolloutRecord& record) { disk.rollouts[record.status.spec.rollout] = record; }
    void operator()(const RequestRecord& record) {
        const auto same = [&](const RequestRecord& other) { return other.reply.request_id == record.reply.request_id; };
        const auto found = std::ranges::find_if(disk.requests, same);
        if (found != disk.requests.end()) {
            *found = record;
            return;
        }
        disk.requests.push_back(record);
        if (disk.requests.size() > limits::kRequestsRememberedMax) disk.requests.erase(disk.requests.begin());
    }
    void operator()(const EventRecord& record) {
        disk.events[record.event.sequence] = record;
        if (disk.events.size() > limits::kEventsKeptMax) disk.events.erase(disk.events.begin());
    }
    void operator()(const KpiRecord& record) {
        const model::KpiWindow& window = record.window;
        auto& windows = disk.windows[window.vantage];
        if (!windows.emplace(window.sequence, record).second) return;
        if (windows.size() > limits::kKpiWindowsKeptMax) windows.erase(windows.begin());
        if (!window.vantage.shadow.empty() || window.length.count() <= 0) return;
        auto& bin = disk.measured[window.vantage.group][history_bin(window.begin)];
        bin.requests += window.requests;
        bin.time += window.length;
    }
    void operator()(const Counters& record) { disk.counters = record; }
};

}  // namespace

MemoryStore::~MemoryStore() {
    if (opened_) disk_->open = false;
}

Result<void> MemoryStore::writable() const {
    if (disk_->full) return fail(ErrorCode::kResourceExhausted, "the disk of the store is full: free some space");
    return {};
}

Result<Image> MemoryStore::open(Epoch above) {
    if (disk_->open) return fail(ErrorCode::kUnavailable, "another coordinator has the store open: stop it first");
    TRY(writable());
    disk_->open = opened_ = true;
    disk_->epoch = Epoch(std::max(number(disk_->epoch), number(above)) + 1);
    Image image{.epoch = disk_->epoch,
                .counters = disk_->counters,
                .hosts = values_of(disk_->hosts),
                .commands = alive_and_latest(
                    disk_->commands, limits::kCommandsListedMax,
                    [](const CommandRecord& record) { return model::is_final(record.state); },
                    [](const CommandRecord& record) { return record.command.fence; }),
                .groups = values_of(disk_->groups),
                .trials = alive_and_latest(
                    disk_->trials, limits::kTrialsListedMax,
                    [](const TrialRecord& record) { return record.status.state == model::TrialState::kEnded; },
                    [](const TrialRecord& record) { return record.status.begun; }),
                .rollouts = alive_and_latest(
                    disk_->rollouts, limits::kRolloutsListedMax,
                    [](const RolloutRecord& record) { return record.status.state == model::RolloutState::kEnded; },
                    [](const RolloutRecord& record) { return record.status.begun; }),
                .requests = disk_->requests};
    for (const auto& [name, record] : disk_->shadows)
        if (!record.gone) image.shadows.push_back(record);
    for (const auto& [vantage, windows] : disk_->windows) {
        const std::size_t skipped = windows.size() - std::min(windows.size(), limits::kKpiWindowsPerVantageMax);
        for (auto it = std::next(windows.begin(), static_cast<std::ptrdiff_t>(skipped)); it != windows.end(); ++it)
            image.windows.push_back(it->second);
    }
    return image;
}

Result<void> MemoryStore::commit(std::span<const Batch> batches) {
    TRY(writable());
    for (const Batch& batch : batches)
        for (const Record& record : batch.records)
            std::visit(Keep{*disk_}, record);
    return {};
}

Result<std::vector<model::EventView>> MemoryStore::events(std::uint64_t after, std::size_t count_max) {
    std::vector<model::EventView> found;
    for (auto it = disk_->events.upper_bound(after); it != disk_->events.end() && found.size() < count_max; ++it)
        found.push_back(it->second.event);
    return found;
}

Result<std::vector<model::KpiWindow>> MemoryStore::windows(const model::Vantage& vantage, WallTime from, WallTime to) {
    std::vector<model::KpiWindow> found;
    for (const auto& [sequence, record] : disk_->windows[vantage]) {
        if (record.window.begin < from || record.window.begin >= to) continue;
        if (found.size() == limits::kItemsPerReplyMax) break;
        found.push_back(record.window);
    }
    return found;
}

Result<void> MemoryStore::import_points(const Series& series, std::span<const MetricPoint> points) {
    TRY(writable());
    for (const MetricPoint& point : points)
        disk_->imported[series][point.at] = point.value;
    return {};
}

Result<std::vector<MetricPoint>> MemoryStore::points(const Series& series) {
    std::map<WallTime, double> merged = disk_->imported[series];
    if (series.metric == kRequestRate) {
        for (const auto& [at, bin] : disk_->measured[series.group])
            merged[at] = rate_of(bin.requests, bin.time);
    }
    std::vector<MetricPoint> found;
    for (const auto& [at, value] : merged)
        found.push_back({at, value});
    if (found.size() > limits::kForecastHistoryMax)
        found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limits::kForecastHistoryMax));
    return found;
}

Result<std::vector<EnrolledKey>> MemoryStore::keys() {
    std::vector<EnrolledKey> found;
    for (const auto& [host, key] : disk_->keys)
        found.push_back({host, key});
    return found;
}

Result<void> MemoryStore::keep_token(const EnrolmentToken& token) {
    TRY(writable());
    disk_->tokens[token.host] = {token, ""};
    return {};
}

Result<HostId> MemoryStore::redeem_token(const std::string& hash, const std::string& public_key, WallTime now) {
    TRY(writable());
    const auto found =
        std::ranges::find_if(disk_->tokens, [&](const auto& entry) { return entry.second.token.hash == hash; });
    if (found == disk_->tokens.end() || found->second.token.expires <= now ||
        (!found->second.used_by.empty() && found->second.used_by != public_key)) {
        return token_refused();
    }
    for (const auto& [host, key] : disk_->keys)
        if (key == public_key && host != found->first) return key_taken(host);
    found->second.used_by = public_key;
    disk_->keys[found->first] = public_key;
    return found->first;
}

Result<void> MemoryStore::revoke_key(const HostId& host) {
    TRY(writable());
    disk_->keys.erase(host);
    disk_->tokens.erase(host);
    return {};
}

}  // namespace penumbra::coordinator
