#include "tests/sim/fleet.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace penumbra::sim {

using coordinator::Ask;
using coordinator::CommandRecord;
using coordinator::CoreStore;
using coordinator::EnrolHost;
using coordinator::Host;
using coordinator::StartRollout;

SimFleet::SimFleet(const Plan& plan) : plan_(plan), world_(plan.seed, plan.hosts) {
    if (plan.trace) world_.listen = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
    real_ = std::make_unique<SimCoordinator>(world_, "coordinator", downlink());
    route_.resize(plan.hosts, real_.get());
    for (std::size_t index = 0; index < plan.hosts; ++index)
        add_host(index);
}

SimCoordinator::Downlink SimFleet::downlink() {
    return [this](const HostId& to, const model::Envelope& envelope) {
        const auto found = index_of_.find(to);
        if (found == index_of_.end()) return;
        const auto message = std::make_shared<const model::Envelope>(envelope);
        world_.network.carry(found->second, Network::Way::kDown,
                             [host = hosts_[found->second].get(), message] { host->receive(*message); });
    };
}

void SimFleet::add_host(std::size_t index) {
    hosts_.push_back(std::make_unique<SimHost>(
        world_, index, [this, index](const model::Envelope& envelope) { deliver_up(index, envelope); }));
    index_of_[hosts_.back()->id()] = index;
}

void SimFleet::deliver_up(std::size_t index, const model::Envelope& envelope) {
    const auto message = std::make_shared<const model::Envelope>(envelope);
    world_.network.carry(index, Network::Way::kUp, [to = route_[index], host = hosts_[index].get(), message] {
        to->receive(host->id(), *message);
    });
}

void SimFleet::again(milliseconds low, milliseconds high, std::function<void()> what) {
    world_.time.after(world_.chance.between(low, high), [this, low, high, what = std::move(what)] {
        if (world_.calm) return;
        what();
        again(low, high, what);
    });
}

void SimFleet::begin_chaos() {
    Chance& chance = world_.chance;
    world_.network.weather = {.loss = static_cast<unsigned>(chance.below(15)),
                              .duplicate = static_cast<unsigned>(chance.below(20)),
                              .revenant = static_cast<unsigned>(chance.below(6)),
                              .delay_max = milliseconds(5 + chance.below(chance.one_in(3) ? 4000 : 200))};
    again(milliseconds(200), milliseconds(4000), [this] { ask_something(); });
    again(milliseconds(500), milliseconds(120'000 / plan_.hosts), [this] { crash_a_host(); });
    again(seconds(20), seconds(90), [this] { crash_the_coordinator(); });
    again(seconds(10), seconds(40), [this] { partition(); });
    if (plan_.rollouts) again(seconds(5), seconds(30), [this] { ask_for_a_rollout(); });
    if (chance.one_in(2)) again(seconds(30), seconds(120), [this] { raise_a_zombie(); });
    if (chance.one_in(3)) {
        again(seconds(30), seconds(90), [this] {
            if (real_->up()) real_->stall(world_.chance.between(milliseconds(500), seconds(60)));
        });
    }
}

void SimFleet::ask_something() {
    Chance& chance = world_.chance;
    SimCoordinator& asked_one =
        !zombies_.empty() && chance.one_in(5) ? *zombies_[chance.below(zombies_.size())] : *real_;
    if (!asked_.empty() && chance.one_in(8)) {  // a client that did not hear the answer
        const auto again_one = std::next(asked_.begin(), static_cast<std::ptrdiff_t>(chance.below(asked_.size())));
        return asked_one.ask(again_one->first, again_one->second);
    }
    const SimHost& host = *hosts_[chance.below(hosts_.size())];
    Ask ask = model::api::Replicate{host.group()};
    const std::uint64_t kind = chance.below(10);
    if (kind < 2) {
        ask = model::api::MakeShadow{{.shadow = ShadowId(fmt::format("s{}", ++shadows_)),
                                      .group = host.group(),
                                      .arms = {ArmId("control"), ArmId("treated")}}};
    } else if (kind < 4 && !host.shadows().empty()) {
        ask = model::api::RemoveShadow{host.shadows().begin()->first};
    } else if (kind == 4 && chance.one_in(4)) {
        ask = model::api::RemoveEverything{host.id()};
    }
    const std::string id = fmt::format("r{}", asked_.size() + 1);
    asked_[id] = ask;
    asked_one.ask(id, ask);
}

/// Short enough to end, and long enough for a PASS.
void SimFleet::ask_for_a_rollout() {
    if (!real_->up() || real_->fleet().shadows.empty()) return;
    const auto& shadows = real_->fleet().shadows;
    const auto shadow = std::next(shadows.begin(), static_cast<std::ptrdiff_t>(world_.chance.below(shadows.size())));
    model::RolloutSpec spec{.rollout = RolloutId(fmt::format("r{}", ++rollouts_)),
                            .group = shadow->second.status.spec.group,
                            .change = {.action = model::CpuTune{.parameters = {{"cpu_shares", 2048}}}},
                            .lease = seconds(60),
                            .verify = seconds(10)};
    spec.trial = {.shadow = shadow->first,
                  .warm_up = seconds(5),
                  .baseline = seconds(0),
                  .settle = seconds(1),
                  .measure = seconds(60),
                  .kpis = {{.kpi = "response_time_mean", .margin = 0.2}}};
    const std::string id = fmt::format("rollout-{}", rollouts_);
    asked_[id] = StartRollout{spec};
    real_->ask(id, StartRollout{spec});
}

void SimFleet::crash_a_host() {
    SimHost& host = *hosts_[world_.chance.below(hosts_.size())];
    host.stop(world_.chance.one_in(4));
    ++tally_.agent_crashes;
    world_.time.after(world_.chance.between(milliseconds(100), seconds(45)), [&host] { host.start(); });
}

void SimFleet::crash_the_coordinator() {
    real_->crash();
    ++tally_.coordinator_crashes;
    world_.time.after(world_.chance.between(milliseconds(100), seconds(50)), [this] { real_->start(); });
}

/// Somebody starts a coordinator on a copy of the store's disk; soon after, the real one begins a later life.
void SimFleet::raise_a_zombie() {
    if (!real_->up()) return;
    Chance& chance = world_.chance;
    world_.zombie_seen = true;
    ++tally_.zombies;
    zombies_.push_back(std::make_unique<SimCoordinator>(world_, fmt::format("zombie{}", zombies_.size()), downlink()));
    const CoreStore copy = real_->store();
    real_->crash();
    real_->start();
    // A life that began and ended: without it two lives would bear one epoch, which no rule can tell apart.
    real_->crash();
    real_->start();
    zombies_.back()->start_on(copy);
    for (SimCoordinator*& route : route_) {
        if (chance.one_in(3)) route = zombies_.back().get();
    }
    for (std::size_t moves = 0; moves < 3 * hosts_.size(); ++moves) {
        world_.time.after(
            chance.between(seconds(1), seconds(60)),
            [this, host = chance.below(hosts_.size()), to = zombies_.back().get(), back = chance.one_in(2)] {
                if (!world_.calm) route_[host] = back ? real_.get() : to;
            });
    }
}

void SimFleet::partition() {
    Chance& chance = world_.chance;
    ++tally_.partitions;
    const std::uint64_t who = chance.below(8);
    const std::uint64_t way = chance.below(3);
    const milliseconds length = chance.between(seconds(2), seconds(70));
    for (std::size_t host = 0; host < hosts_.size(); ++host) {
        const bool is_cut = who == 0 || (who < 4 ? chance.one_in(5) : chance.one_in(hosts_.size()));
        if (!is_cut) continue;
        world_.trace([&] { return fmt::format("{} is cut off for {} ms", hosts_[host]->id().text(), length.count()); });
        world_.network.cut(host, way != 1, way != 2);
        world_.time.after(length, [this, host] { world_.network.cut(host, false, false); });
    }
}

void SimFleet::calm_down() {
    world_.calm = true;
    world_.trace([] { return "all is calm"; });
    world_.network.heal();
    world_.network.weather = {};
    for (const auto& zombie : zombies_)
        zombie->crash();
    std::ranges::fill(route_, real_.get());
}

Tally SimFleet::run() {
    const auto broken = [this] { return world_.broken.has_value(); };
    const Instant begin = world_.time.now();
    real_->start();
    for (const auto& host : hosts_)
        real_->ask("enrol-" + host->id().text(), EnrolHost{host->id()});
    for (const auto& host : hosts_) {
        SimHost* started = host.get();
        world_.time.after(world_.chance.between(milliseconds(20), seconds(5)), [started] { started->start(); });
    }
    for (seconds at(5); at < plan_.chaos + plan_.calm - seconds(60); at += seconds(5)) {
        world_.time.after(at, [this] {
            for (const auto& host : hosts_)
                host->measure();
        });
    }
    world_.time.after(seconds(15), [this] { begin_chaos(); });
    world_.time.run_until(begin + plan_.chaos, broken);
    if (!broken()) calm_down();
    // Whoever was to start again after the last crash has done so by then.
    world_.time.run_until(begin + plan_.chaos + plan_.calm, broken);
    if (!broken()) agree();
    tally_.broken = world_.broken;
    return tally_;
}

void SimFleet::agree() {
    if (!real_->up()) return world_.breaks("the coordinator is down although all is calm");
    for (const auto& host : hosts_) {
        if (!host->up()) return world_.breaks("an agent is down although all is calm");
        agree_with(*host);
        tally_.windows += host->windows();
    }
    agree_on_commands();
    agree_on_requests();
    agree_on_rollouts();
}

void SimFleet::agree_with(const SimHost& host) {
    const auto found = real_->fleet().hosts.find(host.id());
    if (found == real_->fleet().hosts.end()) return world_.breaks(host.id().text() + " is forgotten");
    const Host& seen = found->second;
    const std::string& name = host.id().text();
    if (seen.state != model::HostState::kOnline || !host.core().contact().in_session() ||
        seen.session != host.core().contact().session()) {
        world_.breaks(fmt::format("{} and the coordinator do not agree on a session: {}, {}", name,
                                  model::to_string(seen.state), seen.reason));
    }
    if (seen.record.facts != host.facts()) world_.breaks("the coordinator has old facts of " + name);
    std::vector<ShadowId> told;
    for (const auto& [id, record] : real_->fleet().shadows) {
        if (record.host == host.id()) told.push_back(id);
    }
    std::vector<ShadowId> there;
    for (const auto& [id, status] : host.shadows())
        there.push_back(id);
    if (told != there) {
        world_.breaks(
            fmt::format("the coordinator knows of {} shadows on {}, there are {}", told.size(), name, there.size()));
    }
    const model::Vantage vantage{.group = host.group()};
    for (std::uint64_t window = 1; window <= host.windows(); ++window) {
        const bool kept =
            real_->store().has_window(vantage, window) || std::ranges::any_of(zombies_, [&](const auto& zombie) {
                return zombie->store().has_window(vantage, window);
            });
        if (!kept) return world_.breaks(fmt::format("window {} of {} is lost", window, name));
    }
}

void SimFleet::agree_on_commands() {
    for (const auto& [id, record] : real_->fleet().commands) {
        ++tally_.commands;
        const CommandRecord* kept = real_->store().command(id);
        if (kept == nullptr || kept->state != record.state)
            return world_.breaks(fmt::format("command {} is not in the store as it is known", id.text()));
        const SimHost& host = *hosts_[index_of_.at(record.host)];
        const auto deed = host.deeds().find(id);
        const bool done = deed != host.deeds().end() && deed->second.done;
        const bool begun = deed != host.deeds().end() && deed->second.begun > 0;
        const auto wrong = [&](std::string_view what) {
            world_.breaks(fmt::format("command {} on {} is {} ({}) and {}", id.text(), record.host.text(),
                                      model::to_string(record.state), record.report.message, what));
        };
        switch (record.state) {
            case model::CommandState::kSucceeded:
                ++tally_.succeeded;
                if (!done) wrong("was not done");
                break;
            case model::CommandState::kFailed:
                if (done) wrong("was done");
                break;
            case model::CommandState::kCancelled:
            case model::CommandState::kRejected:
            case model::CommandState::kExpired:
                if (begun) wrong("was begun");
                break;
            case model::CommandState::kUnknown:
                if (!world_.zombie_seen) wrong("the host knows what became of it");
                break;
            case model::CommandState::kQueued:
                // Only behind one that waits for an operator, which only a zombie can cause.
                if (!world_.zombie_seen) wrong("nothing keeps it from ending");
                break;
            case model::CommandState::kPlanned:
            case model::CommandState::kSent:
            case model::CommandState::kAccepted:
            case model::CommandState::kRunning:
                wrong("should have ended");
                break;
        }
    }
}

void SimFleet::agree_on_requests() {
    std::map<std::string, std::size_t> made;
    for (const auto& [id, record] : real_->store().commands())
        ++made[record.asked_by];
    for (const auto& [id, ask] : asked_) {
        if (std::holds_alternative<StartRollout>(ask)) continue;  // its commands are asked for by the rollout
        const std::size_t most = std::holds_alternative<model::api::MakeShadow>(ask) ? 3 : 1;
        // A zombie's copy may have taken it as well, but not into this store.
        if (made["user:" + id] > most) world_.breaks(fmt::format("request {} was done more than once", id));
    }
}

/// What a rollout says of production is what the host did.
void SimFleet::agree_on_rollouts() {
    for (const auto& [id, record] : real_->fleet().rollouts) {
        const model::RolloutStatus& status = record.status;
        ++tally_.rollouts;
        const auto wrong = [&](std::string_view what) {
            world_.breaks(fmt::format("rollout {} is {}: {}; {}", id.text(), model::to_string(status.state),
                                      status.reason, what));
        };
        if (status.state != model::RolloutState::kEnded) {
            if (!world_.zombie_seen) wrong("it should have ended");  // else one of its commands may be UNKNOWN
            continue;
        }
        const bool succeeded = status.outcome == model::RolloutOutcome::kSucceeded;
        if (succeeded) ++tally_.rollouts_succeeded;
        for (const model::RolloutTarget& target : status.targets) {
            const model::EffectStatus* effect = hosts_[index_of_.at(target.host)]->effect(target.effect);
            const bool stands = effect != nullptr && (effect->state == model::EffectState::kVerified ||
                                                      effect->state == model::EffectState::kConfirmed);
            if (succeeded && !stands) wrong("the change does not stand");
            if (!succeeded && stands) wrong("the change stands");
        }
    }
}

}  // namespace penumbra::sim
