#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/store/store.hpp"

namespace penumbra::coordinator {

/// What outlives a MemoryStore: give the same one to the next life.
struct MemoryDisk {
    Epoch epoch{};
    Counters counters;
    std::map<HostId, HostRecord> hosts;
    std::map<CommandId, CommandRecord> commands;
    std::map<GroupId, GroupRecord> groups;
    std::map<ShadowId, ShadowRecord> shadows;
    std::map<TrialId, TrialRecord> trials;
    std::map<RolloutId, RolloutRecord> rollouts;
    std::vector<RequestRecord> requests;  ///< in the order they came in
    std::map<std::uint64_t, EventRecord> events;
    std::map<model::Vantage, std::map<std::uint64_t, KpiRecord>> windows;
    struct Measured {
        std::uint64_t requests = 0;
        std::chrono::milliseconds time{0};
    };
    std::map<GroupId, std::map<WallTime, Measured>> measured;
    std::map<Series, std::map<WallTime, double>> imported;
    std::map<HostId, std::string> keys;
    struct Token {
        EnrolmentToken token;
        std::string used_by;
    };
    std::map<HostId, Token> tokens;
    bool full = false;  ///< every write fails, as on a full disk
    bool open = false;
};

/// The Store's fake: passes the same contract suite, in memory.
class MemoryStore final : public Store {
 public:
    explicit MemoryStore(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}
    MemoryStore(const MemoryStore&) = delete;
    MemoryStore& operator=(const MemoryStore&) = delete;
    MemoryStore(MemoryStore&&) = delete;
    MemoryStore& operator=(MemoryStore&&) = delete;
    ~MemoryStore() override;

    [[nodiscard]] Result<Image> open(Epoch above) override;
    [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;
    [[nodiscard]] Result<std::vector<model::EventView>> events(std::uint64_t after, std::size_t count_max) override;
    [[nodiscard]] Result<std::vector<model::KpiWindow>> windows(const model::Vantage& vantage, WallTime from,
                                                                WallTime to) override;
    [[nodiscard]] Result<void> import_points(const Series& series, std::span<const MetricPoint> points) override;
    [[nodiscard]] Result<std::vector<MetricPoint>> points(const Series& series) override;
    [[nodiscard]] Result<std::vector<EnrolledKey>> keys() override;
    [[nodiscard]] Result<void> keep_token(const EnrolmentToken& token) override;
    [[nodiscard]] Result<HostId> redeem_token(const std::string& hash, const std::string& public_key,
                                              WallTime now) override;
    [[nodiscard]] Result<void> revoke_key(const HostId& host) override;

 private:
    [[nodiscard]] Result<void> writable() const;

    std::shared_ptr<MemoryDisk> disk_;
    bool opened_ = false;
};

}  // namespace penumbra::coordinator
