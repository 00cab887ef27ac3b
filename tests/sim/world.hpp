#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "proto/model/session.hpp"

/// What the simulated fleet stands in: one time, one source of chance, one bad network, one place for the first broken
/// rule. Single-threaded; the same seed gives the same run.
namespace penumbra::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Time that passes from event to event; what is due at the same instant happens in the order it was asked for.
class VirtualTime {
 public:
    [[nodiscard]] Instant now() const noexcept { return now_; }
    void after(std::chrono::nanoseconds delay, std::function<void()> what);
    /// Until `end`, or until `enough` says so.
    void run_until(Instant end, const std::function<bool()>& enough);

 private:
    struct Due {
        Instant at;
        std::uint64_t order = 0;
        std::function<void()> what;
        friend bool operator>(const Due& a, const Due& b) { return std::tie(a.at, a.order) > std::tie(b.at, b.order); }
    };
    Instant now_{std::chrono::hours(1)};
    std::uint64_t order_ = 0;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

/// Chance, in the terms a scenario is written in.
class Chance {
 public:
    explicit Chance(std::uint64_t seed) : random_(seed) {}
    [[nodiscard]] bool one_in(std::uint64_t n) { return uniform(random_, n) == 0; }
    [[nodiscard]] bool percent(unsigned share) { return uniform(random_, 100) < share; }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return uniform(random_, bound); }
    [[nodiscard]] milliseconds between(milliseconds low, milliseconds high) {
        return low + milliseconds(below(static_cast<std::uint64_t>((high - low).count()) + 1));
    }
    [[nodiscard]] Random& source() noexcept { return random_; }

 private:
    Random random_;
};

/// The network of one fleet: loses, delays, duplicates, reorders, cuts either way, and brings back what is long over.
class Network {
 public:
    enum class Way : unsigned char { kUp, kDown };  ///< from a host, to a host
    struct Weather {
        unsigned loss = 0;       ///< percent of messages
        unsigned duplicate = 0;  ///< percent
        unsigned revenant = 0;   ///< percent that come once more up to two minutes later
        milliseconds delay_max{5};
    };

    Network(VirtualTime& time, Chance& chance, std::size_t hosts)
        : time_(time), chance_(chance), up_cut_(hosts, false), down_cut_(hosts, false) {}

    Weather weather;
    void carry(std::size_t host, Way way, std::function<void()> deliver);
    void cut(std::size_t host, bool up, bool down);
    void heal();

 private:
    VirtualTime& time_;
    Chance& chance_;
    std::vector<bool> up_cut_;
    std::vector<bool> down_cut_;
};

/// What all parts of one run share.
struct World {
    World(std::uint64_t seed_in, std::size_t hosts) : seed(seed_in), chance(seed_in), network(time, chance, hosts) {}

    const std::uint64_t seed;
    VirtualTime time;
    Chance chance;
    Network network;
    bool calm = false;                        ///< nothing goes wrong any more, and work is short
    bool zombie_seen = false;                 ///< some results went to a life that was over
    std::optional<std::string> broken;        ///< the first rule that did not hold
    std::function<void(std::string)> listen;  ///< prints the trace of a replayed seed; may be empty

    /// Notes that a rule does not hold; the run ends.
    void breaks(std::string rule);
    void trace(const std::function<std::string()>& line) const;
};

}  // namespace penumbra::sim
