#include "tests/sim/world.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace penumbra::sim {

void VirtualTime::after(std::chrono::nanoseconds delay, std::function<void()> what) {
    due_.push({.at = now_ + delay, .order = ++order_, .what = std::move(what)});
}

void VirtualTime::run_until(Instant end, const std::function<bool()>& enough) {
    while (!due_.empty() && due_.top().at <= end && !enough()) {
        now_ = due_.top().at;
        const std::function<void()> what = due_.top().what;
        due_.pop();
        what();
    }
    if (!enough()) now_ = std::max(now_, end);
}

void Network::carry(std::size_t host, Way way, std::function<void()> deliver) {
    const auto arrive = [this, host, way, deliver = std::move(deliver)] {
        if (way == Way::kUp ? up_cut_[host] : down_cut_[host]) return;
        deliver();
    };
    if (!chance_.percent(weather.loss)) time_.after(chance_.between(milliseconds(1), weather.delay_max), arrive);
    if (chance_.percent(weather.duplicate)) time_.after(chance_.between(milliseconds(1), weather.delay_max), arrive);
    if (chance_.percent(weather.revenant)) time_.after(chance_.between(milliseconds(100), seconds(120)), arrive);
}

void Network::cut(std::size_t host, bool up, bool down) {
    up_cut_[host] = up;
    down_cut_[host] = down;
}

void Network::heal() {
    up_cut_.assign(up_cut_.size(), false);
    down_cut_.assign(down_cut_.size(), false);
}

void World::breaks(std::string rule) {
    if (broken.has_value()) return;
    trace([&] { return "BROKEN " + rule; });
    broken = std::move(rule);
}

void World::trace(const std::function<std::string()>& line) const {
    if (!listen) return;
    const auto since = std::chrono::duration_cast<milliseconds>(time.now().time_since_epoch()) - std::chrono::hours(1);
    listen(fmt::format("{:>9.3f} {}", static_cast<double>(since.count()) / 1000.0, line()));
}

}  // namespace penumbra::sim
