#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/adapters.hpp"
#include "agent/driver.hpp"
#include "agent/flows.hpp"
#include "agent/lane.hpp"
#include "agent/news_queue.hpp"
#include "agent/store/command_store.hpp"
#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "proto/spec/settings_file.hpp"
#include "proto/zmq/client.hpp"

namespace penumbra::agent {

/// What the agent is told by files of root's.
struct Setup {
    spec::AgentSettings settings;
    ServiceAddresses addresses;
    std::filesystem::path policy;  ///< read again each second, on SIGHUP and before every effect
};

/// The agent as a process: loop, link, core, lanes and flows, and how they begin and end. Thread-bound.
class Daemon {
 public:
    explicit Daemon(Setup setup) : setup_(std::move(setup)) {}
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    Daemon(Daemon&&) = delete;
    Daemon& operator=(Daemon&&) = delete;
    ~Daemon();

    /// Runs until SIGTERM, or until what was promised cannot be written down any more.
    [[nodiscard]] Result<void> run();

 private:
    struct Lanes {
        std::unique_ptr<ThreadLane> replicate;
        std::unique_ptr<ThreadLane> shadows;
        std::unique_ptr<ThreadLane> inventory;
        std::unique_ptr<ThreadLane> captures;
        std::unique_ptr<ThreadLane> watch;
        std::unique_ptr<ThreadLane> kpi;
        std::unique_ptr<ThreadLane> effects;
        std::unique_ptr<ThreadLane> store;
    };
    [[nodiscard]] Result<void> open();
    [[nodiscard]] Result<void> watch();
    [[nodiscard]] Result<Lanes> start_lanes();
    [[nodiscard]] Driver::Parts driver_parts();
    void tell(News news);
    void record(std::uint64_t number, JournalRecord record);
    void hear_all();
    void wake_core();
    void read_policy();
    void end(Result<void> why);

    const Setup setup_;
    const SystemClock clock_;
    const std::thread::id main_ = std::this_thread::get_id();
    std::unique_ptr<EventLoop> loop_;
    std::unique_ptr<Adapters> adapters_;
    NewsQueue news_;
    std::unique_ptr<zmq::FleetClient> link_;
    std::unique_ptr<CommandStore> store_;
    Lanes lanes_;
    std::unique_ptr<Flows> flows_;
    std::unique_ptr<Driver> driver_;
    std::vector<EventLoop::Source> sources_;
    EventLoop::Source wake_;
    Instant health_due_{};
    model::Policy policy_;
    bool policy_read_ = false;
    Result<void> outcome_;
};

}  // namespace penumbra::agent
