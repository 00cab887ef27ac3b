#include "tests/sim/coordinator.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace penumbra::sim {

using coordinator::Action;
using coordinator::Actions;
using coordinator::Answer;
using coordinator::Ask;
using coordinator::Asked;
using coordinator::Batch;
using coordinator::CommandRecord;
using coordinator::Committed;
using coordinator::CoreStore;
using coordinator::Event;
using coordinator::Image;
using coordinator::Moment;
using coordinator::Persist;
using coordinator::Received;
using coordinator::Send;
using coordinator::StepDown;
using coordinator::Tick;

SimCoordinator::SimCoordinator(World& world, std::string name, Downlink downlink)
    : world_(world), name_(std::move(name)), downlink_(std::move(downlink)), chance_(world.chance.source()()) {}

Moment SimCoordinator::moment() const {
    const Instant now = world_.time.now();
    return {.now = now, .wall = WallTime(std::chrono::duration_cast<milliseconds>(now.time_since_epoch()))};
}

void SimCoordinator::in_this_life(std::chrono::nanoseconds delay, std::function<void()> what) {
    world_.time.after(delay, [this, life = life_, what = std::move(what)] {
        if (life == life_) what();
    });
}

void SimCoordinator::start() {
    if (up()) return;
    ++life_;
    Image image = store_.start();
    world_.trace([&] { return fmt::format("{} starts, epoch {}", name_, number(image.epoch)); });
    core_.emplace(std::move(image), world_.time.now());
    tick();
}

void SimCoordinator::start_on(const CoreStore& copy) {
    store_ = copy;
    start();
}

void SimCoordinator::crash() {
    if (!up()) return;
    world_.trace([&] { return fmt::format("{} dies, {} batches not committed", name_, pending_.size()); });
    // The disk may have taken some of them; nobody was told.
    for (std::size_t reached = chance_.below(pending_.size() + 1); reached > 0; --reached)
        commit_front();
    pending_.clear();
    core_.reset();
    ++life_;
}

void SimCoordinator::stall(milliseconds length) {
    world_.trace([&] { return fmt::format("{} stalls for {} ms", name_, length.count()); });
    stalled_until_ = std::max(stalled_until_, world_.time.now() + length);
}

void SimCoordinator::tick() {
    step(Tick{});
    const auto stalled = std::max<std::chrono::nanoseconds>(stalled_until_ - world_.time.now(), seconds(0));
    in_this_life(std::max<std::chrono::nanoseconds>(stalled, seconds(1)), [this] { tick(); });
}

void SimCoordinator::receive(const HostId& from, const model::Envelope& envelope) {
    if (!up()) return;
    if (stalled_until_ > world_.time.now())
        return in_this_life(stalled_until_ - world_.time.now(), [this, from, envelope] { receive(from, envelope); });
    const auto host = core_->fleet().hosts.find(from);
    const bool over = !std::holds_alternative<model::Hello>(envelope.body) && !core_->fleet().stepped_down &&
                      (host == core_->fleet().hosts.end() || host->second.session != envelope.session);
    if (!over) return step(Received{from, envelope});
    const Actions actions = core_->step(Received{from, envelope}, moment(), chance_.source());
    const bool is_reset = actions.size() == 1 && std::holds_alternative<Send>(actions.front()) &&
                          std::holds_alternative<model::Reset>(std::get<Send>(actions.front()).envelope.body);
    if (!is_reset) {
        return world_.breaks(
            fmt::format("{} took a {} of {} from a session that is over", name_, envelope.body.index(), from.text()));
    }
    act(actions.front());
}

void SimCoordinator::ask(std::string request_id, Ask ask) {
    if (!up() || stalled_until_ > world_.time.now()) return;
    step(Asked{.client = 1, .request_id = request_id, .user = request_id, .ask = std::move(ask)});
}

void SimCoordinator::step(const Event& event) {
    const std::uint64_t life = life_;
    for (const Action& action : core_->step(event, moment(), chance_.source())) {
        act(action);
        if (life != life_) return;
    }
}

void SimCoordinator::act(const Action& action) {
    if (const auto* persist = std::get_if<Persist>(&action)) {
        if (!pending_.empty() && persist->batch.number != pending_.back().number + 1)
            world_.breaks(name_ + " left out a batch");
        pending_.push_back(persist->batch);
        in_this_life(chance_.between(milliseconds(1), milliseconds(chance_.one_in(40) ? 1500 : 15)),
                     [this] { commit_one(); });
    }
    if (const auto* send = std::get_if<Send>(&action)) {
        check(*send);
        downlink_(send->host, send->envelope);
    }
    if (const auto* answer = std::get_if<Answer>(&action)) {
        ++answers_;
        if (!store_.has_request(answer->reply.request_id))
            world_.breaks(
                fmt::format("{} answered request {} before it was committed", name_, answer->reply.request_id));
    }
    if (const auto* down = std::get_if<StepDown>(&action)) {
        world_.trace([&] { return fmt::format("{} steps down for epoch {}", name_, number(down->seen)); });
        return crash();
    }
}

void SimCoordinator::commit_front() {
    if (auto broken = store_.commit(pending_.front())) world_.breaks(name_ + ": " + *broken);
    pending_.pop_front();
}

void SimCoordinator::commit_one() {
    const std::uint64_t number_of_batch = pending_.front().number;
    commit_front();
    step(Committed{number_of_batch});
}

void SimCoordinator::check(const Send& send) {
    if (const auto* command = std::get_if<model::Command>(&send.envelope.body)) {
        const CommandRecord* kept = store_.command(command->id);
        if (kept == nullptr || kept->state == model::CommandState::kPlanned ||
            store_.counters().fence < command->fence) {
            world_.breaks(fmt::format("{} sent command {} before it was committed", name_, command->id.text()));
        }
    }
    if (const auto* ack = std::get_if<model::ResultAck>(&send.envelope.body)) {
        const CommandRecord* kept = store_.command(ack->command);
        const bool ended =
            kept == nullptr || model::is_final(kept->state) || kept->state == model::CommandState::kUnknown;
        if (!ended)
            world_.breaks(
                fmt::format("{} acknowledged {}'s result before it was committed", name_, ack->command.text()));
    }
    if (const auto* ack = std::get_if<model::KpiAck>(&send.envelope.body)) {
        for (const auto& [vantage, up_to] : ack->committed_up_to) {
            // Those of a shadow that is gone are wanted by nobody.
            if (!vantage.shadow.empty() && !core_->fleet().shadows.contains(vantage.shadow)) continue;
            if (store_.last_window(vantage) < up_to)
                world_.breaks(fmt::format("{} acknowledged window {} of {} before it was committed", name_, up_to,
                                          vantage.group.text()));
        }
    }
}

}  // namespace penumbra::sim
