#include "agent/daemon.hpp"

#include <csignal>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>

#include "base/log.hpp"
#include "effects/places.hpp"
#include "proto/spec/policy_file.hpp"
#include "systemd/notify.hpp"

namespace penumbra::agent {

namespace {
constexpr const char* kRunFolder = "/run/penumbra";
constexpr auto kHealthInterval = std::chrono::seconds(1);
}  // namespace

// ---- beginning

Result<Daemon::Lanes> Daemon::start_lanes() {
    return Lanes{.replicate = TRY(ThreadLane::start("replicate")),
                 .shadows = TRY(ThreadLane::start("shadows")),
                 .inventory = TRY(ThreadLane::start("inventory")),
                 .captures = TRY(ThreadLane::start("captures")),
                 .watch = TRY(ThreadLane::start("watch")),
                 .kpi = TRY(ThreadLane::start("kpi")),
                 .effects = TRY(ThreadLane::start("effects")),
                 .store = TRY(ThreadLane::start("store"))};
}

Driver::Parts Daemon::driver_parts() {
    return {.clock = clock_,
            .send = [this](std::string_view bytes) { return link_->send(bytes); },
            .reconnect = [this] { return link_->reconnect(); },
            .record = [this](std::uint64_t number, JournalRecord item) { record(number, std::move(item)); },
            .execute = [this](const model::Command& command) { flows_->execute(command); },
            .recover = [this](const model::Command& command) { flows_->recover(command); },
            .release = [this](const model::Vantage& vantage, std::uint64_t up_to) { flows_->release(vantage, up_to); },
            .seed = std::random_device()()};
}

Result<void> Daemon::open() {
    const Folders folders = TRY(make_folders(setup_.settings.state, kRunFolder, effects::places::kBackups));
    adapters_ = TRY(Adapters::open(folders, clock_));
    store_ = std::make_unique<CommandStore>(adapters_->commands());
    const JournalImage image = TRY(store_->load());
    loop_ = TRY(EventLoop::create());
    link_ = TRY(zmq::FleetClient::create(
        *loop_, TRY(keys::KeyPair::load(setup_.settings.keys / "agent.key")),
        {.endpoint = "tcp://" + setup_.settings.server, .server_key = setup_.settings.server_key}));
    lanes_ = TRY(start_lanes());
    flows_ = std::make_unique<Flows>(
        Flows::Lanes{.inventory = *lanes_.inventory,
                     .replicate = *lanes_.replicate,
                     .shadows = *lanes_.shadows,
                     .captures = *lanes_.captures,
                     .watch = *lanes_.watch,
                     .kpi = *lanes_.kpi,
                     .effects = *lanes_.effects},
        adapters_->ports(setup_.policy),
        Flows::Places{.run_folder = folders.run, .space_folder = folders.spaces, .addresses = setup_.addresses},
        [this](News news) { tell(std::move(news)); });
    driver_ = std::make_unique<Driver>(driver_parts(),
                                       Identity{.host = setup_.settings.host,
                                                .agent_version = PENUMBRA_VERSION,
                                                .boot_id = adapters_->boot_id(),
                                                .instance = fmt::format("{:08x}", std::random_device()())},
                                       image);
    return {};
}

Result<void> Daemon::watch() {
    link_->on_message([this](std::string_view bytes) {
        driver_->receive(bytes);
        wake_core();
    });
    sources_.push_back(TRY(loop_->watch_fd(news_.ready_fd(), EPOLLIN, [this](std::uint32_t) { hear_all(); })));
    sources_.push_back(TRY(loop_->on_signal(SIGHUP, [this] { read_policy(); })));
    for (const int signal : {SIGTERM, SIGINT})
        sources_.push_back(TRY(loop_->on_signal(signal, [this] { end({}); })));
    health_due_ = clock_.now() + kHealthInterval;
    sources_.push_back(TRY(loop_->every(kHealthInterval, [this] {
        const Instant now = clock_.now();
        driver_->tell_health(std::chrono::duration_cast<std::chrono::milliseconds>(now - health_due_));
        health_due_ = now + kHealthInterval;
        read_policy();
        wake_core();
    })));
    return loop_->feed_watchdog();
}

Result<void> Daemon::run() {
    TRY(open());
    TRY(watch());
    flows_->start();
    read_policy();
    wake_core();
    log::event(log::Level::kNotice, "agent.started",
               fmt::format("penumbra-agent {} serves host {}", PENUMBRA_VERSION, setup_.settings.host.text()));
    if (const Result<void> told = systemd::notify_ready("looking for the coordinator"); !told.has_value())
        log::error("agent.not_notified", told.error());
    TRY(loop_->run());
    return std::move(outcome_);
}

// ---- running

void Daemon::tell(News news) {
    if (std::this_thread::get_id() == main_) {
        // From within a step: it is heard in a later turn. The loop is ours, so its queue has room or we are stuck.
        ASSERT(loop_->post([this, news = std::move(news)] {
            driver_->hear(news);
            wake_core();
        }));
        return;
    }
    news_.tell(news);
}

void Daemon::hear_all() {
    while (auto news = news_.hear())
        driver_->hear(std::move(*news));
    wake_core();
}

void Daemon::wake_core() {
    auto wake = loop_->at(driver_->next_wake(), [this] {
        driver_->happen(Tick{});
        wake_core();
    });
    if (!wake.has_value()) return end(tl::unexpected(std::move(wake).error()));
    wake_ = std::move(*wake);
}

void Daemon::record(std::uint64_t number, JournalRecord item) {
    const bool taken = lanes_.store->post([this, number, item = std::move(item)] {
        Result<void> kept = store_->record(item);
        if (kept.has_value()) return tell(Event(Journalled{number}));
        static_cast<void>(loop_->post([this, why = std::move(kept)]() mutable { end(std::move(why)); }));
    });
    if (!taken) end(fail(ErrorCode::kResourceExhausted, "more promises are waiting for the disk than may wait"));
}

void Daemon::read_policy() {
    Result<model::Policy> read = spec::load_policy(setup_.policy);
    // A policy that cannot be read allows nothing but to look.
    const model::Policy policy = read.has_value() ? std::move(*read) : model::Policy{};
    Troubles troubles{.flow = "policy"};
    if (!read.has_value()) troubles.sentences.push_back(read.error().describe());
    driver_->hear(std::move(troubles));
    if (std::exchange(policy_read_, true) && policy == policy_) return;
    policy_ = policy;
    flows_->set_policy(policy);
    driver_->happen(PolicyRead{policy});
}

// ---- ending

void Daemon::end(Result<void> why) {
    if (why.has_value()) {
        static_cast<void>(systemd::notify_stopping("taking leave"));
        driver_->happen(Stopping{"the agent was stopped"});
    }
    outcome_ = std::move(why);
    loop_->stop();
}

Daemon::~Daemon() {
    news_.close();  // before the lanes are waited for: one of them may wait for room
    if (flows_ != nullptr) flows_->stop();
    // Whoever calls another lane ends before it; what they still tell is not heard any more.
    for (ThreadLane* lane :
         {lanes_.replicate.get(), lanes_.shadows.get(), lanes_.inventory.get(), lanes_.captures.get(),
          lanes_.watch.get(), lanes_.kpi.get(), lanes_.effects.get(), lanes_.store.get()})
        if (lane != nullptr) lane->end();
}

}  // namespace penumbra::agent
