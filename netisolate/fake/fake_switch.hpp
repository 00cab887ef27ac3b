#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

/// A switch in memory that behaves as Open vSwitch 3.1 does, restart included. Thread-bound. For tests only.
class FakeSwitch final : public SwitchControl {
 public:
    explicit FakeSwitch(const Clock& clock) : clock_(clock) {}

    [[nodiscard]] Result<std::string> version() override;
    [[nodiscard]] Result<std::vector<Bridge>> bridges() override;
    [[nodiscard]] Result<void> transact(std::span<const SwitchChange> changes) override;
    [[nodiscard]] Result<std::vector<Flow>> flows(std::string_view bridge) override;
    [[nodiscard]] Result<void> apply(std::string_view bridge, const FlowBundle& bundle) override;
    [[nodiscard]] Result<std::vector<DatapathFlow>> datapath_flows() override;
    [[nodiscard]] Result<void> settle() override;

    // what a test does to it
    void put_bridge(Bridge bridge);  ///< somebody else's, or a tampered one of ours
    [[nodiscard]] Bridge* bridge(std::string_view name);
    void hit(std::string_view bridge, const FlowKey& key, std::uint64_t packets);
    enum class Until : unsigned char { kRemoved, kSettled };  ///< kSettled: of rules that are gone
    void install_datapath_flow(DatapathFlow flow, Until until = Until::kRemoved);
    void restart();                                  ///< rows stay; flows go; a standalone bridge floods by NORMAL
    void fail_call(std::uint64_t nth, Error error);  ///< the nth call from now (1: the next) fails, changing nothing
    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }

 private:
    struct Rule {
        Flow flow;
        Instant since;
    };
    [[nodiscard]] Result<void> admit();
    [[nodiscard]] Result<void> change(const SwitchChange& change);
    void expire();

    const Clock& clock_;
    std::vector<Bridge> bridges_;
    std::map<std::string, std::map<FlowKey, Rule>, std::less<>> rules_;
    std::vector<DatapathFlow> datapath_;
    std::vector<DatapathFlow> stale_;  ///< installed too, until settle()
    std::map<std::uint64_t, Error> failures_;
    std::uint64_t calls_ = 0;
};

}  // namespace penumbra::netisolate
